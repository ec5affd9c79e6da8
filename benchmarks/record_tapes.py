"""Writes the tapes anew from the replies in ``replies/``: needed whenever a prompt changes.

The replies were written by a large language model that saw the prompts; here they are given, in
order, to the real maker, whose prompts become the keys of the tape. Run: ``python
benchmarks/record_tapes.py``.
"""

import asyncio
import tempfile
from pathlib import Path

import junction
from toolwright.assembly.demo import arrivals_of, demo_workshop, run_stream
from toolwright.assembly.settings import Settings
from toolwright.assembly.workshop import Models, Workshop, order_of
from toolwright.core import demonstrations as read
from toolwright.core.errors import MakerError
from toolwright.core.model import ModelRequest, ModelResponse
from toolwright.embedded import tape_path
from toolwright.embedded.classes import CLASSES
from toolwright.models.replay import Recorder
from toolwright.models.scripted import ScriptedModel

HERE = Path(__file__).parent
REPLIES = HERE / "replies"
BBH_TAPE = HERE / "tapes" / "bbh.jsonl"
NOTE = "replies written by a large language model; token counts are characters / 4"
OPENINGS = {
    "Put these words": "sorting",
    "Close every bracket": "brackets",
    "fewer than": "remainders",
    "common slot": "meetings",
    "runners finished": "orderings",
    "swap cards": "swaps",
}


def reply(path: Path) -> str:
    """Give a file of replies as the text of a reply."""
    return f"```python\n{path.read_text(encoding='utf-8')}```\n"


class Writer:
    """Gives the replies of the class that a prompt speaks of, in order."""

    name = "recorded strong model"

    def __init__(self) -> None:
        folder = REPLIES / "embedded"
        self._makers = {
            name: ScriptedModel(
                [reply(p) for p in sorted(folder.glob(f"{name}.[0-9].py"))], name=self.name
            )
            for name in CLASSES
        }
        self._seconds = {
            name: ScriptedModel([reply(folder / f"{name}.second.py")] * 2, name=self.name)
            for name in CLASSES
        }

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Give the next reply of the right class."""
        first = request.messages[0].content
        kind = next(kind for opening, kind in OPENINGS.items() if opening in first)
        models = self._seconds if "without seeing each other" in first else self._makers
        return await models[kind].complete(request)


async def record_embedded() -> None:
    """Record the demo's makings."""
    tape_path().unlink(missing_ok=True)
    arrivals = arrivals_of()
    recorder = Recorder(Writer(), tape_path(), note=NOTE)
    async with demo_workshop(arrivals, recorder, print) as workshop:
        wrong = 0
        async for answered in run_stream(workshop, arrivals):
            wrong += not answered.right
        print(f"{len(workshop.dispatcher.tools)} tools, {wrong} wrong answers")


async def record_bbh(folder: Path) -> None:
    """Record makings from examples 0-9 of each task that has a reply."""
    BBH_TAPE.parent.mkdir(exist_ok=True)
    BBH_TAPE.unlink(missing_ok=True)
    for file in sorted(folder.glob("*.json")):
        base = file.stem.replace("_five_objects", "").replace("_seven_objects", "")
        path = REPLIES / "bbh" / f"{base}.py"
        refuse = (
            "No function can decide this from the text alone; it takes knowledge and judgement."
        )
        replies = [reply(path)] if path.exists() else [refuse] * 3
        model = Recorder(ScriptedModel(replies, name="recorded strong model"), BBH_TAPE, note=NOTE)
        labelled = read.parse(file.read_text(encoding="utf-8"), file.name)[:10]
        with tempfile.TemporaryDirectory() as store:
            settings = Settings(store=Path(store) / "tools.db")
            async with Workshop.open(settings, models=Models(model)) as workshop:
                try:
                    record = await workshop.make(order_of(file.stem, labelled, settings))
                    print(file.stem, record.label, len(record.evidence), "stages")
                except MakerError as fault:
                    print(file.stem, "no tool:", str(fault)[:100])


async def record_junction() -> None:
    """Record the junction of agent and maker."""
    junction.TAPE.unlink(missing_ok=True)
    recorder = Recorder(junction.Writer(), junction.TAPE, note=NOTE)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(store=Path(folder) / "tools.db")
        before, record, after = await junction.run(settings, recorder)
    print(before.outcome, before.wants, record.label, after.outcome, after.answer)


if __name__ == "__main__":
    asyncio.run(record_embedded())
    asyncio.run(record_junction())
    data = Settings().data / "bbh"
    if data.is_dir():
        asyncio.run(record_bbh(data))
