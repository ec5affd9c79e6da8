"""The task generator: goals of a given length, state, tools with distractors, faults; each task is proved."""

from collections.abc import Iterator, Sequence
from random import Random

from toolmint.core.errors import ToolmintError
from toolmint.world.categories import Category, Field
from toolmint.world.goals import Goal, Target, truth
from toolmint.world.operations import WorldOperation
from toolmint.world.prover import NeededCall, certificate, prove
from toolmint.world.shape import DEFAULT_SHAPE, MAX_CALLS, Shape
from toolmint.world.state import Deed, Record, WorldState, person, records_of
from toolmint.world.task import WorldTask
from toolmint.world.tools import Split, WorldTool, categories_of, world_tools
from toolmint.world.wording import BY_NAME, instruction

_MAX_ATTEMPTS = 60
# Kinds of goals by the number of calls that they need together; one pattern is drawn.
_GOAL_PATTERNS: dict[int, tuple[tuple[str, ...], ...]] = {
    1: (("id",),),
    2: (("ref",), ("undo",), ("id", "id")),
    3: (("ref", "more"), ("ref", "id")),
    4: (("link",), ("ref", "ref"), ("undo", "ref")),
    5: (("link", "more"), ("link", "id"), ("ref", "more", "ref")),
    6: (("link", "ref"), ("link", "more", "id"), ("ref", "more", "ref", "more")),
}
_LINK_KINDS = ("city", "person", "date")


class _Draft:
    """A task under construction: random generator, records drawn so far, goals."""

    def __init__(self, split: Split, seed: int, edition: int) -> None:
        # Seed texts must stay byte-identical: published figures depend on the tasks they draw.
        self.random = Random(f"world/{split}/{seed}")
        self.split: Split = split
        self.edition = edition
        self.records: dict[str, list[Record]] = {}
        self.deeds: list[Deed] = []
        self.goals: list[Goal] = []

    def category(self) -> Category:
        """Draw an unused category and its records."""
        names = [name for name in categories_of(self.split) if name not in self.records]
        category = BY_NAME[self.random.choice(names)]
        self.records[category.name] = records_of(category, self.random)
        return category

    def tools(self, name: str) -> tuple[WorldTool, ...]:
        """Return all tools of a category in the draft's split and edition."""
        return world_tools(self.split, name, self.edition)

    def record(self, category: Category) -> Record:
        """Draw a record of a category."""
        return self.random.choice(self.records[category.name])

    def add(self, kind: str) -> None:
        """Add one goal: by ``id``, by reference, by ``link``, ``more`` of the last target, or an ``undo``."""
        random = self.random
        match kind:
            case "id":
                category = self.category()
                target = Target(category=category.name, how="id", value=self.record(category)["id"])
                self.goals.append(self._goal(category, target))
            case "ref":
                category = self.category()
                self.goals.append(self._goal(category, self._reference(category)))
            case "link":
                target = self._link()
                self.goals.append(self._goal(BY_NAME[target.category], target))
            case "more":
                last = self.goals[-1]
                category = BY_NAME[last.target.category]
                self.goals.append(self._goal(category, last.target, unlike=last))
            case _:
                category = self.category()
                who = person(random)
                record = self.record(category)
                state = WorldState({category.name: self.records[category.name]})
                self.deeds.append(
                    state.do(category.name, str(record["id"]), who, random.randrange(1, 6))
                )
                target = Target(category=category.name, how="id", value=record["id"])
                self.goals.append(Goal(asks="undo", target=target, person=who))

    def _reference(self, category: Category) -> Target:
        random = self.random
        how = random.choice(("name", "name", "field", "field", "extreme"))
        record = self.record(category)
        if how == "name":
            return Target(category=category.name, how="name", value=record["name"])
        if how == "extreme":
            numbers = [
                one.name for one in category.fields if one.kind in {"money", "count", "score"}
            ][:2]
            if numbers:
                order = random.choice(("lowest", "highest"))
                return Target(
                    category=category.name, how="extreme", field=random.choice(numbers), value=order
                )
        field = random.choice(
            [one for one in category.fields if one.kind in {*_LINK_KINDS, "count", "score"}]
        )
        return Target(
            category=category.name, how="field", field=field.name, value=record[field.name]
        )

    def _link(self) -> Target:
        """Return a target that another record's field refers to; make the two values equal."""
        random = self.random
        while True:
            first, second = self.category(), self.category()
            source = self._reference(first)
            pairs = [
                (one, other)
                for one in first.fields
                for other in second.fields
                if one.kind == other.kind and one.kind in _LINK_KINDS and one.name != source.field
            ]
            if pairs:
                break
        ours, theirs = random.choice(pairs)
        value = truth(source, WorldState(self.records))[ours.name]
        for record in self.records[second.name]:
            if record[theirs.name] == value:
                return self._linked(second, theirs, source, ours)
        self.record(second)[theirs.name] = value
        return self._linked(second, theirs, source, ours)

    def _linked(
        self, category: Category, field: Field, source: Target, source_field: Field
    ) -> Target:
        return Target(
            category=category.name,
            how="link",
            field=field.name,
            source=source,
            source_field=source_field.name,
        )

    def _goal(self, category: Category, target: Target, unlike: Goal | None = None) -> Goal:
        random = self.random
        asks = random.choice(("tell", "tell", "tell", "quote", "do", "do"))
        if unlike is not None and unlike.asks != "tell":
            asks = "tell"
        if asks == "do":
            return Goal(
                asks="do", target=target, person=person(random), amount=random.randrange(1, 9)
            )
        money = [one.name for one in category.fields if one.kind == "money"]
        if asks == "quote" and money:
            return Goal(asks="quote", target=target, field=money[0], amount=random.randrange(2, 30))
        out = {target.field, unlike.field if unlike is not None else ""}
        fields = [one.name for one in category.fields if one.kind != "flag" and one.name not in out]
        return Goal(asks="tell", target=target, field=random.choice(fields))


def _needed_calls(draft: _Draft, state: WorldState) -> tuple[NeededCall, ...] | None:
    """Return the calls that solve the goals when every tool of the split is available."""
    every = [tool for name in draft.records for tool in draft.tools(name)]
    draft.random.shuffle(every)
    return prove(draft.goals, every, state, ()).calls


def _distractors(draft: _Draft, needed: Sequence[WorldTool], categories: int) -> list[WorldTool]:
    random = draft.random
    near = [tool for name in draft.records for tool in draft.tools(name) if tool not in needed]
    found = random.sample(near, min(len(near), random.randrange(1, 5)))
    for name in random.sample(sorted(categories_of(draft.split)), categories):
        if name not in draft.records:
            draft.records[name] = records_of(BY_NAME[name], random)
            found += random.sample(draft.tools(name), 2)
    return found


def _alternatives(draft: _Draft, broken: WorldTool) -> list[WorldTool]:
    """Return alternatives to a broken tool: another provider's, or one that returns the whole record."""
    operation = broken.operation
    ways = {operation}
    if operation.does in {"get", "quote"}:
        ways |= {
            WorldOperation("details", operation.category),
            WorldOperation("many", operation.category),
        }
    if operation.does == "find" and operation.field == "name":
        ways.add(WorldOperation("list", operation.category))
    return [
        tool
        for tool in draft.tools(operation.category)
        if tool.operation in ways and tool != broken
    ]


def _make_unsolvable(draft: _Draft, tools: list[WorldTool]) -> tuple[list[WorldTool], list[str]]:
    """Make one goal impossible: remove the tools that reach it, or declare them dead.

    Returns:
        The remaining tools, and the names of the dead ones.
    """
    goal = draft.random.choice(draft.goals)
    category = goal.target.category
    fields = {goal.field} if goal.asks in {"tell", "quote"} else set[str]()
    does = {"do": "do", "undo": "undo"}.get(goal.asks)
    doomed = [
        tool
        for tool in tools
        if tool.operation.category == category
        and (
            tool.operation.does == does
            if does
            else tool.operation.does in {"details", "many"} or tool.operation.field in fields
        )
    ]
    declare_dead = draft.random.random() < 0.5
    left = [tool for tool in tools if declare_dead or tool not in doomed]
    return left, [tool.spec.name for tool in doomed] if declare_dead else []


def make_task(split: Split, seed: int, shape: Shape = DEFAULT_SHAPE, edition: int = 0) -> WorldTask:
    """Return the task of a seed: deterministic, and proved to be solvable or impossible.

    Raises:
        ToolmintError: no attempt of 60 gave a task, which would be a bug of the generator.
    """
    for attempt in range(_MAX_ATTEMPTS):
        task = _attempt(split, seed, attempt, shape, edition)
        if task is not None:
            return task
    raise ToolmintError(f"no task of {split!r} was found for the seed {seed}")


def _attempt(split: Split, seed: int, attempt: int, shape: Shape, edition: int) -> WorldTask | None:
    draft = _Draft(split, seed if not attempt else seed * 1000 + attempt, edition)
    random = draft.random
    length = random.randrange(shape.shortest, shape.longest + 1)
    for kind in random.choice(_GOAL_PATTERNS[length]):
        draft.add(kind)
    deeds = tuple(draft.deeds)
    calls = _needed_calls(draft, WorldState(draft.records, deeds))
    if calls is None or not shape.shortest <= len(calls) <= shape.longest:
        return None
    needed = list(dict.fromkeys(call.tool.spec.name for call in calls))
    chosen = [next(call.tool for call in calls if call.tool.spec.name == name) for name in needed]
    tools = [*chosen, *_distractors(draft, chosen, shape.distractor_categories)]
    dead, flaky = list[str](), list[str]()
    # One draw decides, so that the shares exclude each other.
    fate = random.random()
    if fate < shape.impossible:
        tools, dead = _make_unsolvable(draft, tools)
    elif fate < shape.impossible + shape.broken:
        broken = random.choice(chosen)
        ways = _alternatives(draft, broken)
        if ways:
            dead = [broken.spec.name]
            tools += [way for way in random.sample(ways, min(2, len(ways))) if way not in tools]
    elif fate < shape.impossible + shape.broken + shape.flaky:
        flaky = [random.choice(needed)]
    random.shuffle(tools)
    return _proved(draft, seed, tools, dead, flaky)


def _proved(
    draft: _Draft, seed: int, tools: list[WorldTool], dead: list[str], flaky: list[str]
) -> WorldTask | None:
    deeds = tuple(draft.deeds)
    proof = prove(draft.goals, tools, WorldState(draft.records, deeds), dead)
    why = ""
    if proof.calls is None:
        reasons = [certificate(goal, tools, dead) for goal in draft.goals]
        why = next((reason for reason in reasons if reason), "")
        if not why:
            return None
    elif len(proof.calls) > MAX_CALLS:
        return None
    goals = tuple(draft.goals)
    return WorldTask(
        id=f"{draft.split}-{seed}",
        split=draft.split,
        seed=seed,
        input=instruction(goals, draft.random),
        tools=tuple(tool.spec.name for tool in tools),
        records=draft.records,
        deeds=deeds,
        goals=goals,
        dead=tuple(dead),
        flaky=tuple(flaky),
        calls=len(proof.calls or ()),
        proof=why,
        edition=draft.edition,
    )


def make_tasks(
    split: Split, count: int, seed: int = 0, shape: Shape = DEFAULT_SHAPE
) -> Iterator[WorldTask]:
    """Yield ``count`` tasks, for the seeds from ``seed`` on."""
    for number in range(seed, seed + count):
        yield make_task(split, number, shape)
