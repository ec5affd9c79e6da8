"""The card of a mix: parts with share, licence and digests, and what is held out."""

import hashlib
from pathlib import Path
from typing import Literal

from toolmint.core.messages import Frozen


class FileDigest(Frozen):
    """A file that a part was made from: its path below the data folder, and the SHA-256 of its bytes."""

    file: str
    sha256: str


class MixPart(Frozen):
    """One part of a mix.

    Attributes:
        runs: trajectories of it in the mix.
        share: of all trajectories.
        too_long: trajectories that were left out for their length.
        source: project or paper.
        licence: that its authors state.
        about: what was made of it.
        files: what it was made from.
    """

    name: str
    runs: int
    share: float
    too_long: int
    source: str
    licence: str
    about: str
    files: tuple[FileDigest, ...] = ()


class HeldOutPart(Frozen):
    """Runs that are never learnt: their file beside the mix, and the tools that no part has."""

    name: str
    file: str
    runs: int
    sha256: str
    tools: tuple[str, ...]
    about: str


class MixCard(Frozen):
    """What a mix holds; ``sha256`` is of ``mix.jsonl``.

    Attributes:
        missing: parts whose files were not there.
        never: files whose requests and tools no part may have.
    """

    schema_version: Literal[1] = 1
    seed: int
    runs: int
    sha256: str
    parts: tuple[MixPart, ...]
    held_out: tuple[HeldOutPart, ...]
    missing: tuple[str, ...] = ()
    never: tuple[FileDigest, ...] = ()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
