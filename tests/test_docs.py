"""The documentation: its snippets run, its links resolve, and its lines stay readable."""

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_src import (
    agent_roles,
    asynchronous,
    error_reference,
    gateway_client,
    handling_errors,
    make_and_solve,
    testing_an_agent,
)
from docs_src.serve_from_python import swap
from examples.gateway_swap import scripted_endpoint

from toolmint import ScriptedModel, Toolmint

ROOT = Path(__file__).parents[1]
SNIPPETS = ROOT / "docs_src"
README = ROOT / "README.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
WRITTEN = [page for page in PAGES if page.parent.name != "glpft"]  # that one: benchmarks/glpft.py
WIDTH = 100
PLACES = re.compile(r"(?<![\w.])/(?:home|root|work|tmp|Users)/\w+|\.\./shared")


def proposal() -> str:
    """Return the tool that the pages show, as a strong model's reply."""
    return f"```python\n{(SNIPPETS / 'lengths_tool.py').read_text()}```"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store with the pages' tool, made as they say."""
    path = tmp_path / ".toolmint" / "tools.db"
    made = make_and_solve.make_and_solve(
        ScriptedModel([proposal()]), SNIPPETS / "lengths.jsonl", path
    )
    assert made == "4.8 km"
    return path


def runnable(page: Path) -> Iterator[str]:
    """Yield the command lines of blocks that are marked with ``<!-- run -->``."""
    for block in re.findall(r"<!-- run -->\n```\n(.*?)```", page.read_text(), re.DOTALL):
        yield from block.splitlines()


def prose(page: Path) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the site makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[-\s]+", "-", heading) for heading in plain}


def test_the_pages_command_lines_run_and_print_what_they_show(store: Path) -> None:
    lines = list(runnable(ROOT / "docs" / "getting-started.md"))
    assert len(lines) == 5
    printed: dict[str, str] = {}
    for line in lines:
        code = "import sys; from toolmint.cli.main import main; sys.argv[0] = 'toolmint'; main()"
        words = re.findall(r'"[^"]*"|\S+', line)[1:]
        done = subprocess.run(
            [sys.executable, "-c", code, *(word.strip('"') for word in words)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=store.parents[1],
        )
        assert done.returncode == 0, done.stderr
        printed[line] = done.stdout + done.stderr
    said = printed[lines[0]].splitlines()
    shown = re.search(r"```\n(4\.8 km\n.*?)```", README.read_text(), re.DOTALL)
    assert shown is not None
    expected = [line for line in shown[1].splitlines() if not line.startswith("used: ")]
    assert [line for line in said if not line.startswith("used: ")] == expected
    assert "used: 0 model calls, 0 tokens" in printed[lines[0]]
    assert "lengths" in printed["toolmint tools list"]


def test_readme_and_getting_started_show_the_same_output() -> None:
    shown = re.search(r"```\n(4\.8 km\n.*?)```", README.read_text(), re.DOTALL)
    assert shown is not None
    assert shown[1] in (ROOT / "docs" / "getting-started.md").read_text()


def test_the_asynchronous_snippet_answers(store: Path) -> None:
    answers = asyncio.run(asynchronous.answers(store, ["Convert 10 km to miles."]))
    assert answers == ["4.8 km", "6.2 miles"]


def test_the_error_snippet_ends_without_an_answer(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handling_errors.answer(store, "How old is the sea?") is None
    assert capsys.readouterr().out == "no-answer\n"


def test_the_gateway_snippets_reach_an_endpoint(tmp_path: Path) -> None:
    with scripted_endpoint() as uri:
        assert "def parse" in (swap(uri, tmp_path / "one.db") or "")
        with Toolmint(uri, store=tmp_path / "two.db").serving(port=0) as base_url:
            answer, tier = gateway_client.ask(base_url)
    assert answer is not None
    assert tier == "strong"


def test_the_agent_snippets_answer() -> None:
    testing_an_agent.test_the_agent_looks_up_the_year()


def test_the_agent_with_a_model_for_each_role_answers() -> None:
    planner = ScriptedModel(
        ["Look it up.\nNext: caller", "It is known.\nNext: summarizer", "In 1987."]
    )
    call = json.dumps({"name": "founded", "arguments": {"company": "Norda"}})
    tools: list[str] = [f"python:{ROOT / 'examples' / 'company_tools.py'}"]
    run = agent_roles.run(planner, ScriptedModel([call]), [*tools], "When was Norda founded?")
    assert run.answer == "In 1987."


def test_every_snippet_is_shown_on_a_page() -> None:
    shown = "".join(page.read_text() for page in PAGES)
    files = {file.name for file in SNIPPETS.iterdir() if file.is_file()}
    included = set(re.findall(r'--8<-- "docs_src/([^"]+)"', shown))
    scripts = {"command_reference.py", "error_reference.py", "field_table.py"}
    assert included == files - {"__init__.py", *scripts}


def test_the_command_reference_is_up_to_date() -> None:
    # In a process of its own: click keeps the help option that a command was first run with.
    words = [sys.executable, str(SNIPPETS / "command_reference.py"), "--check"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_list_of_error_codes_is_up_to_date() -> None:
    assert error_reference.PAGE.read_text() == error_reference.page()


def test_no_line_is_wider_than_a_page() -> None:
    wide = [
        f"{page.name}:{number}"
        for page in (README, *WRITTEN)
        for number, line in enumerate(page.read_text().splitlines(), 1)
        if len(line) > WIDTH
    ]
    assert wide == []


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 120


def test_every_internal_link_resolves() -> None:
    broken: list[str] = []
    for page in (README, *PAGES):
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
            if target.startswith(("http://", "https://")):
                continue
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                broken.append(f"{page.name}: {target}")
    assert broken == []


def test_every_page_is_in_the_sites_navigation() -> None:
    listed = set(re.findall(r"\b([\w/-]+\.md)\b", (ROOT / "mkdocs.yml").read_text()))
    assert listed == {str(page.relative_to(ROOT / "docs")) for page in PAGES}


def test_no_page_names_a_place_of_one_machine() -> None:
    found = {page.name: PLACES.findall(page.read_text()) for page in (README, *PAGES)}
    assert {name: places for name, places in found.items() if places} == {}
