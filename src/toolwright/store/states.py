"""Changes of state inside a transaction: what life allows, one serving version a class, each change
logged.
"""

from sqlalchemy import Connection, insert, select, update

from toolwright.core.errors import StoreError, ToolNotFound
from toolwright.core.tool import TRANSITIONS as ALLOWED
from toolwright.core.tool import State
from toolwright.store.engine import now
from toolwright.store.schema import TOOLS, TRANSITIONS


def note(connection: Connection, name: str, version: int, state: State, reason: str) -> None:
    """Log a state that a version has come to."""
    row = {"request_class": name, "version": version, "state": state, "reason": reason, "at": now()}
    connection.execute(insert(TRANSITIONS).values(row))


def step_down(connection: Connection, name: str, reason: str) -> None:
    """Demote the serving version of a class, if there is one."""
    mine = (TOOLS.c.request_class == name) & (TOOLS.c.state == "serving")
    for (version,) in connection.execute(select(TOOLS.c.version).where(mine)).all():
        note(connection, name, version, "demoted", reason)
    connection.execute(update(TOOLS).where(mine).values(state="demoted"))


def move(connection: Connection, name: str, version: int, state: State, reason: str) -> None:
    """Change a version's state; one that begins to serve replaces the one that did.

    Raises:
        ToolNotFound: there is no such version.
        StoreError: life does not allow the change.
    """
    mine = (TOOLS.c.request_class == name) & (TOOLS.c.version == version)
    current: State | None = connection.execute(
        select(TOOLS.c.state).where(mine)
    ).scalar_one_or_none()
    if current is None:
        raise ToolNotFound(f"the store has no tool '{name} v{version}'")
    if state not in ALLOWED[current]:
        raise StoreError(
            f"'{name} v{version}' is {current}, it cannot become {state}", code="store-state"
        )
    if state == "serving":
        step_down(connection, name, f"v{version} serves")
    connection.execute(update(TOOLS).where(mine).values(state=state))
    note(connection, name, version, state, reason)
