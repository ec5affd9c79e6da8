"""The bill is exact, and what is not known is said so."""

import pytest

from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.store import ClassInfo
from toolmint.core.totals import DailyTotal, MakingCost
from toolmint.models.scripted import ScriptedModel
from toolmint.serving.billing import Bill, Cost, bill_of
from toolmint.serving.ledger import Ledger
from toolmint.store.sql import SqlStore


def total(
    tier: str, requests: int, cost: float, name: str | None = "sums", **more: float
) -> DailyTotal:
    saved, unknown = more.get("saved", 0.0), int(more.get("unknown", 0))
    return DailyTotal("2026-01-02", name, tier, requests, cost, saved, unknown, 11 * requests)


def billed(*totals: DailyTotal, making: float | None = 0.4) -> Bill:
    makings = {"sums": MakingCost(making, 900, 2)}
    return bill_of(totals, makings, {"sums": ClassInfo(title="Add numbers", example="1 + 2")})


def test_a_class_pays_off_after_its_break_even_point() -> None:
    bill = billed(total("strong", 10, 0.2), total("code", 90, 0.0, saved=1.8))
    (one,) = bill.classes
    assert (one.title, one.requests, one.by_tools, one.break_even) == ("Add numbers", 100, 90, 20)
    assert one.spent.total == pytest.approx(0.2) and one.making.total == pytest.approx(0.4)
    assert one.saved == pytest.approx(1.8) and one.net == pytest.approx(1.4)
    assert (one.tokens, one.making_tokens) == (1100, 900)
    assert (bill.requests, bill.by_tools, bill.saved) == (100, 90, pytest.approx(1.8))


def test_light_calls_lengthen_the_way_to_break_even() -> None:
    (one,) = billed(
        total("strong", 1, 0.02), total("light", 10, 0.1, saved=0.1), making=0.3
    ).classes
    assert one.break_even == 30


def test_a_light_model_as_dear_as_the_strong_model_never_pays_off() -> None:
    (one,) = billed(total("strong", 1, 0.02), total("light", 1, 0.03, saved=-0.01)).classes
    assert one.break_even is None and one.net is not None and one.net < 0


def test_an_unknown_price_makes_the_bill_unknown_and_is_never_shown_as_nothing() -> None:
    bill = billed(total("strong", 1, 0.0, unknown=1), total("code", 3, 0.0), making=None)
    (one,) = bill.classes
    assert one.spent.total is None and one.making.total is None
    assert one.saved is None and one.net is None and one.break_even is None
    assert str(one.making) == "?" and str(bill.making) == "?" and bill.saved is None


def test_a_sum_with_an_unknown_part_says_what_of_it_is_known() -> None:
    assert str(Cost(known=0.5) + Cost(unknown=2)) == "? ($0.5000 known, 2 unknown)"
    assert str(Cost(known=0.5)) == "$0.5000"


def test_a_class_without_strong_answers_breaks_even_by_the_mean_of_all() -> None:
    bill = billed(total("strong", 1, 0.02, "others"), total("code", 5, 0.0), making=0.04)
    found = {one.key: one for one in bill.classes}
    assert found["sums"].break_even == 2


def test_requests_of_no_class_stand_in_a_line_of_their_own() -> None:
    bill = billed(total("strong", 4, 0.2, None))
    assert {one.key: one.requests for one in bill.classes} == {"(no class)": 4, "sums": 0}


@pytest.mark.anyio
async def test_every_metered_call_is_entered_to_the_token(store: SqlStore) -> None:
    ledger = Ledger()
    model = ledger.metered(ScriptedModel(["abcd", "abcdefgh"]), "use", "sums")
    request = ModelRequest(messages=(UserMessage(content="x" * 40),))
    said = [await model.complete(request) for _ in range(2)]
    assert model.name == "scripted"
    await ledger.flush(store)
    await ledger.flush(store)
    kept = await store.ledger()
    assert [one.usage for one in kept] == [one.usage for one in said]
    assert sum(one.usage.tokens for one in kept) == 23


def test_a_saving_that_was_not_known_is_taken_at_the_mean_and_without_one_it_is_unknown() -> None:
    late = total("code", 4, 0.0, saved=0.02)._replace(unsaved=3)
    (one,) = billed(total("strong", 2, 0.04), late).classes
    assert one.saved == pytest.approx(0.02 + 3 * 0.02)
    assert billed(late).classes[0].saved is None and billed(late).saved is None
    dear = total("light", 2, 0.01, unknown=1)._replace(unsaved=1)
    assert billed(total("strong", 2, 0.04), dear).classes[0].saved is None


def test_a_day_says_how_many_of_its_amounts_are_not_known() -> None:
    (day,) = billed(
        total("strong", 3, 0.1, unknown=2), total("code", 2, 0.0)._replace(unsaved=2)
    ).days
    assert (day.spent, day.unknown, day.unsaved) == (0.1, 2, 2)


def test_a_model_that_costs_nothing_is_not_billed_at_the_mean_of_others() -> None:
    bill = billed(total("strong", 5, 0.0), total("strong", 5, 5.0, "others"), total("code", 5, 0.0))
    found = {one.key: one for one in bill.classes}
    assert found["sums"].break_even is None and found["sums"].saved == 0
