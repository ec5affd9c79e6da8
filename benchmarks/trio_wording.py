"""How the bundled trio takes other wordings: ToolWorld's templates, mild rewordings, and natural English.

Run: ``python benchmarks/trio_wording.py [--count 40] [--split train] [--model embedded:trio]``.

The same tasks are told three times, with the same tools, worlds and checks; only the request's text changes.
Mild: phrases of the templates in other words. Natural: each request told anew, in sentences that no template
has.
"""

import argparse
import asyncio
import re
from random import Random

from toolmint.agent.policy import Sampling, ThreeRolePolicy
from toolmint.agent.react import ReACT
from toolmint.assembly.uri import model_of
from toolmint.evaluation.bootstrap import share
from toolmint.evaluation.report import interval
from toolmint.evaluation.runner import RunConfig, run
from toolmint.evaluation.toolworld import PlayerSolver, ToolWorld
from toolmint.roles.marked import Marked
from toolmint.world.generate import make_tasks
from toolmint.world.goals import Goal, Target
from toolmint.world.task import WorldTask
from toolmint.world.wording import BY_NAME, field_words, value_words

MILD = (
    (r"\b(w)hat is the\b", r"\1hat would be the"),
    (r"\b([Tt])ell me the\b", r"\1ell me, please, the"),
    (r"\bI'd like to know\b", "I want to find out"),
    (r"\b([Cc])ould you look up\b", r"\1ould you check"),
    (r"\b([Pp])lease find\b", r"\1lease get me"),
    (r"\bhow much would\b", "what would"),
    (r"\bgive me the total for\b", "work out the sum for"),
    (r"\bcan you (\w+)\b", r"would you \1"),
    (r"\bI want you to (\w+)\b", r"I would ask you to \1"),
    (r"\bis the same as\b", "equals"),
    (r"\bthat shares its\b", "having the same"),
    (r"\bOne more thing:", "Then:"),
    (r"\bBesides that,", "In addition,"),
)
"""Phrases of the templates, and others that mean the same."""
_ASKS = {
    "tell": (
        "Do you know {target}'s {field}?",
        "{target}: {field}?",
        "I can't remember the {field} for {target}, can you help me out?",
        "Somebody asked me about {target}, and I have no idea what its {field} is.",
    ),
    "quote": (
        "We want {amount} {unit}. At the {field} for {target}, where does that leave us in total?",
        "If I take {amount} {unit} and pay the {field} of {target} for each, what do I owe?",
    ),
    "do": (
        "Get {person} {target}, would you? Make it {amount} {unit}.",
        "{person} wants {target}, so {verb} it for {amount} {unit} and give me the confirmation.",
    ),
    "undo": (
        "Something came up and {person} has to drop out, so get rid of the {deed} ({plural}).",
        "{person} won't need the {deed} from the {plural} any more. Undo it.",
    ),
}
_WHICH = {
    "id": ("{noun} number {value}", "{value} (it's a {noun})"),
    "name": ("{value}, the {noun},", "our {noun} {value}"),
    "field": (
        "the {noun} listed with {field} {value}",
        "the {noun} where it says {value} for {field}",
    ),
    "extreme": ("the {noun} that has the {value} {field} of them all",),
    "link": ("the {noun} with the {field} you also find as {source_field} on {source}",),
}


def mild(task: WorldTask) -> str:
    """Return a task's request with phrases of the templates put in other words."""
    text = task.input
    for phrase, other in MILD:
        text = re.sub(phrase, other, text)
    return text


def natural(task: WorldTask) -> str:
    """Return a task's request told anew."""
    random = Random(task.id)
    told: list[str] = []
    for number, goal in enumerate(task.goals):
        same = number > 0 and task.goals[number - 1].target == goal.target
        text = _told(goal, random, same=same)
        told.append(text[0].upper() + text[1:])
    return " ".join(told)


def _told(goal: Goal, random: Random, *, same: bool) -> str:
    category = BY_NAME[goal.target.category]
    return random.choice(_ASKS[goal.asks]).format(
        target="that one" if same else _which(goal.target, random),
        field=field_words(goal.field),
        amount=goal.amount,
        unit=category.amount,
        verb=category.verb,
        person=goal.person,
        deed=category.deed,
        plural=category.name,
    )


def _which(target: Target, random: Random) -> str:
    return random.choice(_WHICH[target.how]).format(
        noun=BY_NAME[target.category].noun,
        value=value_words(target.value),
        field=field_words(target.field),
        source=_which(target.source, random) if target.source is not None else "",
        source_field=field_words(target.source_field),
    )


async def main() -> None:
    """Play the tasks in the three wordings and print what passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--split", choices=("train", "unseen"), default="train")
    parser.add_argument("--model", default="embedded:trio")
    given = parser.parse_args()
    tasks = [task for task in make_tasks(given.split, 2 * given.count) if task.solvable]
    tasks = tasks[: given.count]
    model = model_of(given.model)
    policy = ThreeRolePolicy(
        model, model, model, family=Marked(), sampling=Sampling(max_tokens=256)
    )
    for name, tell in (("templates", None), ("mild rewordings", mild), ("natural", natural)):
        told = [
            task if tell is None else task.model_copy(update={"input": tell(task)})
            for task in tasks
        ]
        changed = sum(one.input != task.input for one, task in zip(told, tasks, strict=True))
        solver = PlayerSolver(lambda _: policy, ReACT(max_steps=16))
        rows = await run(ToolWorld(told), solver, config=RunConfig(concurrency=1))
        rate = share([row.passed("passed") for row in rows])
        print(
            f"{given.split}, {name}: {interval(rate)} % of {len(rows)} solvable tasks pass "
            f"({changed} told otherwise)"
        )
        if tell is not None:
            print(f"  such as: {told[0].input}")


if __name__ == "__main__":
    asyncio.run(main())
