"""Comparisons: paired differences, wins and losses, and what cannot be compared."""

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolmint.cli.report_table import table_of
from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.evaluation.benchmark import Measures, Row
from toolmint.evaluation.compare import compare, comparison_report, mcnemar, win_rate
from toolmint.evaluation.report import Figure, Report, merge_reports
from toolmint.evaluation.rows import Header, RowSet


def row(name: str, *, task: str = "t", error: str | None = None, **measures: float) -> Row:
    return Row(
        id=name,
        cluster=name,
        task=task,
        benchmark="b",
        solver="s",
        outcome="failed" if error else "answered",
        error=error,
        seconds=1.0,
        usage=Usage(requests=1, input_tokens=10),
        measures=measures,
    )


def rows(*found: Row, solver: str = "s", benchmark: str = "b") -> RowSet:
    return RowSet(Header.of(benchmark, solver, {}), found)


def bits(text: str) -> RowSet:
    return rows(*(row(str(n), right=bit == "1") for n, bit in enumerate(text)))


def test_wins_and_losses_are_counted_item_by_item() -> None:
    found = compare(bits("1110" * 25), bits("1001" * 25)).differences[0]
    assert (found.measure, found.wins, found.losses, found.items) == ("right", 50, 25, 100)
    assert (found.first, found.second) == (0.75, 0.5)
    assert found.difference.value == 0.25
    assert found.difference.low is not None and found.difference.high is not None
    assert found.difference.low < 0.25 < found.difference.high
    assert found.p_value == pytest.approx(mcnemar(50, 25))


def test_a_run_compared_with_itself_differs_by_nothing() -> None:
    found = compare(bits("1011"), bits("1011"))
    for one in found.differences:
        assert one.difference == Figure(value=0.0, low=0.0, high=0.0)
    assert found.differences[0].p_value == 1.0


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_the_two_sided_binomial_test(wins: int, losses: int) -> None:
    trials = wins + losses
    weights = [comb(trials, k) for k in range(trials + 1)]
    as_rare = sum(weight for weight in weights if weight <= weights[wins])
    assert mcnemar(wins, losses) == pytest.approx(as_rare / 2**trials)
    assert mcnemar(wins, losses) == mcnemar(losses, wins)


def test_a_failed_item_counts_as_wrong_and_its_numbers_are_left_out() -> None:
    first = rows(row("1", right=True, steps=4), row("2", right=True, steps=6))
    second = rows(row("1", error="[model] no"), row("2", right=True, steps=3))
    by_name = {one.measure: one for one in compare(first, second).differences}
    assert (by_name["right"].wins, by_name["right"].items) == (1, 2)
    assert (by_name["steps"].items, by_name["steps"].difference.value) == (1, 3)
    assert by_name["tokens"].items == by_name["seconds"].items == 2


def test_a_measure_that_an_item_does_not_have_is_no_failure_of_it() -> None:
    first = rows(row("1", right=True, action=True), row("2", right=True))
    second = rows(row("1", right=True, action=False), row("2", right=False))
    by_name = {one.measure: one for one in compare(first, second).differences}
    assert (by_name["action"].items, by_name["action"].first) == (1, 1.0)


def test_items_of_one_file_alone_are_counted_and_said() -> None:
    found = compare(bits("111"), bits("10"))
    assert (found.only_first, found.only_second) == (1, 0)
    assert comparison_report(found).notes[0].endswith("1 in the first, 0 in the second")


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(InputError, match="rows of one benchmark"):
        compare(bits("1"), rows(row("0"), benchmark="other"))
    with pytest.raises(InputError, match="no item in common"):
        compare(bits("1"), rows(row("x")))
    with pytest.raises(InputError, match="another task"):
        compare(bits("1"), rows(row("0", task="u", right=True)))


def test_of_two_runs_that_passed_the_shorter_one_wins() -> None:
    def run(passed: bool, steps: int) -> Measures:
        return {"passed": passed, "steps": steps}

    pairs = [
        (run(True, 5), run(False, 1)),
        (run(True, 2), run(True, 3)),
        (run(True, 3), run(True, 2)),
        (run(False, 1), run(False, 9)),
    ]
    rate = win_rate(pairs)
    assert [one.value for one in rate] == [0.5, 0.25, 0.25]


def test_a_report_shows_every_measure_and_can_be_merged() -> None:
    first = rows(row("1", passed=True, steps=4))
    report = comparison_report(compare(first, first))
    assert [len(section.lines) for section in report.sections] == [1, 3, 1]
    both = merge_reports([report, report, Report(sections=())])
    assert [len(section.lines) for section in both.sections] == [2, 6, 2]
    assert table_of(both.sections[0]).row_count == 2
