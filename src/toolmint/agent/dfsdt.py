"""DFSDT: depth-first search that goes back and tries siblings."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from toolmint.agent.tree import RunEnd, Tree, end_of
from toolmint.core.errors import LimitExceeded
from toolmint.core.task import Step
from toolmint.core.values import Value, clip
from toolmint.roles.prompts import fill

_SHOWN_CHARACTERS = 400  # of a sibling's thought or output in the hint


def sibling_hints(siblings: Sequence[Step]) -> tuple[str, ...]:
    """Return the hint for a new child of a step: what its siblings tried; none for the first child.

    At temperature 0 a model that is asked twice answers twice alike, so without the hint every sibling
    would repeat the first one and the search would find nothing new.
    """
    if not siblings:
        return ()
    shown = [_attempt(step) for step in siblings]
    return (fill("agent_siblings", tried=json.dumps(shown, ensure_ascii=False, indent=1)),)


def _attempt(step: Step) -> dict[str, str]:
    if not step.calls:
        return {"decision": str(step.decision), "thought": clip(step.thought, _SHOWN_CHARACTERS)}
    output = step.results[0].content if step.results else ""
    call = step.calls[0]
    return {
        "name": call.name,
        "arguments": call.arguments,
        "output": clip(output, _SHOWN_CHARACTERS),
    }


class DFSDT(NamedTuple):
    """Depth-first search over a decision tree (ToolLLM, Qin et al., 2023b; alpha-UMi section 4.2).

    Attributes:
        width: largest number of children of a step.
        max_steps: largest number of steps of one chain.
        chain_nodes: the paper's limit of a chain, in nodes: a step is three nodes (thought, action,
            action input), or two without a thought; None: only ``max_steps`` counts.
        queries: largest number of steps of the whole tree.
        answers: final answers after which the search ends.
        back_after_answer: levels to go back after an answer, if more answers are wanted.
        back_after_give_up: levels to go back after a give-up; 2 also skips the parent's other children.
    """

    width: int = 2
    max_steps: int = 12
    chain_nodes: int | None = None
    queries: int = 60
    answers: int = 1
    back_after_answer: int = 2
    back_after_give_up: int = 2
    name: str = "dfsdt"

    async def run(self, tree: Tree) -> RunEnd:
        """Search until enough answers are found or no step is left to expand.

        Without an answer, the first give-up is the ending (the official code takes a random one).

        Raises:
            LimitExceeded: the search took ``queries`` steps without an ending, or a limit of the run is
                reached.
        """
        search = _DepthFirst(self, tree)
        while search.stack and search.answers < self.answers:
            frame = search.open_frame()
            if frame is None:
                continue
            if len(tree.steps) >= self.queries:
                if search.endings:
                    break
                raise LimitExceeded(f"the search took {self.queries} steps, no more are allowed")
            search.take(
                frame, await tree.grow(frame.node, sibling_hints(tree.children(frame.node)))
            )
        return search.best()

    def settings(self) -> dict[str, Value]:
        """Return the parameters, for the record of a run."""
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


class _DepthFirst:
    """The state of a depth-first search: the open steps from the root, and the endings found."""

    def __init__(self, limits: DFSDT, tree: Tree) -> None:
        self._limits, self._tree = limits, tree
        self.stack = [_Frame(None, limits.width, 0, 0)]
        self.endings: list[RunEnd] = []
        self.answers = 0

    def open_frame(self) -> _Frame | None:
        """Use up one child of the deepest open step; None if it had none left and was closed."""
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
        """Descend into a step, or go back from one that ends its chain."""
        ending = end_of(step)
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

    def best(self) -> RunEnd:
        """Return the first answer, else the first give-up, else the first failure."""
        for outcome in ("answered", "gave_up", "failed"):
            for ending in self.endings:
                if ending.outcome == outcome:
                    return ending
        leaf = self._tree.steps[-1].id if self._tree.steps else None
        return RunEnd(leaf, "limit", f"no chain of {self._limits.max_steps} steps came to an end")


PAPER_DFSDT = DFSDT(chain_nodes=12, queries=200)
"""The limits of the official real-time runs (``DFS_woFilter_w2``, 12 tree nodes, 200 queries)."""
