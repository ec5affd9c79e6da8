"""A user's word on an answered request."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from toolmint.core.namespace import ClassKey


class UserReport(NamedTuple):
    """What the holder of a key says of a tool's answer; of each request and key the first one stands.

    Attributes:
        request: the request's id.
        key: the key's id.
        agreed: the answer was right.
    """

    request: str
    key: str
    agreed: bool


class ReportCounts(NamedTuple):
    """What other tenants, to whom a class was granted, have reported of a version; it moves no bound."""

    right: int = 0
    wrong: int = 0


class ReportStore(Protocol):
    """Keeps what other tenants report of a tenant's tools."""

    async def keep_report(self, key: ClassKey, version: int, report: UserReport) -> bool:
        """Keep a report of another tenant, which moves no bound; False where it was kept before."""
        ...

    async def report_counts(self, key: ClassKey) -> Mapping[int, ReportCounts]:
        """Return what other tenants have reported of a class, by version."""
        ...
