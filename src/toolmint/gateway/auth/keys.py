"""Who may ask for what: keys by digest, rates by the minute, budgets by the window."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from toolmint.core.traffic import Key, KeyStore
from toolmint.gateway.http_errors import budget_exceeded, invalid_key, rate_limited, unknown_model

KEY_PREFIX = "tm-"
OPEN_KEY = Key(id="open", tenant="local", name="no keys are set", record=True)
"""What everybody may do while no key is set; only on loopback."""


def new_secret() -> str:
    """Return a new secret: 256 bits of chance, so that a plain digest of it cannot be guessed back."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return the digest under which a secret's key is kept."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class RateLimit:
    """A rate a minute: it holds a minute's worth, refills steadily, and may be overdrawn by one request."""

    def __init__(self, rate: int, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._left, self._at = float(rate), clock()

    def wait(self) -> float:
        """Return the seconds until something may be taken; 0: now."""
        now = self._clock()
        self._left = min(float(self._rate), self._left + (now - self._at) * self._rate / 60)
        self._at = now
        return 0.0 if self._left >= 1 else (1 - self._left) * 60 / self._rate

    def take(self, amount: float) -> None:
        """Take an amount, also more than is left."""
        self._left -= amount


class KeyRing:
    """Knows keys in memory, and what they have used.

    Args:
        store: where keys are kept.
        open_access: without any key in the store, everybody may ask (on loopback alone).
        clock: seconds, for rates.
    """

    def __init__(
        self, store: KeyStore, *, open_access: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._open, self._clock = store, open_access, clock
        self._keys: Mapping[str, Key] = {}
        self._requests: dict[str, RateLimit] = {}
        self._tokens: dict[str, RateLimit] = {}
        self._spent: dict[str, Decimal] = {}

    async def refresh(self) -> None:
        """Read all keys anew, and what those with a budget have spent."""
        self._keys = await self._store.keys()
        for key in self._keys.values():
            if key.budget is not None:
                self._spent[key.id] = await self._store.spent(key)

    @property
    def known(self) -> tuple[Key, ...]:
        """All keys."""
        return tuple(self._keys.values())

    def of(self, authorization: bytes | None) -> Key:
        """Return the key of an ``Authorization`` header.

        Raises:
            HttpError: there is none, or it is wrong, revoked or expired.
        """
        if not self._keys and self._open:
            return OPEN_KEY
        if authorization is None:
            raise invalid_key("No key: send 'Authorization: Bearer tm-...'.")
        word, _, secret = authorization.decode("latin-1").partition(" ")
        key = self._keys.get(digest_of(secret.strip()))
        if word.lower() != "bearer" or key is None or key.revoked:
            raise invalid_key("The key is not valid.")
        if key.expires is not None and key.expires < datetime.now(UTC):
            raise invalid_key("The key has expired.")
        return key

    def allow(self, key: Key, model: str) -> None:
        """Check that a key may send a request now; raise the HTTP error where it may not.

        Raises:
            HttpError: the model is not the key's, a rate is passed, or the budget is spent.
        """
        if key.models and model not in key.models:
            raise unknown_model(model)
        if key.budget is not None and self._spent.get(key.id, Decimal(0)) >= key.budget:
            raise budget_exceeded(f"The key's budget of ${key.budget} is spent.")
        for rate, buckets, what in (
            (key.rpm, self._requests, "requests"),
            (key.tpm, self._tokens, "tokens"),
        ):
            if rate is None:
                continue
            bucket = buckets.setdefault(key.id, RateLimit(rate, self._clock))
            wait = bucket.wait()
            if wait:
                raise rate_limited(f"More than {rate} {what} a minute.", wait)
        if key.rpm is not None:
            self._requests[key.id].take(1)

    def used(self, key: Key, tokens: int, cost: Decimal | None) -> None:
        """Note what a request has used; an unknown cost spends no budget."""
        if key.tpm is not None and key.id in self._tokens:
            self._tokens[key.id].take(tokens)
        if key.budget is not None and cost:
            self._spent[key.id] = self._spent.get(key.id, Decimal(0)) + cost
