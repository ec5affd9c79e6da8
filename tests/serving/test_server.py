"""Which tool answers, which is compared: serving before shadowing, and only what a parser took."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.maker.tools import RIGHT, demos

from toolmint.core.errors import ModelError, SandboxError
from toolmint.core.model import ModelRequest
from toolmint.core.namespace import Namespace
from toolmint.core.sandbox import Program, SandboxResult, SandboxRun
from toolmint.core.tool import Demonstration, Provenance, State, ToolRecord
from toolmint.core.values import Value
from toolmint.models.scripted import AnsweringModel
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.error_bound import ErrorBound
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.server import ToolServer
from toolmint.serving.servers import Storage, ToolServers
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
SORTING = [one.input for one in demos(20, seed=5)]
LONGER = RIGHT.replace("order: ([a-z]", "order, the longest first: ([a-z]").replace(
    'order: " +', 'order, the longest first: " +'
)
LONGEST = "Put these words into alphabetical order, the longest first: fig, apple."
"""A request whose wording is the sorting class's, with more words in it."""


def record(name: str, source: str, examples: list[str]) -> ToolRecord:
    return ToolRecord(
        request_class=name,
        source=source,
        has_parser=True,
        demonstrations=tuple(Demonstration(input=text, target="x") for text in examples),
        provenance=Provenance(model="m", demonstrations_digest="d", prompts_digest="p"),
    )


@asynccontextmanager
async def serving(
    folder: Path,
    sandbox: ForkServer,
    tools: dict[str, tuple[str, list[str], State]],
    policy: ServingPolicy | None = None,
) -> AsyncGenerator[ToolServer]:
    store = SqlStore.open(folder / "tools.db")
    try:
        mine = store.namespace(Namespace())
        for name, (source, examples, state) in tools.items():
            await mine.add(record(name, source, examples), state, "for a test")
        storage = Storage(store, store.live, store.traffic, store.traffic)
        servers = ToolServers(storage, sandbox, policy or ServingPolicy(audit_rate=0.001))
        yield await servers.of(Namespace())
    finally:
        store.close()


async def test_a_serving_tool_answers_though_a_shadowing_one_is_more_alike(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    tools: dict[str, tuple[str, list[str], State]] = {
        "longest": (LONGER, [LONGEST], "serving"),
        "sorting": (RIGHT, [LONGEST, *SORTING], "shadowing"),
    }
    async with serving(tmp_path, sandbox, tools) as server:
        found = await server.lookup(LONGEST)
        assert found.mode in {"serve", "audit"} and found.entry is not None
        assert found.entry.record.request_class == "longest" and found.answer == "apple, fig"


async def test_shadow_is_said_only_of_what_the_shadowing_parser_took(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    tools: dict[str, tuple[str, list[str], State]] = {"sorting": (RIGHT, SORTING, "shadowing")}
    async with serving(tmp_path, sandbox, tools) as server:
        taken, other = await server.lookup(SORTING[0]), await server.lookup(LONGEST)
        assert taken.mode == "shadow" and taken.answer is not None
        assert other.mode == "none" and other.entry is None
        assert await server.compare(other, LONGEST, "apple, fig", keep=True) is None


async def test_many_shadowing_classes_do_not_keep_a_serving_one_from_being_tried(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    tools: dict[str, tuple[str, list[str], State]] = {
        f"shadow-{number}": (RIGHT.replace("order:", f"order {number}:"), SORTING, "shadowing")
        for number in range(5)
    }
    tools["sorting"] = (RIGHT, ["Put these words into alphabetical order: a, b."], "serving")
    async with serving(tmp_path, sandbox, tools) as server:
        found = await server.lookup(SORTING[0])
        assert found.mode in {"serve", "audit"} and found.entry is not None
        assert found.entry.record.request_class == "sorting"


async def test_a_promotion_is_told_once_however_many_comparisons_run(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    policy = ServingPolicy(bound=ErrorBound(epsilon=0.3, confidence=0.8), audit_rate=0.001)
    tools: dict[str, tuple[str, list[str], State]] = {"sorting": (RIGHT, SORTING, "shadowing")}
    async with serving(tmp_path, sandbox, tools, policy) as server:
        found = await server.lookup(SORTING[0])
        assert found.entry is not None and found.answer is not None
        outcomes = [
            await server.compare(found, SORTING[0], found.answer, keep=True) for _ in range(20)
        ]
    said = [one.reason for one in outcomes if one is not None and one.reason]
    assert len(said) == 1 and said[0].startswith("proved: 0 of ")


async def test_the_command_lines_policy_audits_nothing(tmp_path: Path, sandbox: ForkServer) -> None:
    tools: dict[str, tuple[str, list[str], State]] = {"sorting": (RIGHT, SORTING, "serving")}
    async with serving(
        tmp_path, sandbox, tools, ServingPolicy(shadow=False, audit_rate=1)
    ) as server:
        assert {(await server.lookup(text)).mode for text in SORTING[:5]} == {"serve"}


class _BrokenSandbox:
    """A sandbox that is broken."""

    async def run(self, run: SandboxRun) -> SandboxResult:
        del run
        raise SandboxError("the fork server is gone")

    async def call(self, program: Program, given: Value, owner: str) -> SandboxResult:
        del program, given, owner
        raise SandboxError("the fork server is gone")


async def test_what_a_light_model_was_paid_stays_where_the_sandbox_breaks_after_it(
    tmp_path: Path,
) -> None:
    plain = record("sorting", "def order(words): ...", SORTING)
    light = AnsweringModel(lambda _: "```python\nans = 1\n```")
    store = SqlStore.open(tmp_path / "tools.db")
    try:
        mine = store.namespace(Namespace())
        made = plain.model_copy(update={"has_parser": False, "profile": "latm", "wrap": "uses"})
        await mine.add(made, "serving", "for a test")
        server = ToolServer(
            Namespace(), mine, store.live, _BrokenSandbox(), policy=ServingPolicy(), light=light
        )
        await server.start()
        found = await server.lookup(SORTING[0])
        assert found.mode == "none" and len(found.turns) == 1 and found.usage.requests == 1
        assert "the fork server is gone" in found.attempts[-1]
        assert server.ledger.waiting == 1
    finally:
        store.close()


async def test_a_light_model_that_is_away_names_no_class_and_fails_no_request(
    tmp_path: Path,
) -> None:
    def away(_: ModelRequest) -> str:
        raise ModelError("it is away")

    store = SqlStore.open(tmp_path / "tools.db")
    try:
        mine = store.namespace(Namespace())
        made = record("sorting", RIGHT, SORTING).model_copy(update={"has_parser": False})
        await mine.add(made, "serving", "for a test")
        policy = ServingPolicy(dispatch="model")
        light = AnsweringModel(away)
        server = ToolServer(
            Namespace(), mine, store.live, _BrokenSandbox(), policy=policy, light=light
        )
        await server.start()
        found = await server.lookup(SORTING[0])
        assert found.mode == "none" and "it is away" in found.attempts[-1]
    finally:
        store.close()
