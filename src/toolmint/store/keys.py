"""Keys, what they have spent, and grants of classes, over SQL."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlalchemy import Executable, delete, select

from toolmint.core.namespace import ClassKey
from toolmint.core.traffic import Key
from toolmint.store.clock import now
from toolmint.store.columns import class_row, is_class, key_of
from toolmint.store.rates import SqlRates
from toolmint.store.reservations import SqlReservations
from toolmint.store.schema import GRANTS_TABLE, KEYS_TABLE


class SqlKeys(SqlReservations, SqlRates):
    """Keeps keys and grants; see ``toolmint.core.traffic.KeyStore``."""

    async def keep_key(self, key: Key, digest: str) -> None:
        """Keep a new key, or a changed one."""
        body = {"body": key.model_dump_json()}
        new = self._database.upsert(KEYS_TABLE).values(id=key.id, digest=digest, **body)
        await self._do(new.on_conflict_do_update(index_elements=["id"], set_=body))

    async def keys(self) -> Mapping[str, Key]:
        """Return all keys by digest."""
        rows = await self._database.rows(select(KEYS_TABLE.c.digest, KEYS_TABLE.c.body))
        return {row.digest: Key.model_validate_json(row.body) for row in rows}

    async def spent(self, key: Key) -> Decimal:
        """Return what a key has spent in its window, the last days in UTC; unknown costs as estimated."""
        return (await self.spending({key.id: key.window}))[key.id].spent

    async def grant(self, key: ClassKey, tenant: str) -> None:
        """Let a tenant use a class of another one."""
        row = class_row(key) | {"grantee": tenant, "at": now()}
        await self._do(self._database.upsert(GRANTS_TABLE).values(row).on_conflict_do_nothing())

    async def withdraw(self, key: ClassKey, tenant: str) -> None:
        """Revoke a grant."""
        mine = is_class(GRANTS_TABLE, key) & (GRANTS_TABLE.c.grantee == tenant)
        await self._do(delete(GRANTS_TABLE).where(mine))

    async def granted(self, tenant: str) -> Sequence[ClassKey]:
        """Return the classes that others let a tenant use."""
        table = GRANTS_TABLE
        query = select(table).where(table.c.grantee == tenant)
        order = (table.c.tenant, table.c.scope, table.c.request_class)
        return [key_of(row) for row in await self._database.rows(query.order_by(*order))]

    async def _do(self, statement: Executable) -> None:
        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(statement)

        await asyncio.to_thread(work)
