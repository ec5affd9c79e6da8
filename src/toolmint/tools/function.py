"""``@tool``: a Python function as a tool; schema from the signature, descriptions from the docstring."""

import functools
import inspect
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import islice
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from docstring_parser import parse as parse_docstring
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ArgsKwargs, to_jsonable_python

from toolmint.core.errors import ToolError, ToolmintError, boundary, contained, outcome_of
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.sync import run_beside
from toolmint.core.threads import in_daemon_thread
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical

_P = ParamSpec("_P")
_R = TypeVar("_R")


_PLAIN = (str, int, float, bool, dict, list, type(None))
MOST_YIELDED = 10_000
"""Items that are taken of a tool that yields."""


def content_of(data: Value) -> str:
    """Return a value as an observation: a string unchanged, anything else as JSON."""
    return data if isinstance(data, str) else canonical(data)


class FunctionTool(Generic[_P, _R]):
    """A function that Python calls as before and that an agent calls through its specification."""

    def __init__(
        self, function: Callable[_P, _R], spec: ToolSpec, adapter: TypeAdapter[Any]
    ) -> None:
        self._function, self.spec, self._adapter = function, spec, adapter
        self._is_async = _is_async(function)
        self.__doc__ = function.__doc__

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function directly."""
        return self._function(*args, **kwargs)

    async def call(self, call: ToolCall) -> ToolResult:
        """Validate the arguments and run the function; a plain function runs in a thread.

        What the function yields is collected in a list. A thread cannot be stopped: where the caller leaves,
        the function goes on unseen.

        Raises:
            ToolError: the function raised something, or what it returns has no JSON form.
        """
        start = time.perf_counter()
        given = ArgsKwargs((), cast("dict[str, Any]", call.parsed()))
        try:
            if self._is_async:
                found = await run_beside(self._awaited(given))
            else:
                found = await in_daemon_thread(lambda: _collected(self._validated(given)))
                if inspect.isawaitable(found) or isinstance(found, AsyncIterator):
                    found = await run_beside(_resolved(cast("object", found)))
        except ValidationError as fault:
            first = fault.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return failed_result(call, "tool-arguments", f"{call.name}: {place}: {first['msg']}")
        data, text = _json_of(found)
        seconds = time.perf_counter() - start
        return ToolResult(call_id=call.id, content=text, data=data, seconds=seconds)

    def _validated(self, given: ArgsKwargs) -> object:
        return self._adapter.validate_python(given)

    async def _awaited(self, given: ArgsKwargs) -> object:
        return await _resolved(self._validated(given))


def _raised(fault: BaseException) -> ToolError:
    """Return the error of a function that raised; its own ValidationError is none of the arguments."""
    said = outcome_of(lambda: str(fault))[0] or ""
    return ToolError(f"{type(fault).__name__}: {said}".removesuffix(": "))


def _contained(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that raises its own faults as a ToolError, apart from those of its arguments."""

    @functools.wraps(function)
    def run(*args: object, **kwargs: object) -> object:
        found, fault = outcome_of(lambda: function(*args, **kwargs))
        if fault is None:
            return found
        if isinstance(fault, ToolmintError):
            raise fault
        raise _raised(fault) from fault

    return run


def _is_async(function: Callable[..., Any]) -> bool:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


def _collected(found: object) -> object:
    """Return what a generator or another iterator yields, as a list."""
    if type(found) in _PLAIN or not isinstance(found, Iterator):
        return found
    items = list(islice(cast("Iterator[object]", found), MOST_YIELDED + 1))
    return [*items[:MOST_YIELDED], _MORE] if len(items) > MOST_YIELDED else items


_MORE = f"[only the first {MOST_YIELDED:,} items were taken]"


async def _resolved(found: object) -> object:
    """Return what an awaitable gives, and what an asynchronous iterator yields, as a list."""
    if inspect.iscoroutine(found) or inspect.isawaitable(found):
        found = await contained(cast("Awaitable[object]", found), _raised)
    if type(found) in _PLAIN or not isinstance(found, AsyncIterator):
        return _collected(found)

    async def collect() -> list[object]:
        items: list[object] = []
        async for one in cast("AsyncIterator[object]", found):
            items.append(one)
            if len(items) == MOST_YIELDED:
                items.append(_MORE)
                break
        return items

    return await contained(collect(), _raised)


def _json_of(found: object) -> tuple[Value, str]:
    """Return a value in JSON and as text; what JSON cannot hold (NaN, endless nesting) is text alone.

    Raises:
        ToolError: it has no form at all, such as an object whose text cannot be had.
    """
    if type(found) in {str, bool, type(None)}:
        plain = cast("Value", found)
        return plain, content_of(plain)
    data = cast(
        "Value",
        boundary(
            lambda: (
                to_jsonable_python(found, fallback=str, bytes_mode="base64")
                if not isinstance(found, bytes)
                else found.decode("utf-8", "replace")
            ),
            lambda fault: ToolError(
                f"the result has no JSON form: {type(fault).__name__}: {fault}"
            ),
        ),
    )
    try:
        return data, content_of(data)
    except ValueError:
        return None, json.dumps(data, ensure_ascii=False, sort_keys=True)


def _spec(
    function: Callable[..., Any],
    adapter: TypeAdapter[Any],
    name: str | None,
    *,
    read_only: bool | None,
) -> ToolSpec:
    words = parse_docstring(inspect.getdoc(function) or "")
    schema: dict[str, Any] = adapter.json_schema()
    said = {one.arg_name: one.description for one in words.params if one.description}
    for argument, about in cast("dict[str, dict[str, Any]]", schema.get("properties", {})).items():
        about.pop("title", None)
        if argument in said:
            about.setdefault("description", said[argument])
    schema.setdefault("properties", {})
    parts = (words.short_description, words.long_description)
    description = "\n".join(part for part in parts if part)
    return ToolSpec(
        name=name or function.__name__,
        description=description,
        parameters=schema,
        read_only=read_only,
    )


@overload
def tool(function: Callable[_P, _R], /) -> FunctionTool[_P, _R]: ...
@overload
def tool(
    *, name: str | None = None, read_only: bool | None = None
) -> Callable[[Callable[_P, _R]], FunctionTool[_P, _R]]: ...
def tool(
    function: Callable[_P, _R] | None = None,
    /,
    *,
    name: str | None = None,
    read_only: bool | None = None,
) -> FunctionTool[_P, _R] | Callable[[Callable[_P, _R]], FunctionTool[_P, _R]]:
    """Return a function with annotated arguments as a tool.

    A Google, NumPy or reST docstring describes the arguments.

    Args:
        function: the function, when used as ``@tool`` or ``tool(function)``.
        name: the tool's name; None: the function's.
        read_only: True: a call changes nothing, so calls may run side by side; False: a call changes
            something, so it needs approval; None: not said, and it runs without.

    Raises:
        ToolError: an argument has no annotation, cannot be passed by name, or has no JSON form.
    """
    if function is None:
        return lambda given: _tool(given, name, read_only=read_only)
    return _tool(function, name, read_only=read_only)


def _tool(
    function: Callable[_P, _R], name: str | None, *, read_only: bool | None
) -> FunctionTool[_P, _R]:
    what = getattr(function, "__name__", "the function")
    for argument in inspect.signature(function).parameters.values():
        if argument.annotation is argument.empty:
            raise ToolError(
                f"{what!r} cannot be a tool: argument {argument.name!r} has no annotation"
            )
        if argument.kind not in {argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY}:
            raise ToolError(
                f"{what!r} cannot be a tool: argument {argument.name!r} cannot be passed by name"
            )
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", _contained(function)))
        return FunctionTool(function, _spec(function, adapter, name, read_only=read_only), adapter)
    except PydanticUserError as fault:
        raise ToolError(f"{what!r} cannot be a tool: {fault.message}") from fault
