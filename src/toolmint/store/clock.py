"""The time, as the store writes it."""

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat()
