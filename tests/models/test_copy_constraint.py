"""Replies held to what was read: plans name tools that exist, calls take values that the prompt has."""

import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from llguidance import LLMatcher, LLTokenizer
from tests.models.test_decoding import Hashing, parsed
from tests.training.small_run import runs

from toolmint.core.messages import SystemMessage, ToolSpec, UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.values import Value
from toolmint.models.copy_constraint import is_copy_constrained, plan_grammar
from toolmint.models.decoding import Writer
from toolmint.models.grammar import CallGrammars, call_grammar
from toolmint.models.text_model import DecoderModel
from toolmint.roles.marked import END_MARK, call_text
from toolmint.training.tokenizer import Tokenizer

pytestmark = pytest.mark.anyio
READ = 'the film "Blue Dawn" (MV123) for Ada Okafor, 3 days from 2026-03-04, 12.5 each'


def tool(name: str, **properties: dict[str, Value]) -> ToolSpec:
    shape: dict[str, Any] = {"type": "object", "properties": properties, "required": [*properties]}
    return ToolSpec(name=name, description="", parameters=shape)


RENT = tool(
    "rent_film",
    film={"type": "string"},
    days={"type": "integer", "minimum": 1},
    day={"type": "string", "format": "date"},
    kind={"type": "string", "enum": ["tape", "disc"]},
    again={"type": "boolean"},
    others={"type": "array", "items": {"type": "string"}},
)


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return Tokenizer.train(runs(20), 700)


def grammars(words: Tokenizer, *, copy_constraint: bool = True) -> CallGrammars:
    end = words.token(END_MARK)
    assert end is not None
    return CallGrammars(words.text, end, words.size, copy_constraint=copy_constraint)


def model(words: Tokenizer, wild: int) -> DecoderModel:
    class Codec:
        encode, decode = words.encode, words.decode

    end = words.token(END_MARK)
    assert end is not None
    decoder = Hashing(words.size, wild=wild)
    return DecoderModel("m", Writer(decoder, end), Codec(), guides=grammars(words).guide)


def request(*tools: ToolSpec, choice: str, read: str = READ) -> ModelRequest:
    messages = (SystemMessage(content="forbidden "), UserMessage(content=read))
    return parsed("").model_copy(
        update={"messages": messages, "tools": tools, "tool_choice": choice, "max_tokens": 400}
    )


async def test_however_wild_the_scores_a_call_takes_what_was_read_and_nothing_else(
    words: Tokenizer,
) -> None:
    done = 0
    for wild in range(30):
        reply = await model(words, wild).complete(request(RENT, choice="required"))
        if reply.finish_reason == "length":
            continue  # wild scores may list other films without end
        call = json.loads(reply.content)
        jsonschema.validate(call["arguments"], dict(RENT.parameters))
        given = call["arguments"]
        assert {"rent_film", "2026-03-04"} == {call["name"], given["day"]}
        assert given["days"] == 3
        assert all(
            text and text in READ and '"' not in text for text in (given["film"], *given["others"])
        )
        done += 1
    assert done >= 10


async def test_however_wild_the_scores_a_plan_names_tools_that_exist_and_values_that_were_read(
    words: Tokenizer,
) -> None:
    named, quoted = set[str](), set[str]()
    for wild in range(60):
        reply = await model(words, wild).complete(request(RENT, tool("list_films"), choice="none"))
        named |= set(re.findall(r"`([^`]*)`", reply.content))
        text = re.sub(r"`[^`]*`", "", reply.content)
        quoted |= set(re.findall(r'"([^"]*)"', text))
    assert named <= {"rent_film", "list_films"}
    assert named
    assert quoted
    assert all(value and value in READ for value in quoted)


async def test_a_tool_that_needs_what_was_not_read_is_called_as_its_schema_says(
    words: Tokenizer,
) -> None:
    asks = tool("guess", number={"type": "integer"})
    reply = await model(words, 1).complete(request(asks, choice="required", read="no number"))
    call = json.loads(reply.content)
    assert isinstance(call["arguments"]["number"], int)


@pytest.fixture(scope="module")
def fits(words: Tokenizer) -> Callable[[str, str], bool]:
    """Tell whether a whole reply follows a grammar."""
    end = words.token(END_MARK)
    assert end is not None
    tokens = LLTokenizer(words.text, n_vocab=words.size, eos_token=end)

    def fit(grammar: str, text: str) -> bool:
        matcher = LLMatcher(tokens, LLMatcher.grammar_from_lark(grammar), log_level=0)
        assert not matcher.is_error(), matcher.get_error()
        ids = [*words.encode(text), end]
        return matcher.validate_tokens(ids) == len(ids)

    return fit


@pytest.mark.parametrize(
    ("plan", "allowed"),
    [
        ('`find` was the wrong tool. Now the film: `find_film` with "Blue Dawn".', True),
        ("`find` was the wrong tool. `find_film` does not work. Now: `find_film`.", True),
        ('`find` was the wrong tool. Now the film: `find` with "Blue Dawn".', False),
        ('The film "Blue Dawn": `find_film` does not work. `find`, or `find_film`.', False),
    ],
)
@pytest.mark.parametrize("more", [0, 1, 40])
def test_the_tool_that_a_plan_names_first_is_not_named_again_in_it(
    fits: Callable[[str, str], bool], plan: str, allowed: bool, more: int
) -> None:
    tools = [*(tool(f"other_{number}") for number in range(more)), tool("find"), tool("find_film")]
    for order in (tools, tools[::-1]):
        assert fits(plan_grammar(order, READ), plan) is allowed


def test_a_plan_with_one_tool_may_name_it_once(fits: Callable[[str, str], bool]) -> None:
    grammar = plan_grammar([RENT], READ)
    assert fits(grammar, 'Now `rent_film` with "Blue Dawn", "3".')
    assert not fits(grammar, "`rent_film` was wrong. Now `rent_film`.")


def test_the_reference_plays_within_the_grammar(fits: Callable[[str, str], bool]) -> None:
    calls = 0
    for run in runs(12):
        read = run.task.input
        for step in run.path():
            assert fits(plan_grammar(run.task.tools, read), f"{step.thought}\nNext: caller")
            for call, result in zip(step.calls, step.results, strict=True):
                assert fits(
                    call_grammar(run.task.tools, read=read), call_text(call, run.task.tools)
                )
                read += f"\n{result.content}"
                calls += 1
    assert calls > 10


def test_without_holding_only_a_demanded_call_has_a_grammar(words: Tokenizer) -> None:
    free = grammars(words, copy_constraint=False)
    assert free.guide(request(RENT, choice="none")) is None
    assert free.guide(request(RENT, choice="required")) is not None
    assert grammars(words).guide(request(choice="none")) is None


def test_a_folder_from_before_the_key_was_renamed_is_constrained_as_well() -> None:
    assert is_copy_constrained({"held_replies": True})
    assert is_copy_constrained({"copy_constraint": True})
    assert not is_copy_constrained({"held_replies": True, "copy_constraint": False})
    assert not is_copy_constrained({})
