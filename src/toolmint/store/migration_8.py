"""Migration 8: the weights of learned tools, and why the strong model answered a demonstration."""

from sqlalchemy import Connection, MetaData, insert, inspect, select

from toolmint.store.schema import METADATA, QUEUE_TABLE, WEIGHTS_TABLE

_OLD_QUEUE, _INDEX = "old_queue", "queue_by_class"


def learned_tools(connection: Connection) -> None:
    """Make schema 8 of schema 7. A store that came from an older schema has table and column already."""
    METADATA.create_all(connection, tables=[WEIGHTS_TABLE])
    name = QUEUE_TABLE.name
    if "drawn" in {one["name"] for one in inspect(connection).get_columns(name)}:
        return
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"ALTER TABLE {name} ADD COLUMN drawn VARCHAR(12)")
        return
    # A new table, not ALTER: SQLite would keep another schema than that of a new store.
    connection.exec_driver_sql(f"DROP INDEX {_INDEX}")
    connection.exec_driver_sql(f"ALTER TABLE {name} RENAME TO {_OLD_QUEUE}")
    QUEUE_TABLE.create(connection)
    old = QUEUE_TABLE.to_metadata(MetaData(), name=_OLD_QUEUE)
    kept = [one for one in old.c if one.name != "drawn"]
    rows = select(*kept)
    connection.execute(insert(QUEUE_TABLE).from_select([one.name for one in kept], rows))
    old.drop(connection)
