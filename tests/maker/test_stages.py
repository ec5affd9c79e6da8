"""Each verification stage against tools that are right and tools that are built to cheat it."""

import json

import pytest
from tests.maker.tools import RIGHT, demos

from toolmint.core.tool import Demonstration
from toolmint.core.values import Value
from toolmint.maker.determinism import stage_determinism
from toolmint.maker.program import ToolRun
from toolmint.maker.stages import (
    smuggled,
    stage_form,
    stage_labels,
    stage_near_misses,
    stage_round_trip,
    stage_second,
)
from toolmint.maker.verification_input import VerificationInput
from toolmint.maker.verify import verify
from toolmint.sandbox.forkserver import ForkServer

pytestmark = pytest.mark.anyio
DEMOS = demos()


def inputs_of(source: str, **more: object) -> VerificationInput:
    return VerificationInput.model_validate(
        {"source": source, "labelled": DEMOS, "near_misses": 120} | more
    )


async def test_a_right_tool_passes_every_stage(
    sandbox: ForkServer, other_sandbox: ForkServer
) -> None:
    unlabelled = tuple(one.input for one in demos(12, seed=5))
    foreign = tuple(one.input for one in demos(5, "swaps"))
    found = await verify(
        inputs_of(RIGHT, second=RIGHT, unlabelled=unlabelled, foreign=foreign),
        sandbox,
        other_sandbox,
    )
    assert [one.verdict for one in found] == ["passed"] * 6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("def render", "def show"), "missing at the top level: render"),
        (("import re", "import re, socket"), "forbidden imports: line 1: socket"),
        (("import re", "from os import path"), "forbidden imports"),
        (("import re", "import re\nseen = []"), None),
        (
            (
                "    return sorted(words)",
                "    global last\n    last = words\n    return sorted(words)",
            ),
            "global",
        ),
        (("def solve(words):", "def solve(words, seen=[]):"), "mutable default"),
        (
            ("    return sorted(words)", "    solve.last = words\n    return sorted(words)"),
            "changes solve",
        ),
        (("import re", "import re\n1 / 0"), "loading it fails: ZeroDivisionError"),
        (("def parse(request):", "def parse(request:"), "cannot be read: SyntaxError"),
        (("import re", "import re\nwhile True: pass"), "loading it fails: timeout"),
    ],
    ids=str,
)
async def test_form_is_checked_before_anything_runs(
    sandbox: ForkServer, change: tuple[str, str], says: str | None
) -> None:
    evidence = await stage_form(inputs_of(RIGHT.replace(*change)), sandbox)
    assert (evidence.verdict == "passed") if says is None else says in evidence.summary


async def test_state_in_a_module_value_is_seen(sandbox: ForkServer) -> None:
    source = RIGHT.replace("import re", "import re\nseen = {}").replace(
        "    return sorted(words)", "    seen['x'] = words\n    return sorted(words)"
    )
    assert "solve changes seen" in (await stage_form(inputs_of(source), sandbox)).summary


async def test_labels_decide_and_a_wrong_tool_is_told_how(sandbox: ForkServer) -> None:
    wrong = RIGHT.replace("sorted(words)", "sorted(words, reverse=True)")
    evidence, _ = await stage_labels(inputs_of(wrong), sandbox)
    assert evidence.verdict == "failed"
    assert (
        "10 of 10 demonstrations are not met" in evidence.summary and "expected" in evidence.summary
    )


async def test_a_label_that_every_tool_contradicts_is_suspect(sandbox: ForkServer) -> None:
    bad = DEMOS[3].model_copy(update={"target": "wrong, label"})
    labelled = (*DEMOS[:3], bad, *DEMOS[4:])
    alone, _ = await stage_labels(inputs_of(RIGHT, labelled=labelled), sandbox)
    assert alone.verdict == "failed"
    both, _ = await stage_labels(inputs_of(RIGHT, labelled=labelled, second=RIGHT), sandbox)
    assert both.verdict == "passed" and "1 suspect" in both.summary
    assert both.details["suspects"] == [
        {"input": bad.input, "label": "wrong, label", "tools": DEMOS[3].target}
    ]


async def test_many_contradicted_labels_are_the_tools_fault(sandbox: ForkServer) -> None:
    labelled = tuple(one.model_copy(update={"target": "x"}) for one in DEMOS)
    evidence, _ = await stage_labels(inputs_of(RIGHT, labelled=labelled, second=RIGHT), sandbox)
    assert evidence.verdict == "failed" and str(evidence.details["suspects"]).count("'label'") == 10


async def test_outsiders_are_tolerated_only_where_wording_grouped_them(sandbox: ForkServer) -> None:
    stranger = Demonstration(input="Put these words into a poem: sea.", target="The sea.")
    labelled = (*DEMOS, stranger)
    strict, _ = await stage_labels(inputs_of(RIGHT, labelled=labelled), sandbox)
    assert strict.verdict == "failed"
    clustered, _ = await stage_labels(inputs_of(RIGHT, labelled=labelled, clustered=True), sandbox)
    assert clustered.verdict == "passed" and clustered.details["outsiders"] == [stranger.input]


async def _round_trip(source: str, sandbox: ForkServer) -> str:
    tried = inputs_of(source)
    _, attempts = await stage_labels(tried, sandbox)
    evidence = await stage_round_trip(tried, attempts, sandbox)
    return "passed" if evidence.verdict == "passed" else evidence.summary


SMUGGLER = """
def parse(request):
    if "alphabetical" not in request:
        return None
    return {"text": request, "words": request.split(": ")[1][:-1].split(", ")}
def unparse(args): return args["text"]
def solve(text, words): return sorted(words)
def render(args, result): return ", ".join(result)
"""
STATEFUL = """
import builtins
def parse(request):
    vars(builtins)["smuggled"] = request
    if "alphabetical" not in request:
        return None
    return {"words": request.split(": ")[1][:-1].split(", ")}
def unparse(args): return builtins.smuggled
def solve(words): return sorted(words)
def render(args, result): return ", ".join(result)
"""
TOKENS = """
def parse(request):
    return {"tokens": request.split(" ")} if "alphabetical" in request else None
def unparse(args): return " ".join(args["tokens"])
def solve(tokens): return sorted(t.strip(",.") for t in tokens[6:])
def render(args, result): return ", ".join(result)
"""
SEARCHER = RIGHT.replace("re.fullmatch(r", "re.search(r").replace(
    '", ".join(args["words"]) + "."', '", ".join(args["words"]) + "."'
)


async def test_a_right_tool_is_rebuilt(sandbox: ForkServer) -> None:
    assert await _round_trip(RIGHT, sandbox) == "passed"


async def test_a_parser_that_carries_the_request_through_is_caught(sandbox: ForkServer) -> None:
    assert "carries most of the request" in await _round_trip(SMUGGLER, sandbox)


async def test_a_parser_that_hides_the_request_in_the_process_is_caught(
    sandbox: ForkServer,
) -> None:
    assert "not rebuilt from their values" in await _round_trip(STATEFUL, sandbox)


async def test_a_parser_that_carries_the_words_through_is_caught_by_near_misses(
    sandbox: ForkServer,
) -> None:
    assert "requests of another meaning are answered" in await _near_misses(TOKENS, sandbox)


async def _near_misses(source: str, sandbox: ForkServer) -> str:
    tried = inputs_of(source)
    _, attempts = await stage_labels(tried, sandbox)
    return (await stage_near_misses(tried, attempts, sandbox)).summary


async def test_a_parser_that_takes_any_word_is_caught(sandbox: ForkServer) -> None:
    loose = RIGHT.replace("([a-z]+(?:, [a-z]+)+)", "(.+)")
    assert "another meaning are answered" in await _near_misses(loose, sandbox)


async def test_a_parser_that_searches_is_stopped_by_the_round_trip(sandbox: ForkServer) -> None:
    assert (await _near_misses(SEARCHER, sandbox)).endswith("refused")


async def test_requests_of_other_classes_must_be_refused(sandbox: ForkServer) -> None:
    tried = inputs_of(RIGHT, foreign=(DEMOS[0].input,))
    _, attempts = await stage_labels(tried, sandbox)
    assert "is answered with" in (await stage_near_misses(tried, attempts, sandbox)).summary


async def test_unlabelled_requests_must_mostly_be_understood(sandbox: ForkServer) -> None:
    tried = inputs_of(RIGHT, unlabelled=tuple(one.input for one in demos(10, "swaps")))
    _, attempts = await stage_labels(tried, sandbox)
    assert "10 of 10 other requests" in (await stage_round_trip(tried, attempts, sandbox)).summary


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("list(set(words) | {'%s' % id(object)})", "disagree"),
        ("list(set(words))", "disagree"),
        ("__import__('time').sleep(0.15) or sorted(words)", "too slow"),
    ],
)
async def test_chance_order_and_slowness_are_caught(
    sandbox: ForkServer, other_sandbox: ForkServer, body: str, says: str
) -> None:
    tried = inputs_of(RIGHT.replace("sorted(words)", body), slowest=0.1)
    assert says in (await stage_determinism(tried, sandbox, other_sandbox)).summary


async def test_a_second_tool_that_disagrees_stops_the_first(sandbox: ForkServer) -> None:
    long_only = RIGHT.replace("sorted(words)", "sorted(words) if len(words) < 13 else words")
    tried = inputs_of(RIGHT, second=RIGHT.replace("sorted(words)", "sorted(words)[:12]"))
    _, attempts = await stage_labels(tried, sandbox)
    assert (await stage_second(tried, attempts, sandbox)).verdict == "passed"
    unlabelled = ("Put these words into alphabetical order: " + ", ".join("nmlkjihgfedcba") + ".",)
    split = inputs_of(long_only, second=RIGHT, unlabelled=unlabelled)
    evidence = await stage_second(split, attempts, sandbox)
    assert evidence.verdict == "failed" and "contradicted" in evidence.summary


async def test_without_a_second_tool_the_stage_is_skipped(sandbox: ForkServer) -> None:
    assert (await stage_second(inputs_of(RIGHT), [], sandbox)).verdict == "skipped"
    _, attempts = await stage_labels(inputs_of(RIGHT), sandbox)
    deaf = inputs_of(RIGHT, second=RIGHT.replace("if found else None", "if False else None"))
    assert "answers none" in (await stage_second(deaf, attempts, sandbox)).summary


async def test_only_long_texts_count_as_smuggled() -> None:
    assert smuggled("sort a b c d e", {"x": "a b c d e"}) == "a b c d e"
    assert smuggled("sort a b c d e", {"x": ["a", "b", "c", "d", "e"]}) is None
    assert smuggled("what is 12345678901?", {"n": "12345678901"}) is None


def words(target: str | None) -> Value:
    return list((target or "").split(", "))


def relabelled(change: str) -> tuple[Demonstration, ...]:
    """Return the demonstrations, the first with another label."""
    return (DEMOS[0].model_copy(update={"target": change}), *DEMOS[1:])


async def test_labels_are_met_but_for_white_space_at_their_ends(sandbox: ForkServer) -> None:
    ends = inputs_of(RIGHT, labelled=relabelled(f" {DEMOS[0].target}\n"))
    evidence, _ = await stage_labels(ends, sandbox)
    assert evidence.verdict == "passed" and evidence.details["rules"] == {"text": 10}
    inner = inputs_of(RIGHT, labelled=relabelled((DEMOS[0].target or "").replace(", ", ",  ", 1)))
    evidence, _ = await stage_labels(inner, sandbox)
    assert evidence.verdict == "failed" and "1 of 10 demonstrations are not met" in evidence.summary


AS_JSON = RIGHT.replace("import re", "import json, re").replace(
    '    return ", ".join(result)\n', '    return json.dumps({"words": result})\n'
)


async def test_json_labels_are_met_by_value_and_the_record_says_so(sandbox: ForkServer) -> None:
    def labels(layout: str, *, swap: bool = False) -> tuple[Demonstration, ...]:
        found: list[Demonstration] = []
        for one in DEMOS:
            words = (one.target or "").split(", ")
            said = json.dumps({"words": words[::-1] if swap else words}, indent=1)
            found.append(one.model_copy(update={"target": layout.format(said)}))
        return tuple(found)

    met, runs = await stage_labels(inputs_of(AS_JSON, labelled=labels("{}\n")), sandbox)
    assert (met.verdict, met.summary) == ("passed", "10 of 10 labels met (10 as JSON)")
    assert met.details["rules"] == {"json": 10}
    for wrong in (labels("{}", swap=True), labels("```json\n{}\n```")):
        evidence, _ = await stage_labels(inputs_of(AS_JSON, labelled=wrong), sandbox)
        assert evidence.verdict == "failed"
    second = AS_JSON.replace("json.dumps(", "json.dumps(indent=2, obj=")
    both = inputs_of(AS_JSON, labelled=DEMOS, second=second)
    evidence = await stage_second(both, runs, sandbox)
    assert evidence.verdict == "passed"
    assert evidence.details["rules"] == {"json": evidence.details["agreed"]}


FOLDING = RIGHT.replace(", request)", ', " ".join(request.split()))')


async def test_a_demonstration_that_a_tool_folds_is_refused_by_name(sandbox: ForkServer) -> None:
    spaced = DEMOS[0].model_copy(update={"input": DEMOS[0].input.replace(": ", ":  ")})
    tried = inputs_of(FOLDING, labelled=(spaced, *DEMOS[1:]))
    evidence, _ = await stage_labels(tried, sandbox)
    assert evidence.verdict == "failed"
    assert "refused: the rebuilt request differs, in white space alone" in evidence.summary


async def test_the_round_trip_of_verification_is_exact(sandbox: ForkServer) -> None:
    source = RIGHT.replace('args["words"]) + "."', 'args["words"]) + ".\\n"')
    runs = [ToolRun(status="answered", why="", args={"words": words(one.target)}) for one in DEMOS]
    evidence = await stage_round_trip(inputs_of(source), runs, sandbox)
    assert evidence.verdict == "failed" and "differs" in evidence.summary


REVERSE = """import re


def parse(request):
    found = re.fullmatch(r"Reverse the characters of <([a-z ]+)>", request)
    return {"text": found[1]} if found else None


def unparse(args):
    return "Reverse the characters of <" + args["text"] + ">"


def solve(text):
    return text[::-1]


def render(args, result):
    return result
"""


async def test_a_second_tool_shows_that_the_first_one_folds_what_it_computes_with(
    sandbox: ForkServer,
) -> None:
    pairs = ("red sea", "old oak", "big dog", "hot tea", "low tide", "far away")
    labelled = tuple(
        Demonstration(input=f"Reverse the characters of <{text}>", target=text[::-1])
        for text in pairs
    )
    folding = REVERSE.replace("text[::-1]", '" ".join(text.split())[::-1]')
    tried = inputs_of(folding, labelled=labelled, second=REVERSE)
    evidence, runs = await stage_labels(tried, sandbox)
    assert evidence.verdict == "passed"
    evidence = await stage_second(tried, runs, sandbox)
    assert evidence.verdict == "failed" and "are contradicted" in evidence.summary
    alike = inputs_of(REVERSE, labelled=labelled, second=REVERSE)
    assert (await stage_second(alike, runs, sandbox)).verdict == "passed"
