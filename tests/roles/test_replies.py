"""Reading replies is total; prompts are files, pinned by digest."""

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from toolmint.core.tool import Demonstration
from toolmint.roles import prompts
from toolmint.roles.replies import class_in, code_in, first_block, object_in


@given(st.text())
def test_any_text_has_a_reading(text: str) -> None:
    assert code_in(text) is None or isinstance(code_in(text), str)
    assert object_in(text) is None or isinstance(object_in(text), dict)
    assert class_in(text, frozenset({"a"})) in {None, "a"}


def test_code_is_what_stands_in_fences() -> None:
    assert code_in("no code here") is None
    assert code_in("```python\n```") is None
    assert code_in("Here:\n```python\na = 1\n```\nand\n```\nb = 2\n```") == "a = 1\n\nb = 2\n"
    assert code_in("cut off:\n```py\na = 1") == "a = 1\n"
    assert first_block("```\na\n```\n```\nb\n```") == "a\n" and first_block("x") is None


def test_objects_are_found_in_prose() -> None:
    assert object_in('Object: {"a": [1]} done') == {"a": [1]}
    assert object_in("null") is None and object_in("{oops") is None


def test_only_known_kinds_count() -> None:
    known = frozenset({"sorting"})
    assert class_in("Kind: sorting", known) == "sorting"
    assert class_in("**Kind:** `sorting`.", known) == "sorting"
    assert class_in("Kind: unknown", known) is None and class_in("sorting", known) is None


def test_the_agents_and_judges_prompts_are_pinned() -> None:
    names = (
        "agent_system",
        "agent_planner",
        "agent_caller",
        "agent_programmer",
        "agent_summarizer",
        "agent_backbone",
        "agent_siblings",
        "paper_planner",
        "paper_caller",
        "paper_summarizer",
        "paper_backbone",
        "judge_pass",
        "judge_win",
        "judge_process",
        "missing_tool_demonstrations",
    )
    assert {name: prompts.template_digest(name) for name in names} == snapshot(
        {
            "agent_system": "555a35772e71",
            "agent_planner": "6e98ffb295b1",
            "agent_caller": "69484e7a831a",
            "agent_programmer": "6f479ef58a06",
            "agent_summarizer": "5f6a506f2ed8",
            "agent_backbone": "73f48da780de",
            "agent_siblings": "63419178fc43",
            "paper_planner": "94b6aa7f59fc",
            "paper_caller": "60010915c374",
            "paper_summarizer": "bbc390b95d05",
            "paper_backbone": "c886cabfedb1",
            "judge_pass": "4d8c7ec901d3",
            "judge_win": "2b6ae6adaff5",
            "judge_process": "5e2be5367a85",
            "missing_tool_demonstrations": "323569bb4679",
        }
    )


def test_prompts_are_pinned() -> None:
    names = (
        "latm_propose",
        "latm_fault",
        "latm_verify",
        "latm_verify_fault",
        "latm_wrap",
        "latm_use",
        "proved_propose",
        "proved_second",
        "proved_repair",
        "proved_use",
        "dispatch",
    )
    assert {name: prompts.template_digest(name) for name in names} == snapshot(
        {
            "latm_propose": "a838bb531279",
            "latm_fault": "ee60fa0986ba",
            "latm_verify": "a87b2642fe44",
            "latm_verify_fault": "5c92213381a3",
            "latm_wrap": "e8ee0d7173cd",
            "latm_use": "ec417eae314f",
            "proved_propose": "0e78d978ba18",
            "proved_second": "721da03eacd4",
            "proved_repair": "3135640874a9",
            "proved_use": "50b5c4076927",
            "dispatch": "875a0ff76964",
        }
    )


def test_prompts_hold_what_they_are_given() -> None:
    demos = [Demonstration(input="say $x {y}", target="z")]
    text = prompts.proved_propose(demos, 1.5)
    assert (
        "Question: say $x {y}\nAnswer: z" in text and "1.5 seconds" in text and "statistics" in text
    )
    assert '{"a":1}' in prompts.proved_use([("q", {"a": 1})], "r")
    assert "Kind: sums\nExample: 1 + 1" in prompts.dispatch({"sums": "1 + 1"}, "2 + 2")
    assert "say $x" in prompts.proved_second(demos)
