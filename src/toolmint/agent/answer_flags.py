"""Say what speaks against an answer: it was cut, or it states what the run never saw."""

from collections.abc import Sequence

from toolmint.core.task import AnswerFlag, Step, Task
from toolmint.roles.grounding import flagged_words, ungrounded_values


def answer_flags(task: Task, path: Sequence[Step]) -> tuple[AnswerFlag, ...]:
    """Return the flags of the answer that a branch ends with; none where nothing speaks against it."""
    if not path or path[-1].answer is None:
        return ()
    last, flags = path[-1], list[AnswerFlag]()
    if last.turns and last.turns[-1].cut:
        flags.append(AnswerFlag(kind="cut", why="the answer was cut at its limit of tokens"))
    seen = [result.content for step in path for result in step.results]
    names = [tool.name for tool in task.tools]
    values = ungrounded_values(path[-1].answer, [task.input, " ".join(names), *seen])
    if values:
        flags.append(AnswerFlag(kind="ungrounded", why=flagged_words(values), values=values))
    return tuple(flags)
