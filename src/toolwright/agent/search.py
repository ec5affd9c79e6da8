"""The two searches: ReACT follows one chain, DFSDT goes back and tries siblings."""

import json
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from toolwright.agent.tree import Ending, Tree
from toolwright.core.errors import LimitExceeded
from toolwright.core.task import Step
from toolwright.core.values import Value, clip
from toolwright.roles.prompts import fill


class Search(Protocol):
    """Grows a tree until it ends."""

    @property
    def name(self) -> str:
        """``react`` or ``dfsdt``."""
        ...

    def settings(self) -> dict[str, Value]:
        """Give the parameters, for the record of a run."""
        ...

    async def run(self, tree: Tree) -> Ending:
        """Grow the tree to its end.

        Raises:
            LimitExceeded: a limit of the run, or of the search, is reached.
        """
        ...


def ended(step: Step) -> Ending | None:
    """Give the ending that a step means, or None where it goes on."""
    if step.decision == "answer":
        if step.answer:
            return Ending(step.id, "answered")
        return Ending(step.id, "failed", "the summarizer said nothing")
    if step.decision == "give_up":
        return Ending(step.id, "gave_up", "the planner gave up")
    return None


class React(NamedTuple):
    """One chain of at most ``max_steps`` steps (Yao et al., 2022; alpha-UMi section 3.1)."""

    max_steps: int = 12
    name: str = "react"

    async def run(self, tree: Tree) -> Ending:
        """Follow the chain to its end."""
        at: int | None = None
        for _ in range(self.max_steps):
            step = await tree.grow(at)
            ending = ended(step)
            if ending is not None:
                return ending
            at = step.id
        raise LimitExceeded(f"the chain has {self.max_steps} steps, no more are allowed")

    def settings(self) -> dict[str, Value]:
        """Give the parameters, for the record of a run."""
        return {"max_steps": self.max_steps}


def tried(siblings: Sequence[Step]) -> tuple[str, ...]:
    """Give the hint that shows a new sibling what was tried at its place, or none for the first one."""
    if not siblings:
        return ()
    shown = [_attempt(step) for step in siblings]
    return (fill("agent_siblings", tried=json.dumps(shown, ensure_ascii=False, indent=1)),)


def _attempt(step: Step) -> dict[str, str]:
    if not step.calls:
        return {"decision": str(step.decision), "thought": clip(step.thought, 400)}
    output = step.results[0].content if step.results else ""
    call = step.calls[0]
    return {"name": call.name, "arguments": call.arguments, "output": clip(output, 400)}


class Dfsdt(NamedTuple):
    """Depth-first search over a decision tree (ToolLLM, Qin et al., 2023b; alpha-UMi section 4.2).

    Attributes:
        width: children that a step may get.
        max_steps: steps of one chain.
        chain_nodes: the paper's own bound of a chain, in nodes: a step is three of them (thought, action,
            action input), two without a thought; None: ``max_steps`` alone counts.
        queries: moves of the policy in all.
        answers: final answers after which the search ends.
        back_after_answer: levels to go back after an answer, where more are wanted.
        back_after_give_up: levels to go back after a give-up: 2 drops the parent's other children too.
    """

    width: int = 2
    max_steps: int = 12
    chain_nodes: int | None = None
    queries: int = 60
    answers: int = 1
    back_after_answer: int = 2
    back_after_give_up: int = 2
    name: str = "dfsdt"

    async def run(self, tree: Tree) -> Ending:
        """Search until enough answers are found, or nothing and no move is left to try.

        The first give-up is then the ending (the official code takes a random one).
        """
        descent = _Descent(self, tree)
        while descent.stack and descent.answers < self.answers:
            frame = descent.open_frame()
            if frame is None:
                continue
            if len(tree.steps) >= self.queries:
                if descent.endings:
                    break
                raise LimitExceeded(f"the search made {self.queries} moves, no more are allowed")
            descent.take(frame, await tree.grow(frame.node, tried(tree.children(frame.node))))
        return descent.best()

    def settings(self) -> dict[str, Value]:
        """Give the parameters, for the record of a run."""
        return {name: value for name, value in self._asdict().items() if name != "name"}


class _Frame(NamedTuple):
    """A step that may get ``left`` more children; its depth in steps and in the paper's nodes."""

    node: int | None
    left: int
    depth: int
    nodes: int

    def child(self, step: Step, width: int) -> "_Frame":
        nodes = self.nodes + (3 if step.thought else 2)
        return _Frame(step.id, width, self.depth + 1, nodes)


class _Descent:
    """Where a depth-first search stands: the open steps from the root, and the endings found."""

    def __init__(self, limits: Dfsdt, tree: Tree) -> None:
        self._limits, self._tree = limits, tree
        self.stack = [_Frame(None, limits.width, 0, 0)]
        self.endings: list[Ending] = []
        self.answers = 0

    def open_frame(self) -> _Frame | None:
        """Take one child of the deepest open step; None where it had none left and was closed."""
        frame = self.stack[-1]
        if frame.left == 0:
            self._close()
            return None
        self.stack[-1] = frame._replace(left=frame.left - 1)
        return frame

    def _close(self) -> None:
        node = self.stack.pop().node
        if node is not None and not self.answers:
            self._tree.prune(node)

    def take(self, frame: _Frame, step: Step) -> None:
        """Go down into a step, or back from one that ends its chain."""
        ending = ended(step)
        if ending is None:
            child = frame.child(step, self._limits.width)
            if not self._too_deep(child):
                self.stack.append(child)
                return
            back = 1
        else:
            self.endings.append(ending)
            answered = ending.outcome == "answered"
            self.answers += answered
            limits = self._limits
            back = limits.back_after_answer if answered else limits.back_after_give_up
        if ending is None or ending.outcome != "answered":
            self._tree.prune(step.id)
        for _ in range(min(back - 1, len(self.stack))):
            self._close()

    def _too_deep(self, frame: _Frame) -> bool:
        limits = self._limits
        nodes = limits.chain_nodes
        return frame.depth >= limits.max_steps or (nodes is not None and frame.nodes >= nodes)

    def best(self) -> Ending:
        """Give the first answer, else the first give-up, else the first failure."""
        for outcome in ("answered", "gave_up", "failed"):
            for ending in self.endings:
                if ending.outcome == outcome:
                    return ending
        leaf = self._tree.steps[-1].id if self._tree.steps else None
        return Ending(leaf, "limit", f"no chain of {self._limits.max_steps} steps came to an end")


PAPER = Dfsdt(chain_nodes=12, queries=200)
"""The limits of the official real-time runs (``DFS_woFilter_w2``, 12 tree nodes, 200 queries)."""
