"""``import toolmint`` shows everything that users need, and loads nothing before it is used."""

import ast
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import toolmint

SOURCE = Path(toolmint.__file__).parent
HEAVY = {"aiohttp", "sqlalchemy", "rich", "torch", "genai_prices", "click", "pydantic", "uvicorn"}


def error_classes() -> set[str]:
    """Return the names of all classes in the package that stand below ToolmintError."""
    bases: dict[str, set[str]] = {}
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef):
                bases[node.name] = {ast.unparse(one) for one in node.bases}
    found = {"ToolmintError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found


def test_every_error_class_is_exported() -> None:
    errors = error_classes()
    assert {"ConfigError", "ContextOverflow", "RetryAfter"} < errors
    assert {name for name in errors if name not in toolmint.__all__} == set()


def test_all_names_are_listed_by_dir_and_have_words() -> None:
    assert set(toolmint.__all__) <= set(dir(toolmint))
    kinds = sorted(toolmint.__all__, key=lambda name: (not name.isupper(), name.islower(), name))
    assert list(toolmint.__all__) == kinds
    for name in toolmint.__all__:
        found = getattr(toolmint, name)
        assert found.__name__ == name
        assert len((inspect.getdoc(found) or "").split()) >= 4, name


def test_help_shows_the_package_and_the_client() -> None:
    assert "Convert 3 miles to km" in pydoc.plain(pydoc.render_doc(toolmint))
    page = pydoc.plain(pydoc.render_doc(toolmint.Toolmint))
    for name in ("make", "amake", "solve", "asolve", "apply", "aapply", "serve", "bill", "close"):
        assert f" {name}(self" in page


def test_every_synchronous_method_has_an_asynchronous_twin_with_the_same_arguments() -> None:
    client = toolmint.Toolmint
    for name in ("make", "solve", "apply", "serving", "serve", "bill", "close"):
        one, other = getattr(client, name), getattr(client, f"a{name}")
        assert inspect.signature(one).parameters == inspect.signature(other).parameters


def test_public_methods_say_what_they_return_and_take_types() -> None:
    for kind in (toolmint.Toolmint, toolmint.Agent):
        for name, method in inspect.getmembers(kind, inspect.isfunction):
            if not name.startswith("_"):
                assert inspect.getdoc(method), name
                hints = inspect.signature(method)
                assert hints.return_annotation is not hints.empty, name


@pytest.mark.parametrize("use", ["", "dir(toolmint)", "toolmint.ConfigError"])
def test_nothing_heavy_is_loaded_before_it_is_used(use: str) -> None:
    code = (
        f"import sys, toolmint\n{use}\n"
        "print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(toolmint, "nothing")  # noqa: B009
