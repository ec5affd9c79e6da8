"""Who may see the dashboard: whoever has shown an admin key, by a cookie that holds no secret."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request

SESSION_COOKIE = "toolmint"
SESSION_SECONDS = 8 * 3600


class DashboardSession:
    """Signs who has shown an admin key, for some hours; the signatures end with the process.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._secret, self._clock = secrets.token_bytes(32), clock

    def ticket(self, key: str) -> str:
        """Return the cookie for the id of a key."""
        said = f"{key}.{int(self._clock()) + SESSION_SECONDS}"
        return f"{said}.{self._sign(said)}"

    def holder(self, ticket: str | None) -> str | None:
        """Return the id of the key that a cookie stands for; None: it is not ours, or too old."""
        key, _, rest = (ticket or "").partition(".")
        until, _, sign = rest.partition(".")
        if not until.isdigit() or not hmac.compare_digest(sign, self._sign(f"{key}.{until}")):
            return None
        return key if int(until) > self._clock() else None

    def _sign(self, said: str) -> str:
        return hmac.new(self._secret, said.encode(), hashlib.sha256).hexdigest()


def from_here(request: Request) -> bool:
    """Return whether a change was asked for by one of our own pages, and not by another site's."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and origin.split("://", 1)[-1] == request.headers.get("host")
