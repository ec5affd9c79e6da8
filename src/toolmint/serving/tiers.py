"""The tiers that ask a model: what each needs, and what it says when it does not answer."""

import json
from collections.abc import Mapping
from typing import cast

from toolmint.core.messages import AssistantMessage, UserMessage
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.sandbox import FunctionCall, RunLimits, Sandbox, SandboxRun
from toolmint.core.task import Role, Turn
from toolmint.core.tool import ToolRecord
from toolmint.core.values import Value
from toolmint.maker.program import ToolRun, compute, guest_source
from toolmint.roles import prompts
from toolmint.roles.replies import class_in, code_in, object_in

USE_TOKENS = 4096  # limits, not lengths: reasoning models write long
DISPATCH_TOKENS = 4096
STRONG_TOKENS = 16_384
LATM_SECONDS = 10.0


def turn_of(role: Role, request: ModelRequest, response: ModelResponse, digest: str = "") -> Turn:
    """Return the turn that a model call is."""
    return Turn(
        role=role,
        prompt=request.messages,
        answer=AssistantMessage(content=response.content),
        usage=response.usage,
        template_digest=digest,
    )


async def light_tier(
    sandbox: Sandbox,
    model: Model,
    record: ToolRecord,
    request: str,
    owner: str,
    *,
    turns: list[Turn],
) -> ToolRun:
    """The light tier (LATM section 3.2): a light model reads the request, the tool computes.

    The model's call is added to ``turns`` before the tool runs: it is paid even where the sandbox is broken.
    """
    if record.profile == "latm":
        text, digest = prompts.fill("latm_use", wrap=record.wrap, request=request), "latm_use"
    else:
        uses = [(str(one[0]), one[1]) for one in cast("list[list[Value]]", json.loads(record.wrap))]
        text, digest = prompts.proved_use(uses, request), "proved_use"
    parsed = ModelRequest(messages=(UserMessage(content=text),), max_tokens=USE_TOKENS)
    response = await model.complete(parsed)
    turns.append(turn_of("light", parsed, response, prompts.template_digest(digest)))
    if record.profile == "latm":
        return await _use_code(sandbox, record, response.content)
    args = object_in(response.content)
    if args is None:
        return ToolRun(status="refused", why="the light model writes no arguments")
    return await compute(sandbox, record.source, args, owner, arcs=record.guarded)


async def _use_code(sandbox: Sandbox, record: ToolRecord, reply: str) -> ToolRun:
    code = code_in(reply)
    if code is None:
        return ToolRun(status="refused", why="the light model writes no code")
    call = FunctionCall(function="use", arguments=(record.source, code))
    limits = RunLimits(seconds=LATM_SECONDS)
    result = await sandbox.run(
        SandboxRun(source=guest_source("trial"), calls=(call,), limits=limits)
    )
    if result.status != "ok":
        return ToolRun(status="failed", why=f"{result.error}: {result.message}"[:600])
    value = result.value[0]
    answer = value if isinstance(value, str) else json.dumps(value)
    return ToolRun(status="answered", why="computed by a model's call", result=value, answer=answer)


async def choose_class(
    model: Model, examples: Mapping[str, str], request: str
) -> tuple[str | None, Turn]:
    """LATM's dispatcher: a light model names the class, or none."""
    text = prompts.dispatch(examples, request)
    parsed = ModelRequest(messages=(UserMessage(content=text),), max_tokens=DISPATCH_TOKENS)
    response = await model.complete(parsed)
    turn = turn_of("dispatcher", parsed, response, prompts.template_digest("dispatch"))
    return class_in(response.content, frozenset(examples)), turn


async def strong_tier(model: Model, request: str) -> tuple[str, Turn]:
    """The strong tier: the strong model answers the request as it stands."""
    parsed = ModelRequest(messages=(UserMessage(content=request),), max_tokens=STRONG_TOKENS)
    response = await model.complete(parsed)
    return response.content, turn_of("strong", parsed, response)
