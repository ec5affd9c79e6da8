"""The words of a task: how a goal is asked for, why a call is made, and how the answer is said."""

from random import Random

from toolwright.core.values import Value, canonical
from toolwright.world.categories import CATEGORIES, Category
from toolwright.world.goals import Goal, Target
from toolwright.world.operations import Does
from toolwright.world.prover import Need

BY_NAME = {category.name: category for category in CATEGORIES}

OPENERS = (
    "", "", "", "Hi! ", "Hello, ", "Quick question. ", "I need some help. ", "I'm preparing a trip. ",
    "My boss asked me for this. ", "For a report: ", "A friend of mine wants to know something. ",
    "I'm in a hurry. ", "Good morning. ", "We are planning something for the team. ",
    "I have been looking for this for an hour. ",
)  # fmt: skip
CLOSERS = (
    "", "", "", "", " Thanks!", " Thank you.", " That would help me a lot.", " Please be exact.",
    " I only need that.", " Keep it short.",
)  # fmt: skip
JOINS = (" Also, {}", " And {}", " Besides that, {}", " After that, {}", " One more thing: {}")

ASKS = {
    "tell": ("what is the {field} of {target}?", "tell me the {field} of {target}.", "I'd like to know the {field} of {target}.",
             "could you look up the {field} of {target}?", "please find the {field} of {target}.", "the {field} of {target}, please."),
    "quote": ("how much would {amount} {unit} cost in total at the {field} of {target}?",
              "give me the total for {amount} {unit} at the {field} of {target}.",
              "please work out what {amount} {unit} come to, at the {field} of {target}."),
    "do": ("please {verb} {target} for {person}, {amount} {unit}.", "can you {verb} {target}? It is for {person}, {amount} {unit}.",
           "I want you to {verb} {target} in the name of {person} ({amount} {unit}).",
           "{person} needs a {deed}: {target}, {amount} {unit}. Tell me the confirmation."),
    "undo": ("please cancel {person}'s {deed} ({plural}).", "{person} cannot come: cancel the {deed} among the {plural}.",
             "take back the {deed} that {person} has with one of the {plural}."),
}  # fmt: skip
TARGETS = {
    "id": ("the {noun} {value}", "{noun} {value}", "the {noun} with the id {value}"),
    "name": ('the {noun} "{value}"', "the {noun} named {value}", 'the {noun} called "{value}"'),
    "field": ("the {noun} whose {field} is {value}", "the {noun} with {value} as its {field}", "the {noun} that has the {field} {value}"),
    "extreme": ("the {noun} with the {value} {field}", "whichever {noun} has the {value} {field}"),
    "link": ("the {noun} whose {field} is the same as the {source_field} of {source}",
             "the {noun} that shares its {field} with {source} (its {source_field})"),
}  # fmt: skip
SAME = ("that {noun}", "the same {noun}", "this {noun}")


def spaced(name: str) -> str:
    """Give a field's name as words."""
    return name.replace("_", " ")


def shown(value: Value) -> str:
    """Give a value as an answer says it."""
    return value if isinstance(value, str) else canonical(value)


def target_words(target: Target, random: Random) -> str:
    """Give the words by which a query points at a record."""
    source = target_words(target.source, random) if target.source is not None else ""
    return random.choice(TARGETS[target.how]).format(
        noun=BY_NAME[target.category].noun, value=shown(target.value), field=spaced(target.field),
        source=source, source_field=spaced(target.source_field),
    )  # fmt: skip


def _asked(goal: Goal, random: Random, before: Goal | None) -> str:
    category = BY_NAME[goal.target.category]
    same = before is not None and before.target == goal.target
    target = (
        random.choice(SAME).format(noun=category.noun)
        if same
        else target_words(goal.target, random)
    )
    return random.choice(ASKS[goal.asks]).format(target=target, **_words(goal, category))


def _words(goal: Goal, category: Category) -> dict[str, object]:
    return {
        "field": spaced(goal.field), "amount": goal.amount, "unit": category.amount, "verb": category.verb,
        "person": goal.person, "deed": category.deed, "plural": category.name, "noun": category.noun,
    }  # fmt: skip


def instruction(goals: tuple[Goal, ...], random: Random) -> str:
    """Give the query that asks for the goals, in order."""
    text = ""
    for number, goal in enumerate(goals):
        clause = _asked(goal, random, goals[number - 1] if number else None)
        text += random.choice(JOINS).format(clause) if number else clause
    opener = random.choice(OPENERS)
    if not opener or not opener.endswith((":", ", ", ": ")):
        text = text[0].upper() + text[1:]
    return opener + text + random.choice(CLOSERS)


AIMS = {
    "tell": "the {field} of the {noun}", "quote": "the total at the {field} of the {noun}",
    "do": "the {deed} of the {noun}", "undo": "to cancel the {deed} of {person}",
}  # fmt: skip
REASONS = {
    "identify": "Now {aim}. First I need the {noun} {way}: `{tool}` with {given}.",
    "learn": "Now {aim}. That depends on the {field} of the {noun}: `{tool}` with {given}.",
    "goal": "Now {aim}: `{tool}` with {given}.",
    "retry": "That was a temporary error. I call `{tool}` again with {given}.",
    "mend": "The arguments were wrong. I call `{tool}` again with {given}.",
    "other": "`{failed}` does not work. Now {aim} another way: `{tool}` with {given}.",
}  # fmt: skip
WRONG = "`{tool}` was the wrong tool."
WAYS: dict[Does, str] = {
    "find": "by its {field}", "extreme": "by its {field}", "list": "from the list of all",
    "deeds": "by the person",
}  # fmt: skip
"""How a call tells which record is meant."""
ALL = "Asked for: {goals}."
END = "All that was asked for is known now."
GIVE_UP = "Now {aim}. No tool that works can do this: {why}. I give up."
TOLD = {
    "tell": "The {field} of the {noun} is {fact}.", "quote": "The total at the {field} of the {noun} is {fact}.",
    "do": "The {deed} of the {noun} is made: {fact}.", "undo": "The {deed} of {person} is cancelled: {fact}.",
}  # fmt: skip
"""What is said of a goal, in the words that its rationales have for it: who writes the answer copies them."""


def aim(goal: Goal) -> str:
    """Give a goal as a rationale names it, without values."""
    return AIMS[goal.asks].format(**_words(goal, BY_NAME[goal.target.category]))


def listed(goals: tuple[Goal, ...]) -> str:
    """Give what a task asks for, goal by goal, each with its values in quotes: the first rationale begins
    so, and later ones go on to the goal that stands next.
    """
    return ALL.format(goals="; ".join(f"{aim(goal)} with {_given(goal)}" for goal in goals))


def _given(goal: Goal) -> str:
    target = goal.target
    while target.source is not None:
        target = target.source
    record = () if goal.asks == "undo" else (target.value,)
    values = (*record, goal.person, goal.amount)
    return ", ".join(f'"{shown(one)}"' for one in values if one)


def reason(
    need: Need, goal: Goal, *, again: bool = False, failed: str = "", slipped: bool = False
) -> str:
    """Give the rationale of a call: what it is for, again after a fault, mended after wrong arguments, or in
    place of a broken tool. It always names the tool, in backticks, and what it is given, in quotes.
    """
    kind = "retry" if again else ("other" if failed else need.purpose)
    kind = "mend" if slipped else kind
    values = [shown(one) for value in need.meanings.values() for one in _each(value)]
    given = ", ".join(f'"{value}"' for value in values) or "no arguments"
    operation = need.tool.operation
    way = WAYS.get(operation.does, "by looking at each").format(field=spaced(operation.field))
    return REASONS[kind].format(
        noun=BY_NAME[operation.category].noun, way=way, field=spaced(goal.target.source_field),
        tool=need.tool.spec.name, given=given, failed=failed, aim=aim(goal),
    )  # fmt: skip


def _each(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def told(goal: Goal, fact: Value) -> str:
    """Give the sentence that answers one goal."""
    words = _words(goal, BY_NAME[goal.target.category])
    return TOLD[goal.asks].format(fact=shown(fact), **words)
