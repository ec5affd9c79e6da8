"""Tell whether a planner that named no role has answered the user itself.

Chat models that are not trained for the roles often do. Read as an answer is what is labelled as one; after
results, what states their values; and before any result, a whole sentence that speaks of no next step.
"""

import re
from collections.abc import Sequence

from toolmint.core.task import Step, Task
from toolmint.roles.grounding import grounded_values

_LABEL = re.compile(
    r"(?:^|\n)\W*(?:final answer|answer|conclusion)\W*:[ \t*]*(.+)\Z", re.IGNORECASE | re.DOTALL
)
_NEXT_STEP = re.compile(
    r"\b(?:I(?:'ll| will| need| should| must| can| shall| am going| look| check| call| use| find| search)"
    r"|let(?:'s| me| us)|we (?:need|should|will|must|can)|first|then|next|now|need(?:s|ed)?|going to"
    r"|call(?:ing)?|us(?:e|ing)|look(?:ing)?(?: it)? up|check(?:ing)?|fetch|query|retriev\w+|search\w*"
    r"|find(?:ing)?(?: out)?|step|plan|tools?|unknown|missing|unclear|required|remains?|not (?:yet )?known"
    r"|do(?:es)? not know|don't know|the task|the user|the question|requested|determine|proceed)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]*\u201d]*\Z")
_LEAST_WORDS = 3


def direct_answer(text: str, task: Task, path: Sequence[Step]) -> str | None:
    """Return the answer that a planner's reply without a marker is; None where it is a thought.

    Args:
        text: the reply, without reasoning.
        task: its tools' names in a text, but for plain words, mean that it plans.
        path: the steps so far; values of their results in a text mean that it answers.
    """
    said = text.strip()
    labelled = _LABEL.search(said)
    if labelled:
        return labelled[1].strip()
    if not said or _NEXT_STEP.search(said) or _names_tool(said, task):
        return None
    results = [one.content for step in path for one in step.results if one.failure is None]
    if results:
        return said if grounded_values(said, results) else None
    whole = _SENTENCE_END.search(said) is not None and len(said.split()) >= _LEAST_WORDS
    return said if whole else None


def _names_tool(text: str, task: Task) -> bool:
    return any(tool.name in text for tool in task.tools if not tool.name.isalpha())
