"""Made tools as an agent's tools: ``solve`` and ``render`` run in the sandbox."""

import json
import re
from collections.abc import Iterable
from typing import Any, cast

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.sandbox import FunctionCall, Given, Program, Ref, RunLimits, Sandbox
from toolmint.core.tool import ToolRecord
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical, clip

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (list, "array"),
    (dict, "object"),
)
_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]+")


def _kind(value: Value) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")


def uses_of(record: ToolRecord) -> list[tuple[str, dict[str, Value]]]:
    """Return the example requests with their arguments that the maker's wrapping kept.

    Raises:
        ToolError: the tool was made under the ``latm`` profile, so its arguments are unknown, or it is a
            learned one, which has none.
    """
    if record.learned:
        raise ToolError(
            f"{record.label!r} is a learned tool: it reads whole requests and has no arguments; "
            "an agent can call proved tools only",
            code="tool-learned",
        )
    if record.profile == "latm":
        raise ToolError(
            f"{record.label!r} was made under the latm profile, without named arguments; "
            "an agent can call proved tools only",
            code="tool-latm",
        )
    return [(str(one[0]), one[1]) for one in cast("list[Any]", json.loads(record.wrap))]


def parameters_of(uses: Iterable[dict[str, Value]]) -> dict[str, Value]:
    """Return a JSON Schema inferred from examples: the types seen; required if present in all of them."""
    shown = list(uses)
    properties: dict[str, Value] = {}
    for name in dict.fromkeys(name for use in shown for name in use):
        values = [use[name] for use in shown if name in use]
        kinds = sorted({_kind(value) for value in values})
        if kinds == ["integer", "number"]:
            kinds = ["number"]
        example = clip(canonical(values[0]), 120)
        properties[name] = {
            "type": kinds[0] if len(kinds) == 1 else cast("Value", kinds),
            "description": f"such as {example}",
        }
    required = [name for name in properties if all(name in use for use in shown)]
    return {
        "type": "object",
        "properties": properties,
        "required": cast("Value", required),
        "additionalProperties": False,
    }


class MadeTool:
    """One version of a made tool, callable by an agent.

    The agent's arguments go to ``solve`` directly, so no parser and no round trip is involved.

    Args:
        record: the version.
        sandbox: where it runs.
        owner: the tenant whose arguments it gets, which lets it keep a process; None: each call may be of
            another one, and has a process of its own.
        seconds: of one call.

    Raises:
        ToolError: the tool was made under the ``latm`` profile.
    """

    def __init__(
        self,
        record: ToolRecord,
        sandbox: Sandbox,
        *,
        owner: str | None = None,
        seconds: float = 2.0,
    ) -> None:
        uses = uses_of(record)
        self._record, self._sandbox, self._owner = record, sandbox, owner
        calls = (
            FunctionCall(function=record.entry, spread=Given()),
            FunctionCall(function="render", arguments=(Given(), Ref(ref=0))),
        )
        limits = RunLimits(seconds=seconds)
        self._program = Program(source=record.source, calls=calls, limits=limits)
        example = clip(uses[0][0], 300) if uses else ""
        self.spec = ToolSpec(
            name=_ILLEGAL.sub("_", record.request_class)[:64],
            description=f"Answers requests of the class {record.request_class!r}, such as: {example}",
            parameters=parameters_of(args for _, args in uses),
            read_only=True,
        )

    async def call(self, call: ToolCall) -> ToolResult:
        """Run ``solve`` and ``render``; the observation is the rendered answer."""
        args = call.parsed()
        if self._owner is None:
            result = await self._sandbox.run(self._program.run(args))
        else:
            result = await self._sandbox.call(self._program, args, self._owner)
        if result.status != "ok":
            text = f"{self._record.label}: {result.error}: {result.message}"
            return failed_result(call, f"tool-{result.status}", clip(text, 600), result.seconds)
        return ToolResult(
            call_id=call.id,
            content=str(result.value[1]),
            data=result.value[0],
            seconds=result.seconds,
        )
