"""The semantics of ToolWorld's tools: one function for each kind of operation on the state."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, cast

from toolmint.core.errors import ToolError
from toolmint.core.values import Value
from toolmint.world.state import Deed, Record, WorldState

OperationKind = Literal[
    "find", "details", "many", "get", "list", "extreme", "quote", "do", "deeds", "undo"
]


class WorldOperation(NamedTuple):
    """An operation kind on a category, with the field that it concerns (empty where none)."""

    does: OperationKind
    category: str
    field: str = ""


Arguments = Mapping[str, Value]
"""Arguments by canonical name (``id``, ``ids``, ``value``, ``order``, ``amount``, ``person``, ...).

Tools rename and nest them; see ``WorldTool.paths``.
"""


def brief(record: Record) -> Record:
    """Return the identifier and name of a record, as listings show it."""
    return {"id": record["id"], "name": record["name"]}


def _record(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Record:
    record = state.record(operation.category, arguments["id"])
    if record is None:
        raise ToolError(f"no entry with the id {arguments['id']!r}", code="not-found")
    return record


def _find(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    wanted = arguments["value"]
    found = [
        brief(record)
        for record in state.records[operation.category]
        if _equal(record[operation.field], wanted)
    ]
    return {"results": cast("Value", found), "count": len(found)}


def _equal(value: Value, wanted: Value) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return value.casefold() == wanted.casefold()
    return value == wanted


def _details(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    return dict(_record(state, operation, arguments))


def _many(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    wanted = cast("list[Value]", arguments["ids"])
    found = [_record(state, operation, {"id": one}) for one in wanted]
    return {"results": [dict(one) for one in found]}


def _get(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    record = _record(state, operation, arguments)
    return {"id": record["id"], operation.field: record[operation.field]}


def _list(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    most = cast("int | None", arguments.get("limit"))
    return {
        "results": [cast("Value", brief(one)) for one in state.records[operation.category][:most]]
    }


def _extreme(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    records = sorted(
        state.records[operation.category], key=lambda one: cast("float", one[operation.field])
    )
    return {"result": cast("Value", brief(records[-1 if arguments["order"] == "highest" else 0]))}


def total(record: Record, field: str, amount: int) -> float:
    """Return the price of ``amount`` units, rounded to cents."""
    return round(cast("float", record[field]) * amount, 2)


def _quote(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    record = _record(state, operation, arguments)
    amount = cast("int", arguments["amount"])
    if amount < 1:
        raise ToolError(f"the amount must be 1 or more, got {amount}", code="bad-amount")
    return {"id": record["id"], "amount": amount, "total": total(record, operation.field, amount)}


def _deed_result(deed: Deed) -> Value:
    return {"confirmation": deed.confirmation, "id": deed.record, "amount": deed.amount}


def _do(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    record = _record(state, operation, arguments)
    amount = cast("int", arguments["amount"])
    if amount < 1:
        raise ToolError(f"the amount must be 1 or more, got {amount}", code="bad-amount")
    deed = state.do(operation.category, str(record["id"]), str(arguments["person"]), amount)
    return {"status": "confirmed", **cast("dict[str, Value]", _deed_result(deed))}


def _deeds(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    mine = [
        _deed_result(deed)
        for deed in state.deeds
        if deed.category == operation.category and _equal(deed.person, arguments["person"])
    ]
    return {"results": mine, "count": len(mine)}


def _undo(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    deed = state.undo(operation.category, str(arguments["confirmation"]))
    if deed is None:
        raise ToolError(
            f"no entry with the confirmation {arguments['confirmation']!r}", code="not-found"
        )
    return {"status": "cancelled", "confirmation": deed.confirmation}


_HANDLERS: dict[OperationKind, Callable[[WorldState, WorldOperation, Arguments], Value]] = {
    "find": _find,
    "details": _details,
    "many": _many,
    "get": _get,
    "list": _list,
    "extreme": _extreme,
    "quote": _quote,
    "do": _do,
    "deeds": _deeds,
    "undo": _undo,
}


def run_operation(state: WorldState, operation: WorldOperation, arguments: Arguments) -> Value:
    """Execute an operation on the state and return its JSON result.

    Raises:
        ToolError: no record or deed has that identifier, or an amount is below 1.
    """
    return _HANDLERS[operation.does](state, operation, arguments)
