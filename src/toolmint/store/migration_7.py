"""Migration 7: reservations of budgets, feedback once for each request and key, and unknown savings."""

from sqlalchemy import Column, Connection, MetaData, case, insert, inspect, select

from toolmint.store.schema import DAILY_TOTALS_TABLE, FEEDBACK_TABLE, METADATA, RESERVATIONS_TABLE

_OLD_TOTALS = "old_daily_totals"


def reservations_and_feedback(connection: Connection) -> None:
    """Make schema 7 of schema 6. A store that came from an older schema has the tables already."""
    METADATA.create_all(connection, tables=[RESERVATIONS_TABLE, FEEDBACK_TABLE])
    name = DAILY_TOTALS_TABLE.name
    if "unsaved" in {one["name"] for one in inspect(connection).get_columns(name)}:
        return
    # A new table, not ALTER: SQLite would keep another schema than that of a new store.
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {_OLD_TOTALS}")
    DAILY_TOTALS_TABLE.create(connection)
    old = DAILY_TOTALS_TABLE.to_metadata(MetaData(), name=_OLD_TOTALS)
    kept: list[Column[object]] = [one for one in old.c if one.name != "unsaved"]
    by_tool = old.c.tier.in_(["code", "light"]) & (old.c.saved_nano_usd == 0)
    unsaved = case((by_tool, old.c.requests), else_=0)
    names = [*(one.name for one in kept), "unsaved"]
    rows = select(*kept, unsaved)
    connection.execute(insert(DAILY_TOTALS_TABLE).from_select(names, rows))
    old.drop(connection)
