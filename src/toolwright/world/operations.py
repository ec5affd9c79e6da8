"""What a tool does to the state, by kind of operation; every kind in one function of its own."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, cast

from toolwright.core.errors import ToolError
from toolwright.core.values import Value
from toolwright.world.state import Deed, Record, State

Does = Literal["find", "details", "many", "get", "list", "extreme", "quote", "do", "deeds", "undo"]


class Operation(NamedTuple):
    """A kind of operation on a category, and the field that it is about."""

    does: Does
    category: str
    field: str = ""


Arguments = Mapping[str, Value]
"""Arguments under their meanings: ``id``, ``ids``, ``value``, ``order``, ``amount``, ``person``, ..."""


def brief(record: Record) -> Record:
    """Give what a listing shows of a record."""
    return {"id": record["id"], "name": record["name"]}


def _one(state: State, operation: Operation, arguments: Arguments) -> Record:
    record = state.record(operation.category, arguments["id"])
    if record is None:
        raise ToolError(f"no entry with the id {arguments['id']!r}", code="not-found")
    return record


def _find(state: State, operation: Operation, arguments: Arguments) -> Value:
    wanted = arguments["value"]
    found = [
        brief(record)
        for record in state.records[operation.category]
        if _same(record[operation.field], wanted)
    ]
    return {"results": cast("Value", found), "count": len(found)}


def _same(value: Value, wanted: Value) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    return value == wanted


def _details(state: State, operation: Operation, arguments: Arguments) -> Value:
    return dict(_one(state, operation, arguments))


def _many(state: State, operation: Operation, arguments: Arguments) -> Value:
    wanted = cast("list[Value]", arguments["ids"])
    found = [_one(state, operation, {"id": one}) for one in wanted]
    return {"results": [dict(one) for one in found]}


def _get(state: State, operation: Operation, arguments: Arguments) -> Value:
    record = _one(state, operation, arguments)
    return {"id": record["id"], operation.field: record[operation.field]}


def _list(state: State, operation: Operation, arguments: Arguments) -> Value:
    most = cast("int | None", arguments.get("limit"))
    return {
        "results": [cast("Value", brief(one)) for one in state.records[operation.category][:most]]
    }


def _extreme(state: State, operation: Operation, arguments: Arguments) -> Value:
    records = sorted(
        state.records[operation.category], key=lambda one: cast("float", one[operation.field])
    )
    return {"result": cast("Value", brief(records[-1 if arguments["order"] == "highest" else 0]))}


def total(record: Record, field: str, amount: int) -> float:
    """Give the price of so many."""
    return round(cast("float", record[field]) * amount, 2)


def _quote(state: State, operation: Operation, arguments: Arguments) -> Value:
    record = _one(state, operation, arguments)
    amount = cast("int", arguments["amount"])
    if amount < 1:
        raise ToolError(f"the amount must be 1 or more, got {amount}", code="bad-amount")
    return {"id": record["id"], "amount": amount, "total": total(record, operation.field, amount)}


def _shown(deed: Deed) -> Value:
    return {"confirmation": deed.confirmation, "id": deed.record, "amount": deed.amount}


def _do(state: State, operation: Operation, arguments: Arguments) -> Value:
    record = _one(state, operation, arguments)
    amount = cast("int", arguments["amount"])
    if amount < 1:
        raise ToolError(f"the amount must be 1 or more, got {amount}", code="bad-amount")
    deed = state.do(operation.category, str(record["id"]), str(arguments["person"]), amount)
    return {"status": "confirmed", **cast("dict[str, Value]", _shown(deed))}


def _deeds(state: State, operation: Operation, arguments: Arguments) -> Value:
    mine = [
        _shown(deed)
        for deed in state.deeds
        if deed.category == operation.category and _same(deed.person, arguments["person"])
    ]
    return {"results": mine, "count": len(mine)}


def _undo(state: State, operation: Operation, arguments: Arguments) -> Value:
    deed = state.undo(operation.category, str(arguments["confirmation"]))
    if deed is None:
        raise ToolError(
            f"no entry with the confirmation {arguments['confirmation']!r}", code="not-found"
        )
    return {"status": "cancelled", "confirmation": deed.confirmation}


RUN: dict[Does, Callable[[State, Operation, Arguments], Value]] = {
    "find": _find, "details": _details, "many": _many, "get": _get, "list": _list, "extreme": _extreme,
    "quote": _quote, "do": _do, "deeds": _deeds, "undo": _undo,
}  # fmt: skip


def run(state: State, operation: Operation, arguments: Arguments) -> Value:
    """Do what an operation does.

    Raises:
        ToolError: nothing has that identifier, or an amount is impossible.
    """
    return RUN[operation.does](state, operation, arguments)
