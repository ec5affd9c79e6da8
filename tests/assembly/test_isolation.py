"""The settings of resident workers reach the sandbox."""

import pytest

from toolmint.assembly.sandboxes import sandbox_of
from toolmint.assembly.settings import load_settings
from toolmint.core.errors import ConfigError
from toolmint.maker.program import answer_program, serve_tool
from toolmint.sandbox.forkserver import ForkServer

SOURCE = """
def parse(request): return {"text": request[6:]} if request.startswith("Shout ") else None
def unparse(args): return "Shout " + args["text"]
def solve(text): return text.upper()
def render(args, result): return result
"""


@pytest.mark.anyio
@pytest.mark.parametrize(("isolation", "kept"), [("resident", 1), ("call", 0)])
async def test_isolation_says_whether_a_tool_keeps_its_process(isolation: str, kept: int) -> None:
    sandbox = sandbox_of(load_settings(isolation=isolation))
    assert isinstance(sandbox, ForkServer)
    try:
        answers = [
            (await serve_tool(sandbox, answer_program(SOURCE), "Shout hello", "anna")).answer
            for _ in range(3)
        ]
        assert answers == ["HELLO"] * 3
        assert len(sandbox.residents) == kept
    finally:
        sandbox.close()


def test_an_unknown_isolation_is_said_so() -> None:
    with pytest.raises(ConfigError, match="isolation"):
        load_settings(isolation="thread")


def test_no_negative_number_of_residents_is_taken() -> None:
    with pytest.raises(ConfigError, match="residents"):
        load_settings(residents=-1)
