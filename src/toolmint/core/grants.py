"""Grants of classes to other tenants, and what else changes in a store under the processes that serve."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from toolmint.core.namespace import ClassKey, Namespace


class GrantStore(Protocol):
    """Keeps grants."""

    async def grant(self, key: ClassKey, tenant: str) -> None:
        """Let a tenant use a class of another one."""
        ...

    async def withdraw(self, key: ClassKey, tenant: str) -> None:
        """Revoke a grant."""
        ...

    async def granted(self, tenant: str) -> Sequence[ClassKey]:
        """Return the classes that others let a tenant use."""
        ...


class StoreChanges(NamedTuple):
    """Changes of versions' states by their numbers, the last number, and all grants with their grantees."""

    moved: Mapping[int, Namespace]
    last: int
    grants: frozenset[tuple[ClassKey, str]]
