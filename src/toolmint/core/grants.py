"""Grants: classes that a tenant lets another one use."""

from collections.abc import Sequence
from typing import Protocol

from toolmint.core.namespace import ClassKey


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
