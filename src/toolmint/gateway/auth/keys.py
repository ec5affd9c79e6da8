"""Who may ask for what: keys by digest, rates by the minute, budgets by the window."""

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from toolmint.core.budgets import BudgetRequest
from toolmint.core.traffic import Key, KeyStore, RequestRecord
from toolmint.gateway.auth.budgets import Budgets
from toolmint.gateway.auth.rates import Rates
from toolmint.gateway.auth.upper_usage import UpperUsage
from toolmint.gateway.http_errors import (
    budget_exceeded,
    budget_reserved,
    invalid_key,
    price_unknown,
    rate_limited,
    unknown_model,
)

KEY_PREFIX = "tm-"
OPEN_KEY = Key(id="open", tenant="local", name="no keys are set", record=True)
"""What everybody may do while no key is set; only on loopback."""
UnknownPrices = Literal["refuse", "allow"]
"""What becomes of a request for a model of unknown price whose key has a budget."""
WAIT_SECONDS = 10.0
"""How long a request waits for what requests at work have reserved."""


def new_secret() -> str:
    """Return a new secret: 256 bits of chance, so that a plain digest of it cannot be guessed back."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return the digest under which a secret's key is kept."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class _Reservation(NamedTuple):
    """What is reserved for a request: tokens of a key's rate, dollars of its budget (None: nothing)."""

    key: Key
    cost: Decimal | None
    most: UpperUsage


class KeyRing:
    """Knows keys in memory, and what they have used.

    A request that may cost something reserves the most that it may use before it is sent. Writing its record
    down charges what it has used; what no record charges is released.

    Args:
        store: where keys are kept.
        open_access: without any key in the store, everybody may ask (on loopback alone).
        clock: seconds, for rates while the store is away.
        unknown_prices: what becomes of a model of unknown price where the key has a budget.
        wait: seconds that a request waits for what requests at work have reserved.
    """

    def __init__(
        self,
        store: KeyStore,
        *,
        open_access: bool,
        clock: Callable[[], float] = time.time,
        unknown_prices: UnknownPrices = "refuse",
        wait: float = WAIT_SECONDS,
    ) -> None:
        self._store, self._open = store, open_access
        self._unknown_prices, self._wait = unknown_prices, wait
        self._keys: Mapping[str, Key] = {}
        self._reserved: dict[str, _Reservation] = {}
        self._budgets, self._rates = Budgets(store), Rates(store, clock)

    async def refresh(self) -> None:
        """Read all keys anew, and what those with a budget have spent."""
        self._keys = await self._store.keys()
        await self._budgets.refresh(self._keys.values())
        self._rates.forget({key.id for key in self._keys.values()})
        await self._rates.flush()

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

    async def allow(self, key: Key, model: str) -> None:
        """Check that a key may send a request now, and count it; what it may cost is not reserved yet.

        Raises:
            HttpError: the model is not the key's, its rate of requests is passed, or its budget is spent.
        """
        if key.models and model not in key.models:
            raise unknown_model(model)
        if self._budgets.spent(key):
            raise budget_exceeded(f"The key's budget of ${key.budget} is spent.")
        if key.rpm is not None and (wait := await self._rates.request(key.id, key.rpm)):
            raise rate_limited(f"More than {key.rpm} requests a minute.", wait)

    async def reserve(self, request: str, key: Key, upper: Callable[[], UpperUsage]) -> None:
        """Reserve what a request may use at most, unless it has; free for keys without budget and token rate.

        Args:
            request: its id, under which its record is written down.
            key: who pays.
            upper: returns the most that it may use.

        Raises:
            HttpError: the budget or the rate is used up, or the price is unknown and the key has a budget.
        """
        if not key.is_limited or request in self._reserved:
            return
        most = upper()
        cost = None if key.budget is None else most.cost
        if key.budget is not None and cost is None and self._unknown_prices == "refuse":
            raise price_unknown(most.model, key.budget)
        if key.tpm is not None:
            wait = await self._rates.reserve_tokens(key.id, key.tpm, most.tokens, self._wait)
            if wait:
                raise rate_limited(f"More than {key.tpm} tokens a minute.", wait)
        self._reserved[request] = _Reservation(key, cost, most)
        if key.budget is None or cost is None:
            return
        asked = BudgetRequest(request, key.id, key.budget, key.window, most.dearest or cost)
        state = await self._budgets.reserve(asked, self._wait)
        if state != "granted":
            self.release(request)
            said = f"The key's budget of ${key.budget} is"
            if state == "spent":
                raise budget_exceeded(f"{said} spent.")
            raise budget_reserved(
                f"{said} reserved by requests at work; a smaller max_tokens helps."
            )

    def charge(self, record: RequestRecord) -> RequestRecord:
        """Charge what a request has used in place of what was reserved; return its record to be written.

        An answer without usage is charged as what it was estimated to use.
        """
        one = self._reserved.pop(record.id, None)
        if one is None:
            return record
        tokens = record.input_tokens + record.output_tokens
        if tokens and record.calls and one.most.learn is not None:
            one.most.learn(record)
        unknown = record.cost is None and not tokens
        used = tokens + (record.light.tokens if record.light else 0)
        self._release_tokens(one, one.most.tokens if unknown else used)
        if one.cost is None:
            return record
        record = replace(record, estimated=one.cost)
        self._budgets.charge(record.id, record.charged)
        return record

    def release(self, request: str) -> None:
        """Release what is reserved for a request that has ended, unless its record has charged it."""
        one = self._reserved.pop(request, None)
        if one is None:
            return
        self._release_tokens(one, 0)
        self._budgets.release(request)

    def _release_tokens(self, one: _Reservation, used: int) -> None:
        """Return to the store the tokens of a rate that a request has not used."""
        if one.key.tpm is not None:
            self._rates.release_tokens(one.key.id, one.key.tpm, one.most.tokens, used)

    async def close(self) -> None:
        """Let go in the store of what is reserved for requests that have ended."""
        await self._budgets.close()
        await self._rates.close()

    def left(self, key: Key) -> Decimal | None:
        """Return the US dollars that a key may still spend, as far as this process knows; None: no limit."""
        return None if key.budget is None else self._budgets.left(key)
