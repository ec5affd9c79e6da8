"""Files of rows: a header line, then one line an item, each written and flushed as the item ends."""

import fcntl
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple

from pydantic import ValidationError

from toolmint.core.errors import InputError
from toolmint.core.messages import Frozen
from toolmint.core.text_files import escaped_line_ends
from toolmint.core.values import Value, canonical, digest
from toolmint.evaluation.benchmark import Row


class Header(Frozen):
    """The first line of a rows file: what was run, so that another run cannot be mixed in.

    Attributes:
        settings: everything that shapes the results; ``digest`` is the SHA-256 of its canonical JSON.
    """

    kind: Literal["toolmint-rows"] = "toolmint-rows"
    schema_version: Literal[1] = 1
    benchmark: str
    solver: str
    digest: str
    settings: dict[str, Value]

    @classmethod
    def of(cls, benchmark: str, solver: str, settings: Mapping[str, Value]) -> "Header":
        """Return the header of a run."""
        plain = dict(settings)
        return cls(benchmark=benchmark, solver=solver, settings=plain, digest=digest(plain))


class RowSet(NamedTuple):
    """The rows of one run, in the order of the file; of two rows with one id the later one counts."""

    header: Header
    rows: tuple[Row, ...]


def _difference(here: Header, there: Header) -> str:
    for name in ("benchmark", "solver"):
        one, other = getattr(there, name), getattr(here, name)
        if one != other:
            return f"its {name} is {one!r}, not {other!r}"
    names = sorted({*here.settings, *there.settings})
    differences = [
        f"{name} is {canonical(there.settings.get(name))}, not {canonical(here.settings.get(name))}"
        for name in names
        if there.settings.get(name) != here.settings.get(name)
    ]
    return f"its settings differ: {'; '.join(differences)}"


def _header(line: bytes, path: Path) -> Header:
    try:
        return Header.model_validate_json(line)
    except ValidationError as fault:
        raise InputError(
            f"{str(path)!r} is no file of rows: its first line is no header of `toolmint eval`",
            code="rows",
        ) from fault


def _whole_lines(content: bytes) -> list[bytes]:
    """Return the lines that were written to their end."""
    return content.split(b"\n")[:-1]


def _parse(lines: Sequence[bytes], path: Path) -> tuple[Row, ...]:
    found: dict[str, Row] = {}
    for number, line in enumerate(lines, 2):
        try:
            row = Row.model_validate_json(line)
        except ValidationError as fault:
            first = fault.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(
                f"{path}:{number} is no row: {place}: {first['msg']}", code="rows"
            ) from fault
        found[row.id] = row
    return tuple(found.values())


def read_rows(path: Path) -> RowSet:
    """Read a file of rows; a last line that was not written to its end is left out.

    Raises:
        InputError: the file cannot be read, or is no file of rows; the line is named.
    """
    try:
        lines = _whole_lines(path.read_bytes())
    except OSError as fault:
        raise InputError(f"{str(path)!r} cannot be read: {fault.strerror}", code="rows") from fault
    header = _header(lines[0] if lines else b"", path)
    return RowSet(header, _parse(lines[1:], path))


class RowFile:
    """A file of rows that one run appends to; a context.

    Args:
        path: the file; it and its folder are made where they are missing.
        header: of this run. A file with the same header is taken up: its rows are in ``rows``.

    Raises:
        InputError: the file is of another run, or is no file of rows, or another process writes it.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path, self._header = path, header
        self.rows: tuple[Row, ...] = ()

    def __enter__(self) -> "RowFile":
        """Open the file, lock it, and read what it holds."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        try:
            self._begin()
        except InputError:
            self._file.close()
            raise
        return self

    def _begin(self) -> None:
        try:
            # Two runs that append to one file would do every item twice; the lock ends with the process.
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise InputError(
                f"{str(self._path)!r} is being written by another run", code="rows-busy"
            ) from fault
        self._file.seek(0)
        content = self._file.read()
        first = (self._header.model_dump_json() + "\n").encode()
        lines = _whole_lines(content)
        if not lines and first.startswith(content):
            self._file.truncate(0)
            self._write(first)
            return
        there = _header(lines[0] if lines else content, self._path)
        if there != self._header:
            raise InputError(
                f"{str(self._path)!r} holds rows of another run: {_difference(self._header, there)}; "
                "name another --output, or remove the file",
                code="rows-other",
            )
        self.rows = _parse(lines[1:], self._path)
        self._file.truncate(content.rfind(b"\n") + 1)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def append(self, row: Row) -> None:
        """Write one row; it is in the file when this returns, also if the process is killed then."""
        self._write((escaped_line_ends(row.model_dump_json()) + "\n").encode())

    def _write(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()


def trajectories_in(path: Path) -> list[str] | None:
    """Return the JSON texts of the trajectories in a file of rows; None where it is no file of rows.

    Raises:
        InputError: the rows were written without their trajectories.
    """
    try:
        with path.open("rb") as file:
            Header.model_validate_json(file.readline())
    except (OSError, ValidationError):
        return None
    rows = read_rows(path).rows
    kept = [row.trajectory.model_dump_json() for row in rows if row.trajectory is not None]
    if not kept:
        raise InputError(
            f"{str(path)!r} holds no trajectories; run the benchmark with --trajectories",
            code="rows",
        )
    return kept


def value_of(model: Frozen) -> dict[str, Value]:
    """Return a value's fields as JSON values, for a header's settings."""
    return model.model_dump(mode="json")
