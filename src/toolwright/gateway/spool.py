"""Lines that outlive the process until they stand in the store."""

import fcntl
import os
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from toolwright.core.errors import StoreError

SUFFIX = ".jsonl"


class Page(NamedTuple):
    """An open file of lines, locked as long as its process lives."""

    path: Path
    descriptor: int


def _begin(folder: Path) -> Page:
    """Make a file that is locked before others can see it."""
    name = f"{os.getpid()}-{uuid4().hex}"
    hidden, path = folder / f".{name}", folder / f"{name}{SUFFIX}"
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    hidden.rename(path)
    return Page(path, descriptor)


class Spool:
    """Appends lines to a file of this process's own.

    What is appended survives ``kill -9``; it does not survive a machine that loses power before its kernel
    wrote.

    Args:
        folder: holds the files of all processes over one store.

    Raises:
        StoreError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._page = _begin(folder)
        except OSError as fault:
            raise StoreError(
                f"the folder {str(folder)!r} cannot be written: {fault.strerror}", code="store-open"
            ) from fault

    def append(self, line: bytes) -> bool:
        """Keep a line; False where the disk does not take it."""
        try:
            return os.write(self._page.descriptor, line) == len(line)
        except OSError:
            return False

    def fresh(self) -> Page:
        """Make a new file."""
        return _begin(self._folder)

    def turn(self, fresh: Page) -> Page:
        """Go on in a new file; gives the one before, whose lines are about to be stored."""
        before, self._page = self._page, fresh
        return before

    def drop(self, page: Page) -> None:
        """Forget a file whose lines stand in the store."""
        page.path.unlink(missing_ok=True)
        os.close(page.descriptor)

    def close(self) -> None:
        """Forget the file of this process, whose lines all stand in the store."""
        self.drop(self._page)

    def left(self) -> list[Page]:
        """Give the files of processes that have ended, locked now by this one."""
        found: list[Page] = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                descriptor = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue  # its process has stored it in this moment
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.append(Page(path, descriptor))
            except BlockingIOError:
                os.close(descriptor)
        return found
