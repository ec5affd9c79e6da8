"""The junction of agent and maker, on recorded replies: give up, make the missing tool, try again.

Run: ``python benchmarks/junction.py``. The replies were written by a large language model that saw the
prompts; ``record_cassettes.py`` writes the cassette anew when a prompt changes.
"""

import asyncio
import json
import tempfile
from pathlib import Path

from toolmint import AgentSession, Settings, Trajectory
from toolmint.assembly.missing_tools import make_missing_tool
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.tool import ToolRecord
from toolmint.models.scripted import estimated_usage

HERE = Path(__file__).parent
CASSETTE = HERE / "cassettes" / "junction.jsonl"
REPLIES = HERE / "replies" / "junction"
TOOLS = f"python:{HERE.parent / 'examples' / 'company_tools.py'}"
TASK = "In which year was Norda founded? Give the year as a Roman numeral."


class Writer:
    """Returns the replies that a large language model wrote, by what the prompt asks for."""

    name = "recorded model"

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the reply to a prompt."""
        text = self._reply(request)
        return ModelResponse(content=text, model=self.name, usage=estimated_usage(request, text))

    def _reply(self, request: ModelRequest) -> str:
        first, last = request.messages[0].content, request.messages[-1].content
        if "a tool agent gave up" in last.lower():
            return (REPLIES / "demonstrations.json").read_text(encoding="utf-8")
        if not request.tools:
            kind = "second" if "without seeing each other" in first else "1"
            title = "# title: Write a number in Roman numerals\n"
            return f"```python\n{title}{(REPLIES / f'roman.{kind}.py').read_text(encoding='utf-8')}```\n"
        seen = [message.content for message in request.messages if message.role == "tool"]
        made = [tool.name for tool in request.tools if tool.name.startswith("converts")]
        if "planner's turn" in last:
            return self._plan(len(seen), made)
        if "caller's turn" in last:
            call = (
                {"name": made[0], "arguments": {"number": 1987}}
                if seen
                else {"name": "founded", "arguments": {"company": "Norda"}}
            )
            return json.dumps(call)
        return "Norda was founded in MCMLXXXVII (1987)."

    def _plan(self, calls: int, made: list[str]) -> str:
        if calls == 0:
            return "The year that Norda was founded comes first; `founded` gives it.\nNext: caller"
        if calls == 2:
            return "The year and its Roman numeral are known.\nNext: summarizer"
        if made:
            return f"The year is 1987. `{made[0]}` writes it as a Roman numeral.\nNext: caller"
        return (
            "The year is 1987, but no tool writes Roman numerals.\n"
            "Missing tool: converts a whole number from 1 to 3999 to a Roman numeral.\nNext: give up"
        )


async def run(
    settings: Settings, model: Model | None = None
) -> tuple[Trajectory, ToolRecord, Trajectory]:
    """Try the task, make what is missing, and try again; returns both runs and the tool."""
    async with AgentSession.open(settings, [TOOLS, "made"], model=model) as session:
        before = await session.solve(TASK)
        (missing_tool,) = await session.client.store.traces.missing_tools()
        record = await make_missing_tool(session.client, missing_tool)
    async with AgentSession.open(settings, [TOOLS, "made"], model=model) as session:
        return before, record, await session.solve(TASK)


async def main() -> None:
    """Run on the cassette, and print what happened."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=Path(folder) / "tools.db", model=f"cassette:{CASSETTE}")
        before, record, after = await run(settings)
    print(f"before: {before.outcome}, for want of a tool that {before.wants}")
    stages = ", ".join(f"{one.stage} {one.verdict}" for one in record.evidence)
    print(
        f"made: {record.label} from {len(record.demonstrations)} written demonstrations; {stages}"
    )
    print(f"after: {after.outcome}: {after.answer}")


if __name__ == "__main__":
    asyncio.run(main())
