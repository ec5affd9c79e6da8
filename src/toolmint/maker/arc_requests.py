"""Requests that take arcs which no known request of a tool took, made without a model.

The constants of a tool's source and the alternatives of its regular expressions say where its branches part.
What reaches a new arc is varied once more, for a branch may need two rare values at once.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from toolmint.core.arcs import read_arcs
from toolmint.core.sandbox import FunctionCall, Sandbox, SandboxRun
from toolmint.core.values import Value
from toolmint.maker.boundary_requests import SourceFacts, boundary_arguments, source_facts
from toolmint.maker.each import each
from toolmint.maker.generate_requests import generate_requests
from toolmint.maker.program import (
    SERVING_LIMITS,
    ToolRun,
    answer_program,
    serve_tool,
    trial_owner,
)

_GENERATED = 60  # with mixed arguments of known requests
_BOUNDARY = 120  # with constants of the tool's source
_REWORDED = 60  # with other alternatives of its regular expressions
_FURTHER, _PARENTS = 120, 8  # from those requests that reached something new


class Reaching(NamedTuple):
    """A generated request and what the tool makes of it, with the arcs that it took."""

    text: str
    run: ToolRun


async def unparse(sandbox: Sandbox, source: str, args: Value) -> tuple[str | None, str]:
    """Return the request that ``unparse`` builds in a process of its own (None: no text), and its fault."""
    calls = (FunctionCall(function="unparse", arguments=(args,)),)
    result = await sandbox.run(SandboxRun(source=source, calls=calls, limits=SERVING_LIMITS))
    rebuilt = result.value[0] if result.status == "ok" else None
    return (rebuilt if isinstance(rebuilt, str) else None), result.message


def with_alternatives(texts: Sequence[str], alternatives: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield known requests in which an alternative of the tool's patterns stands for another one."""
    for group in alternatives:
        for one in group:
            word = re.compile(rf"(?<!\w){re.escape(one)}(?!\w)")
            text = next((text for text in texts if word.search(text)), None)
            for other in group if text is not None else ():
                if other != one:
                    yield word.sub(lambda _, other=other: other, text or "", count=1)


async def generated_requests(
    source: str, known: Sequence[tuple[str, Value]], sandbox: Sandbox
) -> list[Reaching]:
    """Return requests that a tool's own ``unparse`` makes of new arguments, or reworded, as it answers them.

    Args:
        source: the tool's module.
        known: requests that it answers, with their arguments.
        sandbox: runs the tool.
    """
    texts, parents = [text for text, _ in known], [args for _, args in known]
    facts = await source_facts(sandbox, source)
    made = generate_requests(parents, count=_GENERATED)
    made += boundary_arguments(parents, facts.constants, count=_BOUNDARY)
    others = list(dict.fromkeys(with_alternatives(texts, facts.alternatives)))[:_REWORDED]
    trial = _Trial(source, sandbox)
    await trial.ask(texts)
    found = [*await trial.ask(others), *await trial.ask(await trial.written(made))]
    return found + await _further(trial, facts)


async def _further(trial: "_Trial", facts: SourceFacts) -> list[Reaching]:
    """Return variations of what reached new arcs."""
    parents = [one.run.args for one in trial.reached[:_PARENTS]]
    made = [
        args
        for seed, one in enumerate(parents)
        for args in boundary_arguments(
            [one], facts.constants, count=_FURTHER // len(parents), seed=seed
        )
    ]
    return await trial.ask(await trial.written(made))


class _Trial:
    """Asks a tool requests, each once, and knows which of them took arcs that none before had taken."""

    def __init__(self, source: str, sandbox: Sandbox) -> None:
        self._source, self._sandbox = source, sandbox
        self._program, self._owner = answer_program(source, arcs=True), trial_owner()
        self._seen, self._taken = set[str](), 0
        self.reached: list[Reaching] = []

    async def written(self, made: Sequence[dict[str, Value]]) -> list[str]:
        """Return the requests that arguments make."""

        async def write(args: dict[str, Value]) -> str | None:
            return (await unparse(self._sandbox, self._source, args))[0]

        return [text for text in await each(write, made) if text is not None]

    async def ask(self, texts: Sequence[str]) -> list[Reaching]:
        """Return what the tool makes of requests that it was not asked before."""
        new = [text for text in dict.fromkeys(texts) if text not in self._seen]
        first = not self._seen
        self._seen.update(new)

        async def run(text: str) -> Reaching:
            return Reaching(text, await serve_tool(self._sandbox, self._program, text, self._owner))

        found = await each(run, new)
        for one in found:
            arcs = read_arcs(one.run.arcs) if one.run.answer is not None else 0
            if arcs & ~self._taken and not first:
                self.reached.append(one)
            self._taken |= arcs
        return found
