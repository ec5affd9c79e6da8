"""Replies token by token: kept caches, stop words, streams, grammars that hold whatever the scores are."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, cast

import jsonschema
import numpy as np
import pytest
from numpy.typing import NDArray
from tests.training.small_run import runs

from toolmint.core.errors import ContextOverflow
from toolmint.core.messages import ToolSpec, UserMessage
from toolmint.core.model import ModelRequest
from toolmint.core.values import Value
from toolmint.models.decoding import PrefixCache, Writer
from toolmint.models.grammar import CallGrammars
from toolmint.models.text_model import DecoderModel
from toolmint.roles.marked import END_MARK
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks

pytestmark = pytest.mark.anyio


class Hashing:
    """Scores the next token by a hash of all tokens so far, so that a wrong cache shows at once."""

    context = 4000

    def __init__(self, size: int, *, wild: int = 0) -> None:
        self.size, self.wild, self.read = size, wild, 0

    def start(self) -> list[int]:
        return []

    def feed(
        self,
        cache: list[int],
        kept: int,
        ids: Sequence[int],
        *,
        activated: bool = False,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        assert kept <= len(cache)
        cache[kept:] = ids
        self.read += len(ids)
        seed = hash((*cache, self.wild)) % 2**32
        return np.random.default_rng(seed).random(self.size, dtype=np.float32)


class Letters:
    """One token a character."""

    def encode(self, text: str) -> list[int]:
        return [ord(letter) % 100 for letter in text]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(65 + token % 26) for token in ids)


def letters(decoder: Hashing, caches: int = 8) -> DecoderModel:
    return DecoderModel("m", Writer(decoder, 99, PrefixCache(decoder, caches)), Letters())


def parsed(text: str, **given: Any) -> ModelRequest:
    return ModelRequest(
        messages=(UserMessage(content=text),), **cast("dict[str, Any]", {"max_tokens": 30} | given)
    )


@pytest.fixture(scope="module")
def words() -> Tokenizer:
    return Tokenizer.train(runs(20), 700)


async def test_a_kept_cache_changes_nothing_but_what_is_read() -> None:
    kept, fresh = Hashing(100), Hashing(100)
    model = letters(kept)
    conversation = "tools and a task"
    for turn in range(6):
        one = await model.complete(parsed(conversation))
        other = await letters(fresh).complete(parsed(conversation))
        assert one.content == other.content
        assert one.usage.input_tokens == len(conversation)
        assert (one.usage.cached_tokens > 0) == (turn > 0)
        conversation += f" and the observation of turn {turn}"
    assert kept.read < fresh.read


async def test_conversations_take_turns_and_keep_their_caches() -> None:
    decoder = Hashing(100)
    model = letters(decoder, caches=2)
    first, second = "a" * 300, "b" * 300
    for text in (first, second):
        await model.complete(parsed(text, max_tokens=1))
    for text in (first + "x", second + "x", first + "xy"):
        reply = await model.complete(parsed(text, max_tokens=1))
        assert reply.usage.cached_tokens >= 300


async def test_a_stop_word_ends_a_reply_and_is_left_out() -> None:
    whole = (await letters(Hashing(100)).complete(parsed("go"))).content
    word = whole[5:7]
    cut = await letters(Hashing(100)).complete(parsed("go", stop=(word,)))
    assert cut.content == whole[: whole.index(word)]
    assert cut.finish_reason == "stop"


async def test_the_pieces_of_a_stream_add_up_to_its_reply() -> None:
    model = letters(Hashing(100))
    deltas = [delta async for delta in model.stream(parsed("go"))]
    assert deltas[-1].response is not None
    assert "".join(delta.text for delta in deltas) == deltas[-1].response.content
    assert len(deltas) > 10


async def test_a_stream_that_is_left_frees_the_model() -> None:
    decoder = Hashing(100)
    model = letters(decoder)
    streaming = model.stream(parsed("go", max_tokens=3000))
    async for _ in streaming:
        break
    await streaming.aclose()  # type: ignore[attr-defined]
    assert decoder.read < 3000
    assert (await asyncio.wait_for(model.complete(parsed("go")), 10)).content


async def test_the_same_seed_draws_the_same_reply() -> None:
    model = letters(Hashing(100))
    drawn = [
        (await model.complete(parsed("go", temperature=1.0, seed=seed))).content
        for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


async def test_a_prompt_that_leaves_no_tokens_for_a_reply_says_so() -> None:
    with pytest.raises(ContextOverflow, match=r"the prompt has 4000 tokens, 'm' reads 4000"):
        await letters(Hashing(100)).complete(parsed("a" * 4000))


class _WordsCodec:
    def __init__(self, words: Tokenizer) -> None:
        self.encode, self.decode = words.encode, words.decode


def guided(words: Tokenizer, wild: int) -> DecoderModel:
    end = words.token(END_MARK)
    assert end is not None
    grammars = CallGrammars(words.text, end, words.size)
    decoder = Hashing(words.size, wild=wild)
    return DecoderModel("m", Writer(decoder, end), _WordsCodec(words), guides=grammars.guide)


async def test_however_wild_the_scores_a_call_is_of_a_known_tool_and_fits_its_schema(
    words: Tokenizer,
) -> None:
    called: set[str] = set()
    for wild, task in enumerate(make_tasks("unseen", 25, seed=50)):
        tools = task.task().tools
        demand = parsed("call", tools=tools, tool_choice="required", max_tokens=3000)
        reply = await guided(words, wild).complete(demand)
        if reply.finish_reason == "length":
            continue  # wild scores may write a text without end
        call = json.loads(reply.content)
        spec = {tool.name: tool for tool in tools}[call["name"]]
        jsonschema.validate(call["arguments"], dict(spec.parameters))
        called.add(call["name"])
    assert len(called) >= 10


async def test_a_tool_without_arguments_is_called_without_choosing(words: Tokenizer) -> None:
    tool = ToolSpec(name="ping", description="", parameters={"type": "object", "properties": {}})
    model = guided(words, 0)
    reply = await model.complete(parsed("call", tools=(tool,), tool_choice="required"))
    assert reply.content == '{"name":"ping","arguments":{}}'


async def test_a_schema_that_no_grammar_can_take_still_binds_name_and_kinds(
    words: Tokenizer,
) -> None:
    strange: dict[str, Value] = {
        "type": "object",
        "required": ["n"],
        "properties": {"n": {"type": "integer", "not": {"const": 3}, "maximum": 9, "minimum": 0}},
    }
    tool = ToolSpec(name="strange", description="", parameters=strange)
    for wild in range(5):
        model = guided(words, wild)
        reply = await model.complete(parsed("call", tools=(tool,), tool_choice="required"))
        call = json.loads(reply.content)
        assert call["name"] == "strange"
        assert 0 <= call["arguments"]["n"] <= 9
