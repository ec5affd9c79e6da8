"""Text templates of a task: the request, the rationales of calls, and the answer."""

from random import Random

from toolmint.core.values import Value, canonical
from toolmint.world.categories import CATEGORIES, Category
from toolmint.world.goals import Goal, Target
from toolmint.world.operations import OperationKind
from toolmint.world.prover import NeededCall

BY_NAME = {category.name: category for category in CATEGORIES}

_OPENERS = (
    "",
    "",
    "",
    "Hi! ",
    "Hello, ",
    "Quick question. ",
    "I need some help. ",
    "I'm preparing a trip. ",
    "My boss asked me for this. ",
    "For a report: ",
    "A friend of mine wants to know something. ",
    "I'm in a hurry. ",
    "Good morning. ",
    "We are planning something for the team. ",
    "I have been looking for this for an hour. ",
)
_CLOSERS = (
    "",
    "",
    "",
    "",
    " Thanks!",
    " Thank you.",
    " That would help me a lot.",
    " Please be exact.",
    " I only need that.",
    " Keep it short.",
)
_JOINS = (" Also, {}", " And {}", " Besides that, {}", " After that, {}", " One more thing: {}")

_REQUESTS = {
    "tell": (
        "what is the {field} of {target}?",
        "tell me the {field} of {target}.",
        "I'd like to know the {field} of {target}.",
        "could you look up the {field} of {target}?",
        "please find the {field} of {target}.",
        "the {field} of {target}, please.",
    ),
    "quote": (
        "how much would {amount} {unit} cost in total at the {field} of {target}?",
        "give me the total for {amount} {unit} at the {field} of {target}.",
        "please work out what {amount} {unit} come to, at the {field} of {target}.",
    ),
    "do": (
        "please {verb} {target} for {person}, {amount} {unit}.",
        "can you {verb} {target}? It is for {person}, {amount} {unit}.",
        "I want you to {verb} {target} in the name of {person} ({amount} {unit}).",
        "{person} needs a {deed}: {target}, {amount} {unit}. Tell me the confirmation.",
    ),
    "undo": (
        "please cancel {person}'s {deed} ({plural}).",
        "{person} cannot come: cancel the {deed} among the {plural}.",
        "take back the {deed} that {person} has with one of the {plural}.",
    ),
}
_TARGETS = {
    "id": ("the {noun} {value}", "{noun} {value}", "the {noun} with the id {value}"),
    "name": ('the {noun} "{value}"', "the {noun} named {value}", 'the {noun} called "{value}"'),
    "field": (
        "the {noun} whose {field} is {value}",
        "the {noun} with {value} as its {field}",
        "the {noun} that has the {field} {value}",
    ),
    "extreme": ("the {noun} with the {value} {field}", "whichever {noun} has the {value} {field}"),
    "link": (
        "the {noun} whose {field} is the same as the {source_field} of {source}",
        "the {noun} that shares its {field} with {source} (its {source_field})",
    ),
}
_SAME_TARGET = ("that {noun}", "the same {noun}", "this {noun}")


def field_words(name: str) -> str:
    """Return a field's name with spaces."""
    return name.replace("_", " ")


def value_words(value: Value) -> str:
    """Return a value as text, as an answer states it."""
    return value if isinstance(value, str) else canonical(value)


def target_words(target: Target, random: Random) -> str:
    """Return the words with which a request refers to a record."""
    source = target_words(target.source, random) if target.source is not None else ""
    return random.choice(_TARGETS[target.how]).format(
        noun=BY_NAME[target.category].noun,
        value=value_words(target.value),
        field=field_words(target.field),
        source=source,
        source_field=field_words(target.source_field),
    )


def _clause(goal: Goal, random: Random, before: Goal | None) -> str:
    category = BY_NAME[goal.target.category]
    same = before is not None and before.target == goal.target
    target = (
        random.choice(_SAME_TARGET).format(noun=category.noun)
        if same
        else target_words(goal.target, random)
    )
    return random.choice(_REQUESTS[goal.asks]).format(
        target=target, **_template_words(goal, category)
    )


def _template_words(goal: Goal, category: Category) -> dict[str, object]:
    return {
        "field": field_words(goal.field),
        "amount": goal.amount,
        "unit": category.amount,
        "verb": category.verb,
        "person": goal.person,
        "deed": category.deed,
        "plural": category.name,
        "noun": category.noun,
    }


def instruction(goals: tuple[Goal, ...], random: Random) -> str:
    """Return the request that asks for the goals, in order."""
    text = ""
    for number, goal in enumerate(goals):
        clause = _clause(goal, random, goals[number - 1] if number else None)
        text += random.choice(_JOINS).format(clause) if number else clause
    opener = random.choice(_OPENERS)
    if not opener or not opener.endswith((":", ", ", ": ")):
        text = text[0].upper() + text[1:]
    return opener + text + random.choice(_CLOSERS)


_AIMS = {
    "tell": "the {field} of the {noun}",
    "quote": "the total at the {field} of the {noun}",
    "do": "the {deed} of the {noun}",
    "undo": "to cancel the {deed} of {person}",
}
_RATIONALES = {
    "identify": "Now {aim}. First I need the {noun} {way}: `{tool}` with {given}.",
    "learn": "Now {aim}. That depends on the {field} of the {noun}: `{tool}` with {given}.",
    "goal": "Now {aim}: `{tool}` with {given}.",
    "retry": "That was a temporary error. I call `{tool}` again with {given}.",
    "mend": "The arguments were wrong. I call `{tool}` again with {given}.",
    "other": "`{failed}` does not work. Now {aim} another way: `{tool}` with {given}.",
}
WRONG_TOOL = "`{tool}` was the wrong tool."
_WAYS: dict[OperationKind, str] = {
    "find": "by its {field}",
    "extreme": "by its {field}",
    "list": "from the list of all",
    "deeds": "by the person",
}
"""How a call identifies the record."""
_PLAN = "Asked for: {goals}."
FINAL_RATIONALE = "All that was asked for is known now."
GIVE_UP_RATIONALE = "Now {aim}. No tool that works can do this: {why}. I give up."
_ANSWERS = {
    "tell": "The {field} of the {noun} is {fact}.",
    "quote": "The total at the {field} of the {noun} is {fact}.",
    "do": "The {deed} of the {noun} is made: {fact}.",
    "undo": "The {deed} of {person} is cancelled: {fact}.",
}
"""Answer sentences in the words of the rationales, so that the summarizer can copy them."""


def goal_words(goal: Goal) -> str:
    """Return a goal as rationales name it, without values."""
    return _AIMS[goal.asks].format(**_template_words(goal, BY_NAME[goal.target.category]))


def list_goals(goals: tuple[Goal, ...]) -> str:
    """Return the goals of a task in one sentence, each with its values in quotes.

    The first rationale begins with it: an explicit plan that later rationales work off in order.
    """
    return _PLAN.format(
        goals="; ".join(f"{goal_words(goal)} with {_given(goal)}" for goal in goals)
    )


def _given(goal: Goal) -> str:
    target = goal.target
    while target.source is not None:
        target = target.source
    record = () if goal.asks == "undo" else (target.value,)
    values = (*record, goal.person, goal.amount)
    return ", ".join(f'"{value_words(one)}"' for one in values if one)


def rationale(
    need: NeededCall, goal: Goal, *, again: bool = False, failed: str = "", corrected: bool = False
) -> str:
    """Return the rationale of a call.

    It names the tool in backticks and the values in quotes, the form that the copy constraint relies on.

    Args:
        need: the call.
        goal: the goal that it serves.
        again: the call repeats one that failed temporarily.
        failed: the broken tool that the call replaces.
        corrected: the call corrects wrong arguments.
    """
    kind = "retry" if again else ("other" if failed else need.purpose)
    kind = "mend" if corrected else kind
    values = [value_words(one) for value in need.meanings.values() for one in _each(value)]
    given = ", ".join(f'"{value}"' for value in values) or "no arguments"
    operation = need.tool.operation
    way = _WAYS.get(operation.does, "by looking at each").format(field=field_words(operation.field))
    return _RATIONALES[kind].format(
        noun=BY_NAME[operation.category].noun,
        way=way,
        field=field_words(goal.target.source_field),
        tool=need.tool.spec.name,
        given=given,
        failed=failed,
        aim=goal_words(goal),
    )


def _each(value: Value) -> tuple[Value, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def answer_sentence(goal: Goal, fact: Value) -> str:
    """Return the sentence that answers a goal with a fact."""
    words = _template_words(goal, BY_NAME[goal.target.category])
    return _ANSWERS[goal.asks].format(fact=value_words(fact), **words)
