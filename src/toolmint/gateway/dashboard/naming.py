"""How pages write amounts and name a request class: by its title, not by the name that the store keeps."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from toolmint.core.errors import ToolmintError
from toolmint.core.store import ClassInfo, ToolStore
from toolmint.serving.titles import class_title, with_titles


def dollar_text(amount: float | None) -> str:
    """Return US dollars as a text: ``?`` for an unknown amount, never zero for a small one."""
    if amount is None:
        return "?"
    if 0 < abs(amount) < 0.00005:
        return "<$0.0001" if amount > 0 else ">-$0.0001"
    return f"{'-' if amount < 0 else ''}${abs(amount):,.4f}"


def first_day(days: int) -> str:
    """Return the first of the last days, as ISO 8601."""
    return (datetime.now(UTC) - timedelta(days=days)).date().isoformat()


def naming(known: Mapping[str, ClassInfo], key: str) -> dict[str, str | None]:
    """Return a class's title and one of its requests (None: none may be kept), for a template."""
    info = known.get(key)
    return {"title": class_title(known, key), "example": info.example if info else None}


async def fault_text(fault: ToolmintError, store: ToolStore) -> str:
    """Return what an error says, with the titles of the classes that it names."""
    try:
        return with_titles(str(fault), await store.classes())
    except ToolmintError:  # the store itself is what failed
        return str(fault)
