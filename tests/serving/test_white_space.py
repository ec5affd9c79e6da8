"""A tool that overlooks white space refuses what it cannot rebuild, and comparisons see what it loses."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from random import Random
from string import ascii_lowercase

import pytest
from tests.serving.test_server import record, serving

from toolmint.core.namespace import Namespace
from toolmint.core.tool import State
from toolmint.maker.program import run_tool
from toolmint.sandbox.forkserver import ForkServer
from toolmint.serving.lifecycle import ServingPolicy, bound_status
from toolmint.serving.lookup import ActiveVersion

pytestmark = pytest.mark.anyio

EXACT = """import re


def parse(request):
    found = re.fullmatch(r"Reverse the characters of <([^<>]*)>\\.", request, re.DOTALL)
    return {"text": found[1]} if found else None


def unparse(args):
    return "Reverse the characters of <" + args["text"] + ">."


def solve(text):
    return text[::-1]


def render(args, result):
    return result
"""
FOLDS_THE_REQUEST = EXACT.replace('\\.", request,', '\\.", " ".join(request.split()),')
FOLDS_THE_VALUE = EXACT.replace('{"text": found[1]}', '{"text": " ".join(found[1].split())}')
FOLDS_AT_THE_END = EXACT.replace('">."', '">.\\n"')
NORMALISES = EXACT.replace("import re", "import re\nimport unicodedata").replace(
    '{"text": found[1]}', '{"text": unicodedata.normalize("NFC", found[1])}'
)
FOLDS_IN_SOLVE = EXACT.replace("text[::-1]", '" ".join(text.split())[::-1]')
JSON = EXACT.replace("Reverse the characters", "Write the characters as JSON").replace(
    "    return result\n",
    '    return "{\\"reversed\\":\\"" + result + "\\",\\"length\\":" + str(len(result)) + "}"\n',
)
EXAMPLES = ["Reverse the characters of <one two>.", "Reverse the characters of <red sea>."]


def asked(text: str) -> str:
    return f"Reverse the characters of <{text}>."


def texts(gap: str, count: int = 150) -> list[str]:
    rng = Random(11)
    return [
        gap.join("".join(rng.choices(ascii_lowercase, k=rng.randint(1, 6))) for _ in range(3))
        for _ in range(count)
    ]


def tools(source: str, state: State = "serving") -> dict[str, tuple[str, list[str], State]]:
    return {"reverse": (source, EXAMPLES, state)}


@pytest.mark.parametrize("source", [FOLDS_THE_REQUEST, FOLDS_THE_VALUE])
async def test_a_tool_that_folds_spaces_refuses_every_two_space_request(
    tmp_path: Path, sandbox: ForkServer, source: str
) -> None:
    async with serving(tmp_path, sandbox, tools(source), ServingPolicy(shadow=False)) as server:
        known = await server.lookup(asked("one two"))
        assert (known.mode, known.answer) == ("serve", "owt eno")
        found = [await server.lookup(asked(text)) for text in texts("  ")]
    assert [one.mode for one in found] == ["none"] * 150
    assert all("differs, in white space alone: " in one.attempts[0] for one in found)


async def test_a_tool_that_keeps_white_space_answers_two_space_requests_rightly(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, tools(EXACT), ServingPolicy(shadow=False)) as server:
        for text in [*texts("  ", 20), " a", "b\n", "\tc\r\n\u00a0", "e\u0301", ""]:
            found = await server.lookup(asked(text))
            assert (found.mode, found.answer) == ("serve", text[::-1])


CHANGES: dict[str, Callable[[str], str]] = {
    "a line end more": lambda text: f"{text}\n",
    "a space more": lambda text: f"{text} ",
    "a space before": lambda text: f" {text}",
    "a tab": lambda text: text.replace(" ", "\t", 1),
    "a no-break space": lambda text: text.replace(" ", "\u00a0", 1),
    "a line end inside": lambda text: text.replace(" ", "\r\n", 1),
    "a zero-width space": lambda text: text.replace(" ", " \u200b", 1),
    "a BOM": lambda text: f"\ufeff{text}",
    "another case": lambda text: text.replace("Reverse", "reverse"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("source", [EXACT, FOLDS_THE_REQUEST])
async def test_a_request_that_differs_in_any_character_of_its_wording_is_refused(
    sandbox: ForkServer, source: str, change: Callable[[str], str]
) -> None:
    assert (await run_tool(sandbox, source, asked("one two"))).answer == "owt eno"
    run = await run_tool(sandbox, source, change(asked("one two")))
    assert (run.status, run.answer) == ("refused", None)


async def test_a_request_whose_line_end_the_tool_adds_or_drops_is_refused(
    sandbox: ForkServer,
) -> None:
    run = await run_tool(sandbox, FOLDS_AT_THE_END, asked("ab"))
    assert run.status == "refused"
    assert run.why == (
        "the rebuilt request differs, in white space alone: '\\n' for the end at character 32"
    )


async def test_a_normalised_request_is_another_request(sandbox: ForkServer) -> None:
    composed, parts = (asked(unicodedata.normalize(form, "é!")) for form in ("NFC", "NFD"))
    assert (await run_tool(sandbox, NORMALISES, composed)).answer == "!é"
    run = await run_tool(sandbox, NORMALISES, parts)
    assert run.status == "refused" and run.why.startswith(
        "the rebuilt request differs: 'é' for 'e'"
    )


async def test_a_reason_shows_no_more_of_a_request_than_the_character_that_differs(
    sandbox: ForkServer,
) -> None:
    run = await run_tool(sandbox, FOLDS_THE_VALUE, asked("secret  words"))
    assert "secret" not in run.why and "words" not in run.why


@pytest.mark.parametrize("state", ["serving", "shadowing"])
async def test_comparisons_see_white_space_that_a_tool_loses(
    tmp_path: Path, sandbox: ForkServer, state: State
) -> None:
    policy = ServingPolicy(audit_rate=1)
    async with serving(tmp_path, sandbox, tools(FOLDS_IN_SOLVE, state), policy) as server:
        for text in texts("  ", 5):
            found = await server.lookup(asked(text))
            if found.entry is None:
                break
            outcome = await server.compare(found, asked(text), text[::-1], keep=True)
            assert outcome is not None and outcome.disagreed and outcome.rule is None
        assert not server.entries  # demoted


async def test_a_comparison_forgives_the_ends_alone_and_says_by_which_rule(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    policy = ServingPolicy(audit_rate=1)
    async with serving(tmp_path, sandbox, tools(EXACT), policy) as server:
        found = await server.lookup(asked("a  b"))
        same = await server.compare(found, asked("a  b"), "\n b  a \n", keep=True)
        assert same is not None and (same.disagreed, same.rule) == (False, "text")
        other = await server.compare(found, asked("a  b"), "b a", keep=True)
        assert other is not None and (other.disagreed, other.rule) == (True, None)


async def test_json_answers_are_compared_as_json_and_counted(
    tmp_path: Path, sandbox: ForkServer
) -> None:
    async with serving(tmp_path, sandbox, {}, ServingPolicy(audit_rate=1)) as server:
        kept = await server.store.add(record("json", JSON, EXAMPLES), "serving", "for a test")
        server.adopt(ActiveVersion(kept, "serving", Namespace().key("json")))
        request = "Write the characters as JSON of <ab>."
        found = await server.lookup(request)
        assert found.answer == '{"reversed":"ba","length":2}'
        theirs = '{\n  "length": 2.0,\n  "reversed": "ba"\n}\n'
        outcome = await server.compare(found, request, theirs, keep=True)
        assert outcome is not None and (outcome.disagreed, outcome.rule) == (False, "json")
        wrong = await server.compare(found, request, '{"length": 2, "reversed": "b a"}', keep=True)
        assert wrong is not None and wrong.disagreed
        assert wrong.tally.as_json == 1
        said = str(bound_status(wrong.tally, server.policy.bound))
        assert said.startswith("1 of 2 comparisons disagreed (1 agreed as JSON), upper limit")
