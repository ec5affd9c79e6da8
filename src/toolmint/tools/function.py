"""``@tool``: a Python function as a tool; schema from the signature, descriptions from the docstring."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from docstring_parser import parse as parse_docstring
from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic_core import ArgsKwargs, to_jsonable_python

from toolmint.core.errors import ToolError
from toolmint.core.messages import ToolCall, ToolResult, ToolSpec
from toolmint.core.toolbox import failed_result
from toolmint.core.values import Value, canonical

_P = ParamSpec("_P")
_R = TypeVar("_R")


def content_of(data: Value) -> str:
    """Return a value as an observation: a string unchanged, anything else as JSON."""
    return data if isinstance(data, str) else canonical(data)


class FunctionTool(Generic[_P, _R]):
    """A function that Python calls as before and that an agent calls through its specification."""

    def __init__(
        self, function: Callable[_P, _R], spec: ToolSpec, adapter: TypeAdapter[Any]
    ) -> None:
        self._function, self.spec, self._adapter = function, spec, adapter
        self.__doc__ = function.__doc__

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function directly."""
        return self._function(*args, **kwargs)

    async def call(self, call: ToolCall) -> ToolResult:
        """Validate the arguments and run the function; a plain function runs in a thread."""
        start = time.perf_counter()
        given = ArgsKwargs((), cast("dict[str, Any]", call.parsed()))
        try:
            if inspect.iscoroutinefunction(self._function):
                found: object = await self._adapter.validate_python(given)
            else:
                found = await asyncio.to_thread(self._adapter.validate_python, given)
        except ValidationError as fault:
            first = fault.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            return failed_result(call, "tool-arguments", f"{call.name}: {place}: {first['msg']}")
        data = cast("Value", to_jsonable_python(found, fallback=str))
        seconds = time.perf_counter() - start
        return ToolResult(call_id=call.id, content=content_of(data), data=data, seconds=seconds)


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
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", function))
        return FunctionTool(function, _spec(function, adapter, name, read_only=read_only), adapter)
    except PydanticUserError as fault:
        raise ToolError(f"{what!r} cannot be a tool: {fault.message}") from fault
