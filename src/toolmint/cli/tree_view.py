"""A trajectory as a tree for the terminal: thoughts, calls, observations, misreadings."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from toolmint.cli.common import money, printable
from toolmint.core.task import Step, Trajectory
from toolmint.core.values import clip

_SHOWN = 300
_MARKS = {"answered": "green", "gave_up": "yellow", "limit": "yellow", "failed": "red"}


def _line(label: str, text: str, style: str) -> Text:
    return Text.assemble(
        (f"{label} ", f"bold {style}"),
        (clip(printable(text), _SHOWN), style if style != "white" else ""),
    )


def step_lines(step: Step) -> Group:
    """Return the lines of one step."""
    dim = " [abandoned]" if step.pruned else ""
    lines: list[RenderableType] = [
        _line(f"{step.id}{dim} thought", step.thought or "(none)", "white")
    ]
    lines += [_line("   hint", hint.partition("\n")[0], "dim") for hint in step.hints]
    for call in step.calls:
        lines.append(_line("   call", f"{call.name} {call.arguments}", "cyan"))
    for result in step.results:
        lines.append(_line("   got ", result.content, "red" if result.failure else "blue"))
    if step.answer is not None:
        lines.append(_line("   says", step.answer, "green"))
    if step.decision == "give_up":
        lines.append(_line("   gives up", "", "yellow"))
    lines += [_line("   note", note, "magenta") for note in step.notes]
    return Group(*lines)


def tree_of(task: str, steps: Iterable[Step]) -> Tree:
    """Return the steps as a tree; steps without siblings are not indented further."""
    tree = Tree(Text(printable(task), style="bold"), guide_style="dim")
    branches: dict[int | None, Tree] = {None: tree}
    listed = list(steps)
    children: dict[int | None, int] = {}
    for step in listed:
        children[step.parent] = children.get(step.parent, 0) + 1
    for step in listed:
        node = branches[step.parent].add(step_lines(step))
        alone = children[step.parent] == 1
        branches[step.id] = branches[step.parent] if alone else node
    return tree


def ending_lines(trajectory: Trajectory) -> list[Text]:
    """Return the lines about the outcome and the usage of a run."""
    run = trajectory.run
    usage = run.usage if run.usage.requests else trajectory.usage
    calls = sum(len(step.calls) for step in trajectory.steps)
    style = "yellow" if trajectory.flags else _MARKS[trajectory.outcome]
    lines = [_line(trajectory.outcome, trajectory.answer or run.stopped, style)]
    lines += [_line(f"marked {flag.kind}", flag.why, "yellow") for flag in trajectory.flags]
    if trajectory.wants is not None:
        lines.append(_line("missing tool", trajectory.wants, "yellow"))
    counts = f"{len(trajectory.steps)} steps, {calls} tool calls, {usage.requests} model calls"
    spent = f"{usage.tokens} tokens, {money(usage.cost)}, {run.seconds:.2f} s"
    took = f"{counts}, {spent}; {run.search} by {run.policy}"
    lines.append(Text(took, style="dim"))
    return lines
