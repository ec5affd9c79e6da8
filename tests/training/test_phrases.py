"""Phrases as one token: what they may be, what they save, and that nothing that is copied is in them."""

import pytest

from toolwright.core.model import ModelRequest
from toolwright.core.task import Trajectory
from toolwright.models.grammar import CallGrammars
from toolwright.roles.marked import END, Marked, pieces_of
from toolwright.roles.reading import read_plan
from toolwright.roles.view import View
from toolwright.training.phrases import copyable
from toolwright.training.tokenizer import Words
from toolwright.world.generate import make_tasks
from toolwright.world.players import Reference, play

pytestmark = pytest.mark.anyio
WORDS, PHRASES = 1200, 60


def texts_of(run: Trajectory) -> list[str]:
    return [piece.text for piece in pieces_of(run.task, run.path())]


@pytest.fixture(scope="module")
async def runs(anyio_backend: str) -> list[Trajectory]:
    return [(await play(task, Reference(task)))[0] for task in make_tasks("train", 60)]


@pytest.fixture(scope="module")
def words(runs: list[Trajectory]) -> Words:
    found = Words.train(runs, WORDS)
    found.learn([texts_of(run) for run in runs[:40]], PHRASES)
    return found


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("Now the ", True),
        ('".\nNext: caller', True),
        ('{"name":"', True),
        (": string, ", True),
        (" (id, name) for a ", True),
        (": `lookup", False),  # ends inside a name
        ("Code: string)\n", False),  # begins inside one
        ("_for_", False),
        ("(id: string)\n", False),  # an argument, which a call copies
        ('","amount":', False),
        ("2027-", False),
        (" the car", False),
    ],
)
def test_a_phrase_holds_no_part_of_what_is_copied(text: str, may: bool) -> None:
    assert copyable(text) is may


def test_phrases_shorten_runs_that_they_were_not_learnt_from(
    runs: list[Trajectory], words: Words
) -> None:
    plain = Words.train(runs, WORDS)
    assert WORDS < words.size <= WORDS + PHRASES
    texts = [text for run in runs[40:] for text in texts_of(run)]
    short, long = (sum(len(one.encode(text)) for text in texts) for one in (words, plain))
    assert short < 0.85 * long
    assert all(words.decode(words.encode(text)) == text for text in texts)


def test_a_name_has_the_same_tokens_in_its_document_in_a_plan_and_in_a_call(
    runs: list[Trajectory], words: Words
) -> None:
    for tool in runs[0].task.tools:
        name = words.split(tool.name)
        for text in (f"for an id. {tool.name}(", f"Now the `{tool.name}` with", f'"{tool.name}","'):
            split = words.split(text)
            assert any(split[at : at + len(name)] == name for at in range(len(split))), text


def test_a_reply_that_is_held_is_written_in_the_tokens_that_training_read(
    runs: list[Trajectory], words: Words
) -> None:
    end = words.token(END)
    assert end is not None
    grammars = CallGrammars(words.text, end, words.size, hold=True)
    for run in runs[40:]:
        for place, step in enumerate(run.path()):
            if not step.calls:
                continue
            plan = read_plan(step.turns[0].answer.content)
            view = View(run.task, run.path()[:place], step.hints, plan)
            prompt = Marked().prompt("caller", view)
            whole = "".join(texts_of(run))
            ids = words.encode(whole[len(prompt.text) :].partition(END)[0])
            guide = grammars.guide(
                ModelRequest(messages=prompt.messages, tools=prompt.tools, tool_choice="required")
            )
            assert guide is not None
            written = guide.forced()
            while len(written) < len(ids):
                assert guide.allowed()[ids[len(written)]]
                written += [ids[len(written)], *guide.take(ids[len(written)])]
            assert written[: len(ids)] == ids
