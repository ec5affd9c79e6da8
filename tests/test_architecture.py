"""The house rules that a machine can hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import toolwright
from toolwright.core import errors

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "toolwright"
FILES = sorted(SOURCE.rglob("*.py"))
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
    assert drawn == tree(errors.ToolwrightError, 1)


def test_error_codes_are_stable_words() -> None:
    def kinds(kind: type[errors.ToolwrightError]) -> list[type[errors.ToolwrightError]]:
        return [kind, *[one for sub in kind.__subclasses__() for one in kinds(sub)]]

    for kind in kinds(errors.ToolwrightError):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)


def test_exports_are_sorted_and_real() -> None:
    assert list(toolwright.__all__) == sorted(
        toolwright.__all__, key=lambda name: (name.islower(), name)
    )
    for name in toolwright.__all__:
        assert getattr(toolwright, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(toolwright, "nothing")  # noqa: B009


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, toolwright; print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
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
        "core/errors.py", "sandbox/guest/worker.py", "sandbox/guest/zygote.py", "maker/guest/trial.py",
    }  # fmt: skip
