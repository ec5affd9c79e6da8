"""The tiers one by one: what each needs, and what it says when it does not answer."""

import json
from collections.abc import Mapping
from typing import cast

from toolwright.core.messages import AssistantMessage, UserMessage
from toolwright.core.model import Model, ModelRequest, ModelResponse
from toolwright.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolwright.core.task import Role, Turn
from toolwright.core.tool import ToolRecord
from toolwright.core.values import Value
from toolwright.maker.program import Attempt, attempt, compute, guest_source
from toolwright.roles import prompts
from toolwright.roles.replies import code_in, kind_in, object_in

USE_TOKENS = 4096  # limits, not lengths: models that reason need the room
DISPATCH_TOKENS = 4096
STRONG_TOKENS = 16_384
LATM_SECONDS = 10.0


def turn_of(role: Role, request: ModelRequest, response: ModelResponse, digest: str = "") -> Turn:
    """Give the turn that a model call is."""
    return Turn(
        role=role, prompt=request.messages, answer=AssistantMessage(content=response.content),
        usage=response.usage, template_digest=digest,
    )  # fmt: skip


async def compiled(sandbox: Sandbox, record: ToolRecord, request: str) -> Attempt:
    """Tier 1: parser, round trip, computation; no model."""
    known = record.demonstrations[0].input if record.demonstrations else None
    return await attempt(sandbox, record.source, request, rehearse=known)


async def tool_user(
    sandbox: Sandbox, model: Model, record: ToolRecord, request: str
) -> tuple[Attempt, Turn]:
    """Tier 2 (LATM section 3.2): a light model reads the request, the tool computes."""
    if record.profile == "latm":
        text, digest = prompts.fill("latm_use", wrap=record.wrap, request=request), "latm_use"
    else:
        uses = [(str(one[0]), one[1]) for one in cast("list[list[Value]]", json.loads(record.wrap))]
        text, digest = prompts.proved_use(uses, request), "proved_use"
    asked = ModelRequest(messages=(UserMessage(content=text),), max_tokens=USE_TOKENS)
    response = await model.complete(asked)
    turn = turn_of("tooluser", asked, response, prompts.template_digest(digest))
    if record.profile == "latm":
        return await _use_code(sandbox, record, response.content), turn
    args = object_in(response.content)
    if args is None:
        return Attempt(status="refused", why="the light model writes no arguments"), turn
    return await compute(sandbox, record.source, args), turn


async def _use_code(sandbox: Sandbox, record: ToolRecord, reply: str) -> Attempt:
    code = code_in(reply)
    if code is None:
        return Attempt(status="refused", why="the light model writes no code")
    call = FunctionCall(function="use", arguments=(record.source, code))
    limits = RunLimits(seconds=LATM_SECONDS)
    result = await sandbox.run(
        SandboxRun(source=guest_source("trial"), calls=(call,), limits=limits)
    )
    if result.status != "ok":
        return Attempt(status="failed", why=f"{result.error}: {result.message}"[:600])
    value = result.value[0]
    answer = value if isinstance(value, str) else json.dumps(value)
    return Attempt(status="answered", why="computed by a model's call", result=value, answer=answer)


async def choose(
    model: Model, examples: Mapping[str, str], request: str
) -> tuple[str | None, Turn]:
    """LATM's dispatcher: a light model names the class, or none."""
    text = prompts.dispatch(examples, request)
    asked = ModelRequest(messages=(UserMessage(content=text),), max_tokens=DISPATCH_TOKENS)
    response = await model.complete(asked)
    turn = turn_of("dispatcher", asked, response, prompts.template_digest("dispatch"))
    return kind_in(response.content, frozenset(examples)), turn


async def strong(model: Model, request: str) -> tuple[str, Turn]:
    """Tier 4: the strong model answers the request as it stands."""
    asked = ModelRequest(messages=(UserMessage(content=request),), max_tokens=STRONG_TOKENS)
    response = await model.complete(asked)
    return response.content.strip(), turn_of("strong", asked, response)
