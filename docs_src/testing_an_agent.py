"""Test an agent of your own without a model: the replies are scripted."""

from docs_src.agent_basic import run
from toolmint import ScriptedModel


def test_the_agent_looks_up_the_year() -> None:
    model = ScriptedModel(
        [
            "The year is needed.\nNext: caller",
            '{"name": "founded", "arguments": {"company": "Norda"}}',
            "The year is known.\nNext: summarizer",
            "Norda was founded in 1987.",
        ]
    )
    assert run(model) == "Norda was founded in 1987."
