"""The columns that hold a request class, and the row that introduces one."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Table, true

from toolmint.core.namespace import ClassKey, Namespace

CLASS_COLUMNS = ("tenant", "scope", "request_class")
_TITLE_WORDS, _TITLE_LENGTH, _EXAMPLE_LENGTH = 8, 60, 500


def class_row(key: ClassKey) -> dict[str, str]:
    """Return the columns that hold a class's key."""
    return dict(zip(CLASS_COLUMNS, key, strict=True))


def is_class(table: Table, key: ClassKey) -> ColumnElement[bool]:
    """Return the condition that a row is of a class."""
    return (
        (table.c.tenant == key.tenant)
        & (table.c.scope == key.scope)
        & (table.c.request_class == key.name)
    )


def in_namespace(table: Table, namespace: Namespace | None) -> ColumnElement[bool]:
    """Return the condition that a row is of a namespace (None: of any)."""
    if namespace is None:
        return true()
    return (table.c.tenant == namespace.tenant) & (table.c.scope == namespace.scope)


def key_of(row: Row[Any]) -> ClassKey:
    """Return the key of a row's class."""
    return ClassKey(row.tenant, row.scope, row.request_class)


def class_info_row(key: ClassKey, first: str, at: str) -> dict[str, str]:
    """Return the row of a class whose first request is given: its first words are the title."""
    title = " ".join(first[:_EXAMPLE_LENGTH].split()[:_TITLE_WORDS])[:_TITLE_LENGTH]
    return class_row(key) | {"title": title, "example": first[:_EXAMPLE_LENGTH], "at": at}
