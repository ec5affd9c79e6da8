"""ToolAlpaca's golden calls played as they stand: what the executed measure can reach at most."""

import re

from toolmint.agent.budget_tracker import BudgetTracker
from toolmint.agent.policy import Move
from toolmint.core.task import Step
from toolmint.core.values import Value, canonical
from toolmint.evaluation.toolalpaca import HOLE, Instruction
from toolmint.roles.reading import Action
from toolmint.roles.view import View

_FROM = re.compile(r"\$\{\s*(.*?)(?:\s+from\s+(\w+))?\s*\}")


def _find(value: Value, name: str) -> Value:
    """Return the first value under a name, anywhere inside a value; None where there is none."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key.casefold() == name.casefold():
                return one
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            found = _find(one, name)
            if found is not None:
                return found
    return None


class Golden:
    """Makes the calls that a person wrote down, holes filled from earlier results; says the last result."""

    name = "golden"

    def __init__(self, instruction: Instruction) -> None:
        self._golden = instruction.golden

    async def move(self, view: View, tracker: BudgetTracker) -> Move:
        """Make the next golden call, or answer."""
        del tracker
        if len(view.path) < len(self._golden):
            wanted = self._golden[len(view.path)]
            if wanted.arguments is None:
                return Move((), "The written arguments cannot be read.", "give_up")
            filled = {
                name: self._filled(value, name, view.path)
                for name, value in wanted.arguments.items()
            }
            return Move(
                (), "As written.", "call", Action(name=wanted.name, arguments=canonical(filled))
            )
        last = view.path[-1].results[0].content if view.path else ""
        return Move((), "All calls are made.", "answer", answer=last or "nothing")

    def _filled(self, value: Value, name: str, path: tuple[Step, ...]) -> Value:
        if not (isinstance(value, str) and value.startswith(HOLE)):
            return value
        mark = _FROM.match(value)
        wanted = mark[1] if mark else name
        for step in reversed(path):
            for result in step.results:
                for key in (wanted, name, "id"):
                    found = _find(result.data, key)
                    if found is not None:
                        return found
        return wanted
