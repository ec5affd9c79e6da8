"""Fuzz the readers of replies: random and mutated replies of models, and odd tools, through whole runs.

Run: ``python benchmarks/reply_fuzz.py 100000 [SEED]``. Each run must end, and its trajectory must be readable
from its own JSON. Prints crashes, lost traces, and how the runs ended.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from random import Random
from typing import Any, NamedTuple

from toolmint import DFSDT, AgentLoop, ReACT, Task, ThreeRolePolicy, ToolCollection, tool
from toolmint.agent.policy import SingleModelPolicy
from toolmint.core.errors import ModelError, ToolmintError
from toolmint.core.model import Model, ModelRequest, ModelResponse
from toolmint.core.task import Limits, read_trajectory
from toolmint.models.openai_wire import decode_response

FRAGMENTS = (
    *("Next: caller", "Next: summarizer", "Next: give up", "**Next: Caller**", "Missing tool: x"),
    *(
        "Action: echo\nAction Input: ",
        "Action:",
        "Action Input:",
        "conclusion: ",
        "Final Answer: 7",
    ),
    *("<think>", "</think>", "[THINK]", "<|channel|>analysis<|message|>", "<|end|>", "</s>"),
    *("<tool_call>", "</tool_call>", "<function=echo>", "<parameter=text>", "</function>"),
    *(
        "<|python_tag|>",
        "[TOOL_CALLS]",
        "[ARGS]",
        "```json\n",
        "```python\n",
        "```",
        "to=functions.echo",
    ),
    *('{"name": "echo", "arguments": ', '{"text": "a"}', '{"name": "odd", "arguments": {}}'),
    *(
        "{",
        "}",
        "[",
        "]",
        '"',
        "'",
        "(",
        ")",
        "\\",
        "\n",
        " ",
        "\u2028",
        "\ud800",
        "\x00",
        "NaN",
        "1e999",
    ),
    *("[" * 1500, '{"a":' * 1500, "9" * 5000, "word " * 300, "echo(text='a')", "It is 7."),
)


@tool
async def echo(text: str) -> str:
    """Return the text."""
    return text


@tool
async def odd(kind: int = 0) -> object:
    """Return or raise something odd."""
    match kind % 7:
        case 0:
            raise SystemExit(1)
        case 1:
            return {"x": float("inf")}
        case 2:
            return b"\xff\xfe"
        case 3:
            raise BaseExceptionGroup("several", [KeyError("x")])
        case 4:
            return "\ud800" * 3
        case 5:
            return "x" * 20_000
        case _:
            return None


BOX = ToolCollection([echo, odd])


class FuzzReport(NamedTuple):
    """What a fuzz found: runs, the faults with the run's number, and how runs ended."""

    runs: int
    crashes: tuple[str, ...]
    lost: tuple[str, ...]
    endings: dict[str, int]
    seconds: float


def some_text(random: Random) -> str:
    """Return a text of fragments and random characters, sometimes with a piece cut out."""
    parts = [
        random.choice(FRAGMENTS) if random.random() < 0.8 else chr(random.randrange(1, 0x3000))
        for _ in range(random.randrange(8))
    ]
    text = "".join(parts)
    if text and random.random() < 0.2:
        at = random.randrange(len(text))
        text = text[:at] + text[at + random.randrange(1, 9) :]
    return text


def some_json(random: Random, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Return a random JSON value."""
    kind = random.randrange(8 if depth < 3 else 6)
    match kind:
        case 0:
            return None
        case 1:
            return random.choice([0, -1, 2.5, 10**30, True, False])
        case 2 | 3 | 4 | 5:
            return some_text(random)
        case 6:
            return [some_json(random, depth + 1) for _ in range(random.randrange(3))]
        case _:
            names = ("name", "arguments", "function", "id", "text", "type", "content")
            return {random.choice(names): some_json(random, depth + 1) for _ in range(3)}


def some_message(random: Random) -> dict[str, Any]:
    """Return an assistant's message on the wire, well formed or not."""
    message: dict[str, Any] = {"role": "assistant", "content": some_text(random)}
    if random.random() < 0.3:
        message["content"] = some_json(random)
    if random.random() < 0.2:
        message[random.choice(["reasoning_content", "reasoning"])] = some_json(random)
    if random.random() < 0.4:
        function = {"name": random.choice(["echo", "odd", some_json(random)])}
        function["arguments"] = random.choice(
            ['{"text": "a"}', {"kind": 3}, None, some_json(random)]
        )
        call = {"id": random.choice(["a", None, some_json(random)]), "function": function}
        message["tool_calls"] = random.choice([[call], [call, call, some_json(random)], call])
    return message


class FuzzModel:
    """A model of random replies, some of them read from the wire."""

    name = "fuzz"

    def __init__(self, random: Random) -> None:
        self._random = random

    async def complete(self, request: ModelRequest) -> ModelResponse:
        """Return a random reply, whatever was asked."""
        del request
        wire: Any = {
            "choices": [
                {
                    "message": some_message(self._random),
                    "finish_reason": self._random.choice(["stop", "length", None, 7]),
                }
            ],
            "usage": some_json(self._random),
        }
        if self._random.random() < 0.02:
            wire = json.loads(json.dumps(some_json(self._random)))
        if self._random.random() < 0.01:
            raise ModelError("the endpoint said no")
        return decode_response(wire, 0.0)


async def one_run(number: int, seed: int) -> tuple[str, str, str]:
    """Return how a run ended, its crash, and why its trace is lost; empty where it is not."""
    random = Random(f"{seed}:{number}")
    model: Model = FuzzModel(random)
    policy = (
        SingleModelPolicy(model) if random.random() < 0.3 else ThreeRolePolicy(model, model, model)
    )
    search = ReACT(max_steps=4) if random.random() < 0.7 else DFSDT(queries=5, max_steps=3)
    limits = Limits(tool_calls=random.randrange(5)) if random.random() < 0.1 else None
    agent = AgentLoop(policy, BOX, search, observation=500)
    try:
        done = await agent.solve(Task(input=some_text(random)), limits)
    except BaseException as fault:  # noqa: BLE001 - that is what is looked for
        return "crash", f"{type(fault).__name__}: {fault}", "no trajectory"
    if done.run.stopped.startswith("[bug]"):
        return "bug", done.run.stopped, ""
    try:
        whole = read_trajectory(done.model_dump_json()) == done
    except (ToolmintError, ValueError) as fault:
        return done.outcome, "", f"{type(fault).__name__}: {fault}"
    return done.outcome, "", "" if whole else "it reads back otherwise"


async def run_fuzz(runs: int, seed: int = 0) -> FuzzReport:
    """Make so many runs and return what was found."""
    started = time.perf_counter()
    crashes: list[str] = []
    lost: list[str] = []
    endings: Counter[str] = Counter()
    for number in range(runs):
        ending, crash, loss = await one_run(number, seed)
        endings[ending] += 1
        if crash:
            crashes.append(f"run {number}: {crash[:200]}")
        if loss:
            lost.append(f"run {number}: {loss[:200]}")
    seconds = time.perf_counter() - started
    return FuzzReport(runs, tuple(crashes), tuple(lost), dict(endings), seconds)


def main() -> None:
    """Run as many as the command line says, and print what was found."""
    runs, seed = int(sys.argv[1] if len(sys.argv) > 1 else 1000), int((sys.argv[2:] or ["0"])[0])
    found = asyncio.run(run_fuzz(runs, seed))
    print(f"{found.runs:,} runs of random replies in {found.seconds:.0f} s: {found.endings}")
    print(f"crashes: {len(found.crashes)}; lost traces: {len(found.lost)}")
    for line in (*found.crashes, *found.lost)[:20]:
        print(line)


if __name__ == "__main__":
    main()
