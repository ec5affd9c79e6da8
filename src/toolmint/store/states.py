"""Changes of state inside a transaction: allowed ones only, one serving version a class, each logged."""

from sqlalchemy import Connection, insert, select, update

from toolmint.core.errors import StoreError, ToolNotFound
from toolmint.core.namespace import ClassKey
from toolmint.core.tool import ALLOWED_TRANSITIONS, State
from toolmint.store.clock import now
from toolmint.store.columns import class_row, is_class
from toolmint.store.schema import TOOLS_TABLE, TRANSITIONS_TABLE


def log_state(
    connection: Connection, key: ClassKey, version: int, state: State, reason: str
) -> None:
    """Log a state that a version has come to."""
    row = {"version": version, "state": state, "reason": reason, "at": now()}
    connection.execute(insert(TRANSITIONS_TABLE).values(class_row(key) | row))


def demote_serving(connection: Connection, key: ClassKey, reason: str) -> None:
    """Demote the serving version of a class, if there is one."""
    serving = is_class(TOOLS_TABLE, key) & (TOOLS_TABLE.c.state == "serving")
    for (version,) in connection.execute(select(TOOLS_TABLE.c.version).where(serving)).all():
        log_state(connection, key, version, "demoted", reason)
    connection.execute(update(TOOLS_TABLE).where(serving).values(state="demoted"))


def change_state(
    connection: Connection, key: ClassKey, version: int, state: State, reason: str
) -> None:
    """Change a version's state; one that begins to serve replaces the one that did.

    Raises:
        ToolNotFound: there is no such version.
        StoreError: the version's present state does not allow the change.
    """
    mine = is_class(TOOLS_TABLE, key) & (TOOLS_TABLE.c.version == version)
    current: State | None = connection.execute(
        select(TOOLS_TABLE.c.state).where(mine)
    ).scalar_one_or_none()
    if current is None:
        raise ToolNotFound(f"the store has no tool '{key} v{version}'")
    if state not in ALLOWED_TRANSITIONS[current]:
        raise StoreError(
            f"'{key} v{version}' is {current}, it cannot become {state}", code="store-state"
        )
    if state == "serving":
        demote_serving(connection, key, f"v{version} serves")
    connection.execute(update(TOOLS_TABLE).where(mine).values(state=state))
    log_state(connection, key, version, state, reason)
