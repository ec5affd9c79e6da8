"""Phrases as one token: what they may be, what they save, and that nothing that is copied is in them."""

import pytest

from toolmint.core.model import ModelRequest
from toolmint.core.task import Trajectory
from toolmint.models.grammar import CallGrammars
from toolmint.roles.marked import END_MARK, Marked, pieces_of
from toolmint.roles.reading import read_plan
from toolmint.roles.view import View
from toolmint.training.phrase_tokens import is_joinable
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import Reference, play_task

pytestmark = pytest.mark.anyio
VOCABULARY, PHRASES = 1200, 60


def texts_of(run: Trajectory) -> list[str]:
    return [piece.text for piece in pieces_of(run.task, run.path())]


@pytest.fixture(scope="module")
async def runs(anyio_backend: str) -> list[Trajectory]:
    return [(await play_task(task, Reference(task)))[0] for task in make_tasks("train", 60)]


@pytest.fixture(scope="module")
def tokenizer(runs: list[Trajectory]) -> Tokenizer:
    found = Tokenizer.train(runs, VOCABULARY)
    found.add_phrases([texts_of(run) for run in runs[:40]], PHRASES)
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
    assert is_joinable(text) is may


def test_phrases_shorten_runs_that_they_were_not_learnt_from(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    plain = Tokenizer.train(runs, VOCABULARY)
    assert VOCABULARY < tokenizer.size <= VOCABULARY + PHRASES
    texts = [text for run in runs[40:] for text in texts_of(run)]
    short, long = (sum(len(one.encode(text)) for text in texts) for one in (tokenizer, plain))
    assert short < 0.85 * long
    assert all(tokenizer.decode(tokenizer.encode(text)) == text for text in texts)


def test_a_name_has_the_same_tokens_in_its_document_in_a_plan_and_in_a_call(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    for tool in runs[0].task.tools:
        name = tokenizer.token_texts(tool.name)
        for text in (f"for an id. {tool.name}(", f"Now the `{tool.name}` with", f'"{tool.name}","'):
            split = tokenizer.token_texts(text)
            assert any(split[at : at + len(name)] == name for at in range(len(split))), text


def test_a_copy_constrained_reply_is_written_in_the_tokens_that_training_read(
    runs: list[Trajectory], tokenizer: Tokenizer
) -> None:
    end = tokenizer.token(END_MARK)
    assert end is not None
    grammars = CallGrammars(tokenizer.text, end, tokenizer.size, copy_constraint=True)
    for run in runs[40:]:
        for place, step in enumerate(run.path()):
            if not step.calls:
                continue
            plan = read_plan(step.turns[0].answer.content)
            view = View(run.task, run.path()[:place], step.hints, plan)
            prompt = Marked().prompt("caller", view)
            whole = "".join(texts_of(run))
            ids = tokenizer.encode(whole[len(prompt.text) :].partition(END_MARK)[0])
            guide = grammars.guide(
                ModelRequest(messages=prompt.messages, tools=prompt.tools, tool_choice="required")
            )
            assert guide is not None
            written = guide.forced()
            while len(written) < len(ids):
                assert guide.allowed()[ids[len(written)]]
                written += [ids[len(written)], *guide.take(ids[len(written)])]
            assert written[: len(ids)] == ids
