"""Replies that are written together are those that are written alone, whoever joins and leaves."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from tests.training.small_run import runs

from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.assembly.uri import model_of
from toolmint.core.errors import ContextOverflow, ModelError
from toolmint.core.messages import UserMessage
from toolmint.core.model import ModelRequest
from toolmint.models.codec import TokenizerFile
from toolmint.models.decoding import Writer
from toolmint.models.grammar import CallGrammars
from toolmint.models.local import load_decoder, local_model
from toolmint.models.scripted import ObservedModel
from toolmint.models.text_model import DecoderModel
from toolmint.models.torch_decoder import TorchDecoder
from toolmint.roles.marked import Marked
from toolmint.training.decoder import new_model
from toolmint.training.recipes import Architecture
from toolmint.training.tokenizer import Tokenizer
from toolmint.world.generate import make_tasks
from toolmint.world.players import play_task

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("batched")
    words = Tokenizer.train(runs(20), 700)
    words.save(made / "tokenizer.json")
    model = new_model(Architecture(width=64, layers=2, heads=2, inner=128), words.size, 2048, 0)
    model.config.eos_token_id = words.token("<|end|>")
    cast("Any", model).save_pretrained(str(made))
    return made


async def parsed(folder: Path) -> list[ModelRequest]:
    """Return what some tasks ask of the roles: prompts of many lengths, with and without a grammar."""
    observed = ObservedModel(model_of(f"local:{folder}"))
    policy = ThreeRolePolicy(
        observed, observed, observed, family=Marked(), sampling=Sampling(max_tokens=40)
    )
    for task in make_tasks("train", 5):
        await play_task(task, policy, ReACT(max_steps=3))
    found = [request for request, _ in observed.exchanges]
    return [one.model_copy(update={"max_tokens": 8 + 5 * at % 37}) for at, one in enumerate(found)]


class Counting(TorchDecoder):
    """Notes how many sequences it joins, or fails to."""

    def __init__(self, folder: Path, *, broken: bool = False) -> None:
        super().__init__(load_decoder(folder))
        self.joined: list[int] = []
        self.broken = broken

    def join(self, caches: Any, kept: Any) -> Any:
        if self.broken:
            raise MemoryError("no memory for keys and values")
        self.joined.append(len(kept))
        return super().join(caches, kept)


def over(decoder: Counting, folder: Path) -> DecoderModel:
    codec = TokenizerFile(folder)
    words = Tokenizer.load(folder / "tokenizer.json")
    end = words.token("<|end|>")
    assert end is not None
    grammars = CallGrammars(codec.text, end, words.size)
    return DecoderModel("counting", Writer(decoder, end), codec, guides=grammars.guide)


async def test_replies_that_are_written_together_are_those_written_alone(folder: Path) -> None:
    requests = await parsed(folder)
    assert len(requests) > 15
    alone = local_model(folder)
    expected = [await alone.complete(request) for request in requests]
    decoder = Counting(folder)
    together = over(decoder, folder)
    replies = await asyncio.gather(*(together.complete(request) for request in requests))
    assert [one.content for one in replies] == [one.content for one in expected]
    assert [one.finish_reason for one in replies] == [one.finish_reason for one in expected]
    assert max(decoder.joined) == 8
    once_more = await asyncio.gather(*(together.complete(request) for request in requests))
    assert [one.content for one in once_more] == [one.content for one in expected]
    assert sum(one.usage.cached_tokens for one in once_more) > 0, "rows give their caches back"


async def test_a_reply_that_nobody_wants_leaves_the_others_alone(folder: Path) -> None:
    requests = await parsed(folder)
    model = local_model(folder)
    expected = await model.complete(requests[1])

    async def broken_off() -> None:
        async for _ in model.stream(requests[0].model_copy(update={"max_tokens": 400})):
            break

    _, reply, again = await asyncio.gather(
        broken_off(), model.complete(requests[1]), model.complete(requests[1])
    )
    assert reply.content == again.content == expected.content


async def test_a_prompt_too_long_fails_alone(folder: Path) -> None:
    good = (await parsed(folder))[0]
    model = local_model(folder)
    expected = await model.complete(good)
    long = ModelRequest(messages=(UserMessage(content="a b " * 4000),), max_tokens=5)
    refused, reply = await asyncio.gather(
        model.complete(long), model.complete(good), return_exceptions=True
    )
    assert isinstance(refused, ContextOverflow)
    assert not isinstance(reply, BaseException)
    assert reply.content == expected.content


async def test_a_decoder_that_fails_tells_everyone_who_waits(folder: Path) -> None:
    requests = (await parsed(folder))[:4]
    model = over(Counting(folder, broken=True), folder)
    replies = await asyncio.wait_for(
        asyncio.gather(*(model.complete(one) for one in requests), return_exceptions=True), 60
    )
    faults = [one for one in replies if isinstance(one, BaseException)]
    assert faults and all(isinstance(one, ModelError) for one in faults)
    assert "no memory for keys and values" in str(faults[0])
    assert (await model.complete(requests[0])).content
