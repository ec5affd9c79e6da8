"""What people change on the dashboard: a version is approved, rolled back, demoted or retired."""

from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request

from toolmint.core.errors import InputError
from toolmint.core.namespace import ClassKey
from toolmint.core.store import ToolStore
from toolmint.core.tool import State
from toolmint.core.traffic import LiveStore
from toolmint.serving.lifecycle import approve

_MOVES: dict[str, State] = {"rollback": "serving", "demote": "demoted", "retire": "retired"}


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that comes twice, the last."""
    body = (await request.body()).decode("utf-8", "replace")
    return {name: values[-1] for name, values in parse_qs(body).items()}


async def change_version(form: Mapping[str, str], store: ToolStore, live: LiveStore) -> str:
    """Do what a form asks for; return the class that it was about.

    Raises:
        InputError: the form asks for nothing that there is.
        StoreError: the version's state does not allow it.
    """
    name, what = form.get("name", ""), form.get("what", "")
    if not form.get("version", "").isdigit():
        raise InputError(f"a version is a number, got {form.get('version', '')!r}")
    version = int(form["version"])
    if what == "approve":
        await live.record_comparison(ClassKey.parse(name), version, approve)
    elif what in _MOVES:
        await store.move(name, version, _MOVES[what], f"{what} by a person")
    else:
        raise InputError(f"nothing is called {what!r}; expected approve, {', '.join(_MOVES)}")
    return name
