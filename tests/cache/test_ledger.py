"""The bill is exact, and what is not known is said so."""

from decimal import Decimal

import pytest

from toolwright.cache.ledger import Ledger, bill
from toolwright.core.messages import UserMessage
from toolwright.core.model import ModelRequest, Purpose, Usage
from toolwright.core.store import Count, LedgerEntry
from toolwright.models.scripted import ScriptedModel
from toolwright.store.sql import SqlStore


def entry(purpose: Purpose, cost: str | None, name: str = "sums") -> LedgerEntry:
    usage = Usage(
        requests=1, input_tokens=10, output_tokens=1, cost=None if cost is None else Decimal(cost)
    )
    return LedgerEntry(purpose=purpose, request_class=name, model="m", usage=usage, seconds=0.1)


def count(tier: str, answered: int, name: str = "sums") -> Count:
    return Count.model_validate(
        {"request_class": name, "version": 1, "tier": tier, "answered": answered}
    )


def test_a_class_pays_off_after_its_break_even_point() -> None:
    entries = [*[entry("strong", "0.02")] * 10, entry("making", "0.30"), entry("second", "0.10")]
    (one,) = bill(entries, [count("strong", 10), count("compiled", 90)])
    assert (one.requests, one.cost, one.without) == (100, Decimal("0.60"), Decimal("2.00"))
    assert one.saved == Decimal("1.40") and one.break_even == 20
    assert one.making.requests == 2 and one.serving.requests == 10


def test_light_calls_lengthen_the_way_to_break_even() -> None:
    entries = [entry("strong", "0.02"), entry("making", "0.30"), *[entry("use", "0.01")] * 10]
    (one,) = bill(entries, [count("strong", 1), count("tooluser", 10)])
    assert one.break_even == 30


def test_a_tool_user_as_dear_as_the_strong_model_never_pays_off() -> None:
    entries = [entry("strong", "0.02"), entry("making", "0.30"), entry("use", "0.03")]
    (one,) = bill(entries, [count("strong", 1), count("tooluser", 1)])
    assert one.break_even is None


def test_an_unknown_price_makes_the_bill_unknown() -> None:
    (one,) = bill([entry("strong", None), entry("making", "0.3")], [count("strong", 1)])
    assert one.cost is None and one.without is None and one.saved is None and one.break_even is None


def test_a_class_without_strong_answers_is_compared_with_the_mean_of_all() -> None:
    entries = [entry("strong", "0.02", "other"), entry("making", "0.04")]
    found = {one.request_class: one for one in bill(entries, [count("compiled", 5)])}
    assert found["sums"].without == Decimal("0.10") and found["sums"].break_even == 2


@pytest.mark.anyio
async def test_every_metered_call_is_entered_to_the_token(store: SqlStore) -> None:
    ledger = Ledger()
    model = ledger.metered(ScriptedModel(["abcd", "abcdefgh"]), "use", "sums")
    request = ModelRequest(messages=(UserMessage(content="x" * 40),))
    said = [await model.complete(request) for _ in range(2)]
    ledger.count("sums", 1, "tooluser", "answered")
    assert ledger.due and model.name == "scripted"
    await ledger.flush(store)
    await ledger.flush(store)
    kept = await store.ledger()
    assert [one.usage for one in kept] == [one.usage for one in said]
    assert sum(one.usage.tokens for one in kept) == 23
    assert not ledger.due and (await store.counts())[0].answered == 1
