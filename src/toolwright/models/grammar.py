"""Grammars that make a caller's reply a call of a known tool with arguments that fit its schema, and, where a
model was trained so, hold plans and calls to what was read.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray

from toolwright.core.messages import ToolSpec
from toolwright.core.model import ModelRequest
from toolwright.models import held

KEPT = 32
_COMPACT = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
_KINDS = frozenset(
    {"type", "properties", "required", "items", "enum", "const", "anyOf", "minimum", "maximum"}
)


def closed(schema: object, *, plain: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Give a schema whose objects allow no unknown names; ``plain`` leaves rarer keywords out as well."""
    if isinstance(schema, list):
        return [closed(one, plain=plain) for one in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    given = cast("dict[str, Any]", schema)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "properties" and isinstance(value, dict):
            parts = cast("dict[str, object]", value)
            found[name] = {part: closed(one, plain=plain) for part, one in parts.items()}
        elif name in {"items", "anyOf"}:
            found[name] = closed(value, plain=plain)
        elif not plain or name in _KINDS:
            found[name] = value
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _arguments(tool: ToolSpec, *, plain: bool) -> str:
    schema = closed(dict(tool.parameters), plain=plain)
    return f"%json {json.dumps({'type': 'object', **schema, 'x-guidance': _COMPACT})}"


def calls_of(tools: Sequence[ToolSpec], *, plain: bool = False, read: str | None = None) -> str:
    """Give the grammar of a call of one of some tools, as Lark text.

    Args:
        tools: those that may be called.
        plain: leave rarer keywords of the schemas out.
        read: the text that arguments must be taken from; None: they are free. A tool whose arguments
            cannot be is free as well.
    """
    rules: list[str] = []
    for number, tool in enumerate(tools):
        taken = None if read is None else held.arguments(tool, read)
        begin = json.dumps({"name": tool.name}, ensure_ascii=False, separators=(",", ":"))[:-1]
        begin = json.dumps(f'{begin},"arguments":', ensure_ascii=False)
        rules.append(f'call{number}: {begin} {taken or _arguments(tool, plain=plain)} "}}"')
    names = " | ".join(f"call{number}" for number in range(len(tools)))
    rules += held.rules(read) if read is not None else []
    return "\n".join([f"start: {names}", *rules])


class Guide:
    """Follows one reply through its grammar: which tokens may come, which must."""

    def __init__(self, matcher: LLMatcher, size: int) -> None:
        self._matcher, self._size = matcher, size

    def allowed(self) -> NDArray[np.bool_]:
        """Give which tokens may come next, by token, the end token among them."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        return np.unpackbits(mask, bitorder="little")[: self._size].astype(np.bool_)

    def take(self, token: int) -> list[int]:
        """Take a token, and give those that must follow it."""
        self._matcher.consume_token(token)
        return self.forced()

    def forced(self) -> list[int]:
        """Give the tokens that must come next, and take them."""
        tokens = self._matcher.compute_ff_tokens()
        self._matcher.consume_tokens(tokens)
        return tokens


class CallGrammars:
    """Grammars over one tokenizer; those used last are kept.

    Args:
        tokenizer: the ``tokenizer.json`` as text.
        end: the token that ends a reply.
        size: tokens that the model scores.
        hold: whether plans and calls are held to what was read, the request's last message.
    """

    def __init__(self, tokenizer: str, end: int, size: int, *, hold: bool = False) -> None:
        self._tokenizer, self._size = LLTokenizer(tokenizer, n_vocab=size, eos_token=end), size
        self._hold = hold
        self._kept: OrderedDict[str, LLMatcher] = OrderedDict()

    def guide(self, request: ModelRequest) -> Guide | None:
        """Give the guide of a reply: where a call is demanded, and of a plan where those are held.

        A schema that the grammar engine cannot take is replaced by its types, names and choices; where even
        that fails, by any object. A plan whose grammar it cannot take is free.
        """
        tools = request.tools
        if not tools or not (self._hold or request.tool_choice == "required"):
            return None
        if not self._hold:
            return Guide(self._known(tools).deep_copy(), self._size)
        read = request.messages[-1].content
        grammar = (
            calls_of(tools, read=read)
            if request.tool_choice == "required"
            else held.plan(tools, read)
        )
        matcher = self._read(grammar)
        if not matcher.is_error():
            return Guide(matcher, self._size)
        if request.tool_choice != "required":
            return None
        return Guide(self._known(tools).deep_copy(), self._size)

    def _known(self, tools: tuple[ToolSpec, ...]) -> LLMatcher:
        key = json.dumps([(tool.name, tool.parameters) for tool in tools], default=dict)
        found = self._kept.pop(key, None) or self._matcher(tools)
        self._kept[key] = found
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def _matcher(self, tools: Sequence[ToolSpec]) -> LLMatcher:
        free = tuple(tool.model_copy(update={"parameters": {"type": "object"}}) for tool in tools)
        for grammar in (calls_of(tools), calls_of(tools, plain=True), calls_of(free)):
            matcher = self._read(grammar)
            if not matcher.is_error():
                break
        return matcher

    def _read(self, grammar: str) -> LLMatcher:
        return LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
