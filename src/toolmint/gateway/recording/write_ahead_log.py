"""Lines that outlive the process until they stand in the store."""

import errno
import fcntl
import mmap
import os
from pathlib import Path
from uuid import uuid4

from toolmint.core.errors import StoreError

SUFFIX = ".jsonl"
SIZE = 1 << 20
"""Bytes that a file has room for from its beginning, so that no line can meet a full disk."""


def _reserve(descriptor: int, size: int) -> None:
    """Take blocks of the disk for a new file; where the system cannot promise them, by writing."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    elif os.write(descriptor, bytes(size)) != size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Segment:
    """A file of lines that is mapped into memory and locked as long as its process lives.

    What is put into it stays when the process is killed, as with a write, yet costs no call of the system.
    """

    def __init__(self, path: Path, descriptor: int, mapped: mmap.mmap | None = None) -> None:
        self.path, self._descriptor, self._mapped, self._at = path, descriptor, mapped, 0

    @classmethod
    def begin(cls, folder: Path, size: int = SIZE) -> "Segment":
        """Make a file with all its blocks, locked before others can see it.

        Raises:
            OSError: the folder cannot be written, or the disk is full.
        """
        name = f"{os.getpid()}-{uuid4().hex}"
        hidden, path = folder / f".{name}", folder / f"{name}{SUFFIX}"
        descriptor = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _reserve(descriptor, size)
            mapped = mmap.mmap(descriptor, size)
            hidden.rename(path)
        except OSError:
            hidden.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return cls(path, descriptor, mapped)

    def append(self, line: bytes) -> bool:
        """Put a line behind the others; False where it does not fit into the file."""
        end = self._at + len(line)
        if self._mapped is None or end > len(self._mapped):
            return False
        self._mapped[self._at : end] = line
        self._at = end
        return True

    def lines(self) -> list[bytes]:
        """Return the whole lines; a last one that was not finished was never acknowledged."""
        if not self.path.exists():
            return []
        return self.path.read_bytes().partition(b"\0")[0].split(b"\n")[:-1]

    def drop(self) -> None:
        """Forget the file, whose lines stand in the store."""
        self.path.unlink(missing_ok=True)
        if self._mapped is not None:
            self._mapped.close()
        os.close(self._descriptor)


class WriteAheadLog:
    """Appends lines to files of this process's own.

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
            self._current = Segment.begin(folder)
        except OSError as fault:
            raise StoreError(
                f"the folder {str(folder)!r} cannot be written: {fault.strerror}", code="store-open"
            ) from fault
        self._full: list[Segment] = []

    def append(self, line: bytes) -> bool:
        """Keep a line; False where the disk does not take it."""
        if self._current.append(line):
            return True
        try:
            wider = Segment.begin(self._folder, max(SIZE, len(line)))
        except OSError:
            return False
        self._full.append(self._current)
        self._current = wider
        return wider.append(line)

    def fresh(self) -> Segment:
        """Make a new file.

        Raises:
            OSError: the disk is full.
        """
        return Segment.begin(self._folder)

    def turn(self, fresh: Segment) -> list[Segment]:
        """Go on in a new file; returns those before, whose lines are about to be stored."""
        before, self._full = [*self._full, self._current], []
        self._current = fresh
        return before

    def close(self) -> None:
        """Forget the files of this process, whose lines all stand in the store."""
        for segment in (*self._full, self._current):
            segment.drop()

    def left(self) -> list[Segment]:
        """Return the files of processes that have ended, locked now by this one."""
        found: list[Segment] = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                descriptor = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue  # its process has stored it in this moment
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.append(Segment(path, descriptor))
            except BlockingIOError:
                os.close(descriptor)
        return found
