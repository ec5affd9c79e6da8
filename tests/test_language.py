"""The language of code and docs: retired words are gone, docstrings are plain."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.test_architecture import FILES, ROOT, SOURCE, public_names

from toolmint.cli.main import COMMANDS

PROSE = [
    *(ROOT / name for name in ("README.md", "AGENTS.md", "CONTRIBUTING.md", "SECURITY.md")),
    *(file for file in sorted((ROOT / "docs").rglob("*.md")) if file.name != "migration.md"),
]

# Words of the package's earlier language, each of which has a standard term now.
WORDS = """
aimless astray bred breed breeding clerk clerks corked crew crews desk desks disguise disguised door doors
gate gates handled hasty journal journals lesson lessons meter meters refusal refusals room rooms settle
settled slip slips smoke spool spooled spools standing stretch stretches tape taped tapes tooluser weigh
weighed wish wishes workshop workshops
"""
RETIRED = frozenset(WORDS.split())
# Words with another ordinary meaning: retired as the whole name of a class, function or constant.
NAMES = """
Asked Case Course Dfsdt Found Gone Handled Judged Late Looked Order Page Patience Rooms Team Words delivery
grant held home induction owners phrases probe shipped story told watch
"""
RETIRED_NAMES = frozenset(NAMES.split())
ORDINARY = {"training/export.py": {"gate"}}  # the gate projection of a transformer's MLP
# In prose only what has no other meaning there: a tool may refuse, and a class may be held out.
RETIRED_PROSE = re.compile(
    r"\b(aimless|astray|bred|clerks?|corked|crews?|desks?|gates?|hasty|journal(s|ed)?|lessons?|rooms?"
    r"|spool(s|ed)?|tapes?|taped|toolusers?|wish(es)?|workshops?|Dfsdt|tier 2|for ever)\b"
)
OLD_NAME = "tool" + "wright"
MAY_NAME_THE_OLD_PACKAGE = {
    "CHANGELOG.md",
    "docs/migration.md",
    "mkdocs.yml",  # names that page
    "src/toolmint/assembly/former_names.py",  # says what to rename
    "src/toolmint/assembly/toolfile.py",  # reads tool files of the old name
    "tests/assembly/test_settings.py",
    "tests/store/old_stores/README.md",  # describes a store of the old name
    "tests/store/test_migration.py",
    "tests/store/test_store.py",
}
TEXT = {".css", ".html", ".jsonl", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}


def _words(name: str) -> set[str]:
    """Return the lower-case words of a snake-case, kebab-case or camel-case name."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _identifiers(file: Path) -> set[str]:
    """Return the names that a module defines or binds, attributes and parameters included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Name():
                names.add(node.id)
            case ast.Attribute():
                names.add(node.attr)
            case ast.arg() | ast.keyword():
                names.add(node.arg or "")
            case _:
                pass
    return names


def _docstrings(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            text = ast.get_docstring(node)
            if text is not None:
                yield getattr(node, "lineno", 1), text


def _comments(file: Path) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(file.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_identifiers_hold_no_retired_word() -> None:
    found: set[str] = set()
    for file in FILES:
        place = str(file.relative_to(SOURCE))
        ordinary = ORDINARY.get(place, set[str]())
        for name in _identifiers(file):
            if (_words(name) & RETIRED) - ordinary:
                found.add(f"{place}: {name}")
        found |= {f"{place}: {name}" for name in (public_names(file) & RETIRED_NAMES) - ordinary}
    assert found == set()


def test_file_names_hold_no_retired_word() -> None:
    folders = ("src", "tests", "benchmarks", "examples", "docs", "deploy")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.is_file()]
    named = {
        str(file.relative_to(ROOT))
        for file in files
        if not any(part.startswith((".", "__pycache__")) for part in file.relative_to(ROOT).parts)
        and any(_words(part) & RETIRED for part in file.relative_to(ROOT).parts)
    }
    assert named == set()


def test_commands_and_options_hold_no_retired_word() -> None:
    names = set(COMMANDS)
    for file in sorted((SOURCE / "cli").glob("*.py")):
        names |= set(re.findall(r'"--([a-z-]+)[/"]', file.read_text()))
        names |= set(re.findall(r'\.(?:command|group)\("([a-z-]+)"', file.read_text()))
    assert {name for name in names if _words(name) & RETIRED} == set()


def test_prose_holds_no_retired_word() -> None:
    found: list[str] = []
    for file in PROSE:
        for number, line in enumerate(file.read_text().splitlines() if file.is_file() else (), 1):
            if RETIRED_PROSE.search(line):
                found.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    for file in FILES:
        for number, text in (*_docstrings(file), *_comments(file)):
            word = RETIRED_PROSE.search(text)
            if word:
                found.append(f"{file.relative_to(ROOT)}:{number}: {word[0]}")
    assert found == []


def test_docstrings_start_with_a_capital_and_do_not_give() -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {text[:50]}"
        for file in FILES
        for number, text in _docstrings(file)
        if not (text[0].isupper() or text.startswith("``")) or re.match(r"Gives?\b", text)
    ]
    assert found == []


def test_the_old_name_is_used_only_where_old_data_are_read() -> None:
    folders = ("src", "tests", "benchmarks", "examples", "docs", "deploy")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*")]
    files += [file for file in ROOT.iterdir() if file.name != "uv.lock"]
    named = {
        str(file.relative_to(ROOT))
        for file in files
        if file.is_file() and file.suffix in TEXT and OLD_NAME in file.read_text().lower()
    }
    assert named <= MAY_NAME_THE_OLD_PACKAGE
