"""Writes the cassettes anew from the replies in ``replies/``: needed whenever a prompt changes.

The replies were written by a large language model that saw the prompts; here they are given, in
order, to the real maker, whose prompts become the keys of the cassette. Run: ``python
benchmarks/record_cassettes.py``.
"""

import asyncio
import tempfile
from pathlib import Path

import junction
from toolmint.assembly.demo import arrivals_of, demo_session, run_stream
from toolmint.assembly.session import Models, Session, make_request_of
from toolmint.assembly.settings import Settings, load_settings
from toolmint.core import demonstrations as read
from toolmint.core.errors import MakerError
from toolmint.core.model import ModelRequest, ModelResponse
from toolmint.embedded import cassette_path
from toolmint.embedded.classes import CLASSES
from toolmint.models.cassette import RecordingModel
from toolmint.models.scripted import ScriptedModel

HERE = Path(__file__).parent
REPLIES = HERE / "replies"
BBH_CASSETTE = HERE / "cassettes" / "bbh.jsonl"
NOTE = "replies written by a large language model; token counts are characters / 4"
OPENINGS = {
    "Put these words": "sorting",
    "Close every bracket": "brackets",
    "fewer than": "remainders",
    "common slot": "meetings",
    "runners finished": "orderings",
    "swap cards": "swaps",
}


TITLES = {
    "sorting": "Put words into alphabetical order",
    "brackets": "Close every open bracket",
    "remainders": "Find a number from its remainders",
    "meetings": "Find a common meeting slot",
    "orderings": "Find an order from clues",
    "swaps": "Follow cards through swaps",
    "boolean_expressions": "Evaluate a Boolean expression",
    "chinese_remainder_theorem": "Find a number from its remainders",
    "dyck_languages": "Close a sequence of brackets",
    "logical_deduction": "Find an order of objects from clues",
    "multistep_arithmetic_two": "Evaluate an arithmetic expression",
    "navigate": "Check whether steps lead back to the start",
    "object_counting": "Count objects of a kind",
    "schedule_meeting": "Find a common meeting time",
    "tracking_shuffled_objects": "Follow objects through swaps",
    "web_of_lies": "Decide who tells the truth",
    "word_sorting": "Sort words alphabetically",
}


def reply(path: Path) -> str:
    """Return a file of replies as the text of a reply, with the title that the prompt asks for."""
    title = f"# title: {TITLES[path.name.split('.')[0]]}\n"
    return f"```python\n{title}{path.read_text(encoding='utf-8')}```\n"


class Writer:
    """Returns the replies of the class that a prompt speaks of, in order; ``repeat``: again and again."""

    name = "recorded strong model"

    def __init__(self, *, repeat: bool = False) -> None:
        folder = REPLIES / "embedded"
        times = 20 if repeat else 1
        self._makers = {
            name: ScriptedModel(
                [reply(p) for p in sorted(folder.glob(f"{name}.[0-9].py"))] * times, name=self.name
            )
            for name in CLASSES
        }
        self._seconds = {
            name: ScriptedModel([reply(folder / f"{name}.second.py")] * 2 * times, name=self.name)
            for name in CLASSES
        }

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the next reply of the right class."""
        first = request.messages[0].content
        kind = next(kind for opening, kind in OPENINGS.items() if opening in first)
        models = self._seconds if "without seeing each other" in first else self._makers
        return await models[kind].complete(request)


async def record_embedded() -> None:
    """Record the demo's makings."""
    cassette_path().unlink(missing_ok=True)
    arrivals = arrivals_of()
    recorder = RecordingModel(Writer(), cassette_path(), note=NOTE)
    async with demo_session(arrivals, recorder, print) as client:
        wrong = 0
        async for answered in run_stream(client, arrivals):
            wrong += not answered.right
        print(f"{len(await client.store.serving())} tools, {wrong} wrong answers")


async def record_bbh(folder: Path) -> None:
    """Record makings from examples 0-9 of each task that has a reply."""
    BBH_CASSETTE.parent.mkdir(exist_ok=True)
    BBH_CASSETTE.unlink(missing_ok=True)
    for file in sorted(folder.glob("*.json")):
        base = file.stem.replace("_five_objects", "").replace("_seven_objects", "")
        path = REPLIES / "bbh" / f"{base}.py"
        refuse = (
            "No function can decide this from the text alone; it takes knowledge and judgement."
        )
        replies = [reply(path)] if path.exists() else [refuse] * 3
        model = RecordingModel(
            ScriptedModel(replies, name="recorded strong model"), BBH_CASSETTE, note=NOTE
        )
        labelled = read.parse_demonstrations(file.read_text(encoding="utf-8"), file.name)[:10]
        with tempfile.TemporaryDirectory() as store:
            settings = Settings(store=Path(store) / "tools.db")
            async with Session.open(settings, models=Models(model)) as client:
                try:
                    record = await client.make(make_request_of(file.stem, labelled, settings))
                    print(file.stem, record.label, len(record.evidence), "stages")
                except MakerError as fault:
                    print(file.stem, "no tool:", str(fault)[:100])


async def record_junction() -> None:
    """Record the junction of agent and maker."""
    junction.CASSETTE.unlink(missing_ok=True)
    recorder = RecordingModel(junction.Writer(), junction.CASSETTE, note=NOTE)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=Path(folder) / "tools.db")
        before, record, after = await junction.run(settings, recorder)
    print(before.outcome, before.wants, record.label, after.outcome, after.answer)


if __name__ == "__main__":
    asyncio.run(record_embedded())
    asyncio.run(record_junction())
    data = load_settings().data
    if data is not None and (data / "bbh").is_dir():
        asyncio.run(record_bbh(data / "bbh"))
