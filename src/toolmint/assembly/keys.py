"""Keys of the gateway, made and changed in the store, whether a gateway runs or not."""

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from toolmint.assembly.settings import Settings
from toolmint.core.errors import InputError
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.traffic import Key
from toolmint.gateway.auth.keys import digest_of, new_secret
from toolmint.serving.titles import class_named
from toolmint.store.sql import SqlStore

TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncGenerator[SqlStore]:
    store = SqlStore.open(settings.store)
    try:
        yield store
    finally:
        store.close()


async def create_key(settings: Settings, key: Key) -> str:
    """Keep a key; returns its secret, which is kept nowhere.

    Raises:
        InputError: the tenant's name is not allowed.
    """
    if not TENANT.fullmatch(key.tenant):
        raise InputError(
            f"a tenant is named by small letters, digits, - and _, at most 40, not {key.tenant!r}"
        )
    secret = new_secret()
    async with _opened(settings) as store:
        await store.traffic.keep_key(key, digest_of(secret))
    return secret


async def all_keys(settings: Settings) -> Sequence[Key]:
    """Return all keys, oldest first."""
    async with _opened(settings) as store:
        return sorted((await store.traffic.keys()).values(), key=lambda key: key.created)


async def revoke_key(settings: Settings, name: str) -> None:
    """Revoke a key for good.

    Raises:
        InputError: there is no such key.
    """
    async with _opened(settings) as store:
        for digest, key in (await store.traffic.keys()).items():
            if key.id == name:
                await store.traffic.keep_key(key.model_copy(update={"revoked": True}), digest)
                return
    raise InputError(f"there is no key {name!r}; `toolmint keys list` names all")


async def grant_class(settings: Settings, full: str, tenant: str, *, withdraw: bool) -> None:
    """Let a tenant use a class of another one, named in full or by its title, or take that back.

    Raises:
        InputError: the class's full name is wrong, or several classes have the title.
        ToolNotFound: there is no such class.
    """
    async with _opened(settings) as store:
        full = await class_named(store, full)
        key = ClassKey.parse(full)
        if key.namespace == Namespace():
            raise InputError(
                f"a class of a gateway reads tenant/scope/class, got {full!r}; "
                "`toolmint tools list` names all"
            )
        if withdraw:
            await store.traffic.withdraw(key, tenant)
            return
        await store.get(full)
        await store.traffic.grant(key, tenant)
