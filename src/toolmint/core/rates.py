"""Rates by the minute of a key, over all gateways of a store: buckets that refill steadily."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

RateKind = Literal["requests", "tokens"]


class Bucket(NamedTuple):
    """What is left of a rate.

    Attributes:
        rate: a minute; the bucket holds a minute's worth.
        left: below 0 where more was used than there was.
        at: seconds since 1970 at which so much was left.
    """

    rate: int
    left: float
    at: float


class RateRequest(NamedTuple):
    """Somebody asks for a part of a key's rate.

    Attributes:
        key: its id.
        kind: which of its rates.
        rate: a minute.
        amount: what is wanted, at least 1.
        partly: less than the amount is welcome too; else all of it is taken once anything is left, so that
            one request alone may pass the rate.
    """

    key: str
    kind: RateKind
    rate: int
    amount: int
    partly: bool = False


class RateGrant(NamedTuple):
    """How much was taken; 0: nothing was left, and after ``wait`` seconds another try may help."""

    amount: int
    wait: float = 0.0


class RateChange(NamedTuple):
    """What is given back to a bucket; below 0: what was used beyond what had been taken."""

    key: str
    kind: RateKind
    amount: int


class RateStore(Protocol):
    """Keeps the buckets of all keys for all gateways."""

    async def take_rates(
        self, asked: Sequence[RateRequest], changes: Sequence[RateChange]
    ) -> Sequence[RateGrant]:
        """Apply changes, then take in order what is asked for, in one transaction."""
        ...


def refilled(bucket: Bucket | None, rate: int, now: float) -> Bucket:
    """Return a bucket as it is now; a new one, or one whose rate was changed, is full.

    Args:
        bucket: as it was kept; None: there is none yet.
        rate: a minute.
        now: seconds since 1970; where it lies before ``bucket.at``, nothing is refilled.
    """
    if bucket is None or bucket.rate != rate:
        return Bucket(rate, float(rate), now)
    more = max(0.0, now - bucket.at) * rate / 60
    return Bucket(rate, min(float(rate), bucket.left + more), max(now, bucket.at))


def taken(bucket: Bucket, asked: RateRequest) -> tuple[Bucket, RateGrant]:
    """Return what a refilled bucket is after a request, and what that one got."""
    if bucket.left < 1:
        return bucket, RateGrant(0, (1 - bucket.left) * 60 / bucket.rate)
    amount = min(asked.amount, int(bucket.left)) if asked.partly else asked.amount
    return bucket._replace(left=bucket.left - amount), RateGrant(amount)
