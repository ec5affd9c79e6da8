"""Constrained decoding: grammars for tool calls, built from the toolbox's schemas.

A caller's reply is then always a call of a known tool with arguments that fit its schema, so no step is lost
to malformed JSON. Models trained for it are also bound by the copy constraint (``copy_constraint``).
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from llguidance import LLMatcher, LLTokenizer
from numpy.typing import NDArray

from toolmint.core.messages import ToolSpec
from toolmint.core.model import ModelRequest
from toolmint.models.copy_constraint import (
    arguments_expression,
    plan_grammar,
    substring_rules,
)

_MAX_GRAMMARS = 32
_COMPACT_JSON = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
_PLAIN_KEYWORDS = frozenset(
    {"type", "properties", "required", "items", "enum", "const", "anyOf", "minimum", "maximum"}
)


def close_schema(schema: object, *, plain: bool = False) -> Any:  # noqa: ANN401 - JSON
    """Return a schema whose objects allow no unknown properties; ``plain`` also drops rarer keywords."""
    if isinstance(schema, list):
        return [close_schema(one, plain=plain) for one in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    given = cast("dict[str, Any]", schema)
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name == "properties" and isinstance(value, dict):
            parts = cast("dict[str, object]", value)
            found[name] = {part: close_schema(one, plain=plain) for part, one in parts.items()}
        elif name in {"items", "anyOf"}:
            found[name] = close_schema(value, plain=plain)
        elif not plain or name in _PLAIN_KEYWORDS:
            found[name] = value
    if "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _arguments(tool: ToolSpec, *, plain: bool) -> str:
    schema = close_schema(dict(tool.parameters), plain=plain)
    return f"%json {json.dumps({'type': 'object', **schema, 'x-guidance': _COMPACT_JSON})}"


def call_grammar(tools: Sequence[ToolSpec], *, plain: bool = False, read: str | None = None) -> str:
    """Return the grammar of a call of one of the tools, as Lark text.

    Args:
        tools: the tools that may be called.
        plain: drop rarer keywords of the schemas.
        read: the text that arguments must be copied from; None: any. A tool whose schema cannot express
            that is unconstrained.
    """
    rules: list[str] = []
    for number, tool in enumerate(tools):
        copied = None if read is None else arguments_expression(tool, read)
        begin = json.dumps({"name": tool.name}, ensure_ascii=False, separators=(",", ":"))[:-1]
        begin = json.dumps(f'{begin},"arguments":', ensure_ascii=False)
        rules.append(f'call{number}: {begin} {copied or _arguments(tool, plain=plain)} "}}"')
    names = " | ".join(f"call{number}" for number in range(len(tools)))
    rules += substring_rules(read) if read is not None else []
    return "\n".join([f"start: {names}", *rules])


class GrammarGuide:
    """Tracks one reply through its grammar (a ``TokenGuide``)."""

    def __init__(self, matcher: LLMatcher, size: int) -> None:
        self._matcher, self._size = matcher, size

    def allowed(self) -> NDArray[np.bool_]:
        """Return the mask of allowed next tokens, ``(vocabulary,)``, the end token included."""
        mask = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        return np.unpackbits(mask, bitorder="little")[: self._size].astype(np.bool_)

    def take(self, token: int) -> list[int]:
        """Accept a token; return and accept the tokens that must follow."""
        self._matcher.consume_token(token)
        return self.forced()

    def forced(self) -> list[int]:
        """Return and accept the tokens that must come next."""
        tokens = self._matcher.compute_ff_tokens()
        self._matcher.consume_tokens(tokens)
        return tokens


class CallGrammars:
    """Builds grammars over one tokenizer and caches those of recent toolboxes.

    Args:
        tokenizer: the content of ``tokenizer.json``.
        end: the end token.
        size: size of the vocabulary.
        copy_constraint: plans and calls must copy from the request's last message.
    """

    def __init__(
        self, tokenizer: str, end: int, size: int, *, copy_constraint: bool = False
    ) -> None:
        self._tokenizer, self._size = LLTokenizer(tokenizer, n_vocab=size, eos_token=end), size
        self._copy_constraint = copy_constraint
        self._matchers: OrderedDict[str, LLMatcher] = OrderedDict()

    def guide(self, request: ModelRequest) -> GrammarGuide | None:
        """Return the guide of a reply; None: free text.

        Required calls are guided, and plans under the copy constraint. A schema that the grammar engine
        rejects falls back to its types, names and choices, then to any object; a rejected plan grammar falls
        back to free text.
        """
        tools = request.tools
        if not tools or not (self._copy_constraint or request.tool_choice == "required"):
            return None
        if not self._copy_constraint:
            return GrammarGuide(self._cached_matcher(tools).deep_copy(), self._size)
        read = request.messages[-1].content
        grammar = (
            call_grammar(tools, read=read)
            if request.tool_choice == "required"
            else plan_grammar(tools, read)
        )
        matcher = self._read(grammar)
        if not matcher.is_error():
            return GrammarGuide(matcher, self._size)
        if request.tool_choice != "required":
            return None
        return GrammarGuide(self._cached_matcher(tools).deep_copy(), self._size)

    def _cached_matcher(self, tools: tuple[ToolSpec, ...]) -> LLMatcher:
        key = json.dumps([(tool.name, tool.parameters) for tool in tools], default=dict)
        found = self._matchers.pop(key, None) or self._matcher(tools)
        self._matchers[key] = found
        if len(self._matchers) > _MAX_GRAMMARS:
            self._matchers.popitem(last=False)
        return found

    def _matcher(self, tools: Sequence[ToolSpec]) -> LLMatcher:
        free = tuple(tool.model_copy(update={"parameters": {"type": "object"}}) for tool in tools)
        for grammar in (call_grammar(tools), call_grammar(tools, plain=True), call_grammar(free)):
            matcher = self._read(grammar)
            if not matcher.is_error():
                break
        return matcher

    def _read(self, grammar: str) -> LLMatcher:
        return LLMatcher(self._tokenizer, LLMatcher.grammar_from_lark(grammar), log_level=0)
