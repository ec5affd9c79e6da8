"""Which classes a store shows, and under which names: one namespace's by plain names, or all of them."""

from typing import Any

from sqlalchemy import ColumnElement, Row, Table

from toolmint.core.errors import InputError
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.store.columns import in_namespace, key_of
from toolmint.store.engine import Database

_LONGEST_NAME = 120


class NamespaceView:
    """What the parts of a store share: a database, and the namespace that they see.

    Without a namespace they see all classes, by ``str`` of their keys.
    """

    def __init__(self, database: Database, namespace: Namespace | None = None) -> None:
        self._database, self._namespace = database, namespace

    def _key(self, name: str) -> ClassKey:
        return ClassKey.parse(name) if self._namespace is None else self._namespace.key(name)

    def _new_key(self, name: str) -> ClassKey:
        """Return the key of a class that is written to.

        Raises:
            InputError: the class's name is empty or too long.
        """
        key = self._key(name)
        if not 1 <= len(key.name) <= _LONGEST_NAME:
            raise InputError(
                f"the name of a request class has 1 to {_LONGEST_NAME} characters, "
                f"got {len(key.name)}: {key.name[:40]!r}"
            )
        return key

    def _name(self, row: Row[Any]) -> str:
        return str(key_of(row)) if self._namespace is None else str(row.request_class)

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return in_namespace(table, self._namespace)
