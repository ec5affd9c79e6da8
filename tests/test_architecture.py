"""The architecture and style rules that a test can check."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import toolmint
from toolmint.core import errors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "toolmint"
FILES = sorted(SOURCE.rglob("*.py"))
CODE = [
    file
    for folder in ("src", "tests", "benchmarks", "examples", "docs_src")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if "replies" not in file.parts
]
HEAVY = {"aiohttp", "sqlalchemy", "rich", "torch", "genai_prices", "click", "pydantic"}


def test_no_file_is_longer_than_300_lines() -> None:
    long = {str(file): n for file in FILES if (n := len(file.read_text().splitlines())) > 300}
    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long: list[str] = []
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > 60:
                    long.append(f"{file.name}:{node.name} {lines}")
    assert long == []


def test_every_file_opens_with_a_sentence() -> None:
    mute = [str(file) for file in FILES if not ast.get_docstring(ast.parse(file.read_text()))]
    assert mute == []


def test_the_error_tree_is_the_one_in_the_docstring() -> None:
    def tree(kind: type, depth: int) -> list[str]:
        below = [line for sub in kind.__subclasses__() for line in tree(sub, depth + 1)]
        own = kind.__module__ == errors.__name__
        return ["    " * depth + kind.__name__, *below] if own else []

    drawn = [
        line for line in (errors.__doc__ or "").splitlines() if re.fullmatch(r"( {4})+\w+", line)
    ]
    assert drawn == tree(errors.ToolmintError, 1)


def test_error_codes_are_stable_words() -> None:
    def kinds(kind: type[errors.ToolmintError]) -> list[type[errors.ToolmintError]]:
        return [kind, *[one for sub in kind.__subclasses__() for one in kinds(sub)]]

    for kind in kinds(errors.ToolmintError):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)


def test_exports_are_sorted_and_real() -> None:
    assert list(toolmint.__all__) == sorted(
        toolmint.__all__, key=lambda name: (not name.isupper(), name.islower(), name)
    )
    for name in toolmint.__all__:
        assert getattr(toolmint, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(toolmint, "nothing")  # noqa: B009


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, toolmint; print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


def test_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_environment_is_read_in_one_file() -> None:
    readers = [
        file.name for file in FILES if "os.environ" in file.read_text() and "guest" not in str(file)
    ]
    assert [name for name in readers if name != "selfcheck.py"] == ["settings.py"]


def test_broad_excepts_stand_in_the_boundary_and_in_the_guest_alone() -> None:
    found = [
        str(file.relative_to(SOURCE))
        for file in FILES
        if re.search(r"except (Base)?Exception\b", file.read_text())
    ]
    assert set(found) <= {
        "core/errors.py",
        "sandbox/guest/resident.py",
        "sandbox/guest/worker.py",
        "sandbox/guest/zygote.py",
        "maker/guest/trial.py",
    }


def public_names(file: Path) -> set[str]:
    """Return the public names that a module defines at its top level."""
    names: set[str] = set()
    for node in ast.parse(file.read_text()).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Assign():
                targets = [name for target in node.targets for name in ast.walk(target)]
                names |= {name.id for name in targets if isinstance(name, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
            case _:
                pass
    return {name for name in names if not name.startswith("_")}


def test_no_public_name_is_defined_twice() -> None:
    where: dict[str, list[str]] = {}
    for file in FILES:
        for name in public_names(file):
            where.setdefault(name, []).append(str(file.relative_to(SOURCE)))
    assert {name: files for name, files in where.items() if len(files) > 1} == {}


def test_the_formatter_is_never_switched_off() -> None:
    off = re.compile(r"#\s*(fmt|yapf):\s*(skip|off|disable)")
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in CODE
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if off.search(line)
    ]
    assert found == []
