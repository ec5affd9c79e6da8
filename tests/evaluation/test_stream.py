"""Labelled streams: how they are made, what is counted, the caches, and the gateway's logic over them."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.evaluation.intents import INTENTS, shop

from toolmint.assembly.settings import Settings
from toolmint.assembly.streaming import GatewayPlayer
from toolmint.core.errors import InputError
from toolmint.core.tool import Demonstration
from toolmint.evaluation.runner import run as run_benchmark
from toolmint.evaluation.stream import (
    PlayedRequest,
    StreamOutcome,
    StreamPlan,
    StreamPlayer,
    StreamRequest,
    outcome_of,
    stream_of,
)
from toolmint.evaluation.stream_benchmark import LabelledStream, StreamSolver
from toolmint.evaluation.stream_caches import AlwaysStrong, ExactCache, SimilarityCache
from toolmint.evaluation.stream_data import read_labelled
from toolmint.evaluation.stream_plot import plot, spark

TOOLMINT = Path(sys.executable).with_name("toolmint")
SHOP = shop(600)
LABEL_OF = {one.input: one.target for one in SHOP}


def pairs(stream: list[StreamRequest]) -> list[tuple[str, str]]:
    return [(one.text, one.label) for one in stream]


def test_a_seed_fixes_the_order_of_a_stream() -> None:
    one, same, other = (stream_of(SHOP, StreamPlan(), seed) for seed in (1, 1, 2))
    assert one == same != other
    assert sorted(pairs(one)) == sorted(pairs(other))
    assert all(request.strong == request.label for request in one)


def test_labels_that_change_half_way_change_to_one_another() -> None:
    stream = stream_of(SHOP, StreamPlan(change_half=True), 3)
    first, second = stream[:300], stream[300:]
    assert all(one.label == LABEL_OF[one.text] for one in first)
    moved = {(LABEL_OF[one.text], one.label) for one in second}
    assert all(before != after for before, after in moved)
    assert len(moved) == len({after for _, after in moved}) == len(INTENTS)


def test_unseen_intents_come_in_the_second_half_alone() -> None:
    stream = stream_of(SHOP, StreamPlan(unseen=2), 4)
    fresh = {one.label for one in stream if one.fresh}
    assert len(fresh) == 2 and len(stream) == 600
    assert not fresh & {one.label for one in stream[:300]}
    assert sorted(pairs(stream)) == sorted(pairs(stream_of(SHOP, StreamPlan(), 4)))


def test_noise_is_the_strong_models_and_not_the_labels() -> None:
    stream = stream_of(SHOP, StreamPlan(noise=0.1), 5)
    wrong = [one for one in stream if one.strong != one.label]
    assert 30 <= len(wrong) <= 90
    assert {one.strong for one in wrong} <= set(INTENTS)


@pytest.mark.parametrize(
    ("labels", "plan"), [(1, StreamPlan()), (3, StreamPlan(unseen=2)), (2, StreamPlan(unseen=1))]
)
def test_a_stream_of_too_few_labels_is_refused(labels: int, plan: StreamPlan) -> None:
    few = [Demonstration(input=f"{number}", target=f"{number % labels}") for number in range(30)]
    with pytest.raises(InputError, match=f"the stream has {labels} label") as refused:
        stream_of(few, plan, 0)
    assert refused.value.code == "stream-labels"


def test_what_is_answered_and_what_of_it_is_wrong_is_counted() -> None:
    stream = [
        StreamRequest(f"{place}", "a", "b" if place == 7 else "a", False) for place in range(40)
    ]
    played = [
        PlayedRequest("a", strong=True)
        if place < 4
        else PlayedRequest("b" if place in {5, 39} else "a", strong=False, serving="x v1")
        for place in range(40)
    ]
    found = outcome_of(stream, played)
    whole = found.whole
    assert (whole.requests, whole.answered, whole.strong) == (40, 36, 4)
    assert (whole.wrong, whole.disagreed) == (2, 3)
    assert (found.last.requests, found.last.wrong) == (8, 1)
    assert [(one.at, one.serving) for one in found.changes] == [(4, "x v1")]


def test_answers_of_the_old_version_after_the_middle_are_counted_until_it_is_gone() -> None:
    stream = [StreamRequest("q", "a", "a", False)] * 20
    serving = ["v1"] * 13 + [""] * 3 + ["v2"] * 4
    played = [PlayedRequest("a", strong=not one, serving=one) for one in serving]
    found = outcome_of(stream, played)
    assert (found.stale, found.back) == (3, 7)
    never = outcome_of(stream, [PlayedRequest("a", strong=True)] * 20)
    assert (never.stale, never.back) == (None, None)


async def answered(player: StreamPlayer, texts: list[tuple[str, str]]) -> list[str | None]:
    """Return a cache's own answers, None where it asks the strong model."""
    stream = [StreamRequest(text, label, label, False) for text, label in texts]
    return [None if one.strong else one.answer for one in await player.play(stream, 0)]


def test_caches_repeat_what_they_have_seen() -> None:
    texts = [
        ("where is my lamp", "track"),
        ("where is my lamp", "lost"),
        ("where is my blue lamp", "track"),
        ("refund the kettle", "refund"),
    ]
    assert asyncio.run(answered(AlwaysStrong(), texts)) == [None] * 4
    assert asyncio.run(answered(ExactCache(), texts)) == [None, "track", None, None]
    alike = asyncio.run(answered(SimilarityCache(0.7), texts))
    assert alike == [None, "track", "track", None]
    assert asyncio.run(answered(SimilarityCache(1.0), texts[2:])) == [None, None]
    many = [(one.input, one.target or "") for one in shop(300, 1)]
    loose, strict = (asyncio.run(answered(SimilarityCache(at), many)) for at in (0.5, 0.9))
    assert sum(one is not None for one in loose) > sum(one is not None for one in strict) > 0


def test_the_gateways_logic_learns_a_stream_and_keeps_the_bound() -> None:
    benchmark = LabelledStream(SHOP, StreamPlan(), 1, epsilon=0.05)
    player = GatewayPlayer(Settings())
    (row,) = asyncio.run(run_benchmark(benchmark, StreamSolver(benchmark, player)))
    assert row.error is None and row.passed("kept")
    outcome = StreamOutcome.model_validate(row.details)
    assert outcome.last.answered > 60 and outcome.windows[0].answered == 0
    assert outcome.changes and " v" in outcome.changes[0].serving
    assert outcome.whole.strong + outcome.whole.answered == 600
    assert row.usage.requests == outcome.whole.strong
    report = benchmark.summary([row])
    assert [one.name for one in report.sections[0].lines] == ["solver"]
    assert report.sections[0].lines[0].cells["over 0.05"] == "0 of 1"


def test_curves_are_drawn_as_text() -> None:
    assert spark([0, 0.5, 1, 2]) == "▁▅██"
    chart = plot({"mine": [0.0, 1.0], "other": [0.5, 0.5]}, "coverage").splitlines()
    assert chart[0] == "coverage" and chart[1] == " 100 % |    a"
    assert chart[6] == "  50 % | b  b" and chart[-1].endswith("a mine, b other")


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    lines = (json.dumps({"input": one.input, "target": one.target}) for one in SHOP)
    (tmp_path / "shop.jsonl").write_text("\n".join(lines))

    def call(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [TOOLMINT, "eval", "stream", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            check=False,
            timeout=600,
        )

    return call


def test_the_command_compares_and_takes_up_where_it_was(run: Run, tmp_path: Path) -> None:
    words = ("shop.jsonl", "--first", "80", "--call-cost", "0.01", "-o", "rows.jsonl")
    done = run(*words, "--report", "figures.json")
    assert done.returncode == 0, done.stderr
    assert "similarity cache 0.8" in done.stdout and "saved $" in done.stdout
    assert "no published figure on these data" in done.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    names = [line["name"] for line in figures["sections"][0]["lines"]]
    assert names[:3] == ["toolmint", "always strong", "exact cache"]
    again = run(*words, "--seeds", "2")
    assert "1 of 2 rows were in rows.toolmint.jsonl already" in again.stdout
    other = run(*words, "--noise", "0.1")
    assert other.returncode == 1 and "error [rows-other]" in other.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("one.jsonl", '{"input": "a", "target": "x"}\n', "error [stream-labels]: the stream has 1"),
        ("odd.csv", "question,answer\na,b\n", "error [stream-columns]: 'odd.csv' has the columns"),
        ("gap.csv", "text,category\n,b\n", "error [input]: gap.csv:2: "),
        ("none.jsonl", "", "error [demonstrations-few]"),
    ],
)
def test_a_file_that_is_no_stream_is_one_clear_line(
    run: Run, tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    done = run(name)
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith(said), line


def test_comma_separated_files_are_read_with_the_columns_of_banking77(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text('text,category\n"Where, please, is it?",track\nRefund!,refund\n')
    first, second = read_labelled(path)
    assert (first.input, first.target) == ("Where, please, is it?", "track")
    assert (second.input, second.target) == ("Refund!", "refund")
