"""The history of ``make bench``: runs are kept, read again, and compared on machines of one kind alone."""

import io
from pathlib import Path

import pytest
from benchmarks.history import (
    Entry,
    Figures,
    HistoryError,
    Machine,
    comparison,
    keep,
    last_like,
    read_history,
    this_machine,
    write_figures,
)
from rich.console import Console

HERE = Machine("Some CPU @ 2 GHz", 2, "6.1", "3.11.7", 0.5)


def entry(commit: str, machine: Machine = HERE, figures: Figures | None = None) -> Entry:
    return Entry("2026-01-01T00:00:00+00:00", commit, machine, figures or {"a": {"p50_ms": 1.0}})


def shown(before: Entry | None, now: Entry) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(comparison(before, now))
    return out.getvalue()


def test_what_is_kept_is_read_again_in_order(tmp_path: Path) -> None:
    path = tmp_path / "new" / "history.jsonl"
    assert read_history(path) == []
    for commit in ("one", "two+"):
        keep(path, entry(commit))
    assert read_history(path) == [entry("one"), entry("two+")]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "3", '{"at": "x"}', '{"at": "x", "commit": "c", "machine": {}, "figures": {}}'],
)
def test_a_line_that_is_no_run_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    keep(path, entry("one"))
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(HistoryError, match=r"history.jsonl:2 is no run"):
        read_history(path)


@pytest.mark.parametrize(
    ("other", "like"),
    [
        (HERE._replace(kernel="6.2", load=9.0, python="3.11.9"), True),
        (HERE._replace(python="3.12.1"), False),
        (HERE._replace(cores=4), False),
        (HERE._replace(cpu="Another"), False),
    ],
)
def test_machines_are_alike_by_processor_cores_and_python(other: Machine, like: bool) -> None:
    entries = [entry("old"), entry("newer"), entry("elsewhere", HERE._replace(cores=64))]
    found = last_like(entries, other)
    assert (found.commit if found else None) == ("newer" if like else None)


def test_the_change_of_each_figure_is_shown_with_what_is_new_and_gone() -> None:
    before = entry("old", figures={"a": {"p50_ms": 2.0, "hits_per_second": 100, "left": 1}})
    now = entry("now", figures={"a": {"p50_ms": 1.0, "hits_per_second": 50, "fresh": 1}})
    text = shown(before, now)
    assert "now against old" in text
    assert text.count("-50%") == 2
    assert "new" in text and "gone" in text


def test_less_time_is_better_and_fewer_answers_a_second_are_worse() -> None:
    before = entry("old", figures={"a": {"p50_ms": 2.0, "hits_per_second": 100, "steady_ms": 1.0}})
    now = entry("now", figures={"a": {"p50_ms": 1.0, "hits_per_second": 50, "steady_ms": 1.01}})
    cells = list(comparison(before, now).columns[-1].cells)
    assert cells == ["[green]-50%[/]", "[red]-50%[/]", "+1%"]


def test_a_first_run_says_so_and_a_figure_of_nothing_has_no_change() -> None:
    assert "first run on this kind of machine" in shown(None, entry("one"))
    before, now = ({"a": {"wrong": wrong}} for wrong in (0.0, 2.0))
    assert "from 0" in shown(entry("old", figures=before), entry("now", figures=now))


def test_this_machine_is_described_and_figures_are_written(tmp_path: Path) -> None:
    machine = this_machine()
    assert machine.cpu and machine.cores >= 1 and machine.kind == this_machine().kind
    write_figures(tmp_path / "figures.json", {"a_ms": 1.5})
    assert (tmp_path / "figures.json").read_text() == '{"a_ms": 1.5}'
    write_figures(None, {"a_ms": 1.5})
