"""Titles and examples of request classes."""

import asyncio
from collections.abc import Mapping

from sqlalchemy import Connection, select

from toolmint.core.namespace import ClassKey
from toolmint.core.store import ClassInfo
from toolmint.store.clock import now
from toolmint.store.columns import CLASS_COLUMNS, class_info_row, class_row
from toolmint.store.engine import Database
from toolmint.store.schema import CLASSES_TABLE
from toolmint.store.view import NamespaceView


def introduce(database: Database, connection: Connection, key: ClassKey, first: str) -> None:
    """Keep a class's first request as title and example, unless the class has them."""
    new = database.upsert(CLASSES_TABLE).values(class_info_row(key, first, now()))
    connection.execute(new.on_conflict_do_nothing())


class SqlClasses(NamespaceView):
    """Keeps what people call classes; see ``toolmint.core.store.ToolStore``."""

    async def classes(self) -> Mapping[str, ClassInfo]:
        """Return title and example of every class that has any, by name."""
        query = select(CLASSES_TABLE).where(self._mine(CLASSES_TABLE))
        return {
            self._name(row): ClassInfo(title=row.title, example=row.example)
            for row in await self._database.rows(query)
        }

    async def set_title(self, request_class: str, title: str) -> None:
        """Set the title of a class; an older one is replaced."""
        row = class_row(self._new_key(request_class)) | {"title": title, "at": now()}
        new = self._database.upsert(CLASSES_TABLE).values(row)
        statement = new.on_conflict_do_update(index_elements=CLASS_COLUMNS, set_={"title": title})

        def work() -> None:
            with self._database.transaction(write=True) as connection:
                connection.execute(statement)

        await asyncio.to_thread(work)
