"""Makes the tools of a file class by class: the kind that fits each, and no making where none does."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import NamedTuple, cast

from toolmint.assembly.session import Session, make_request_of
from toolmint.core.errors import InputError, MakerError, ToolmintError
from toolmint.core.store import MakingReport
from toolmint.core.tool import Demonstration, Profile, ToolRecord
from toolmint.core.values import Value
from toolmint.maker.class_groups import nearest_groups
from toolmint.maker.survey import ClassSurvey, FileSurvey

NO_TOOL_FITS = "no-tool-fits"


class MakeChoices(NamedTuple):
    """How the tools of a file are made; each class has its own proposals, report and title.

    Attributes:
        profile: of every class; None: what fits each, and no making where none does.
        tries: proposals a class at most.
        unlabelled: requests without answers; each is of the class that it is most alike.
        named: the class's name is a person's; else the maker names what it makes.
    """

    profile: Profile | None = None
    tries: int = 3
    unlabelled: Sequence[str] = ()
    named: bool = True

    @classmethod
    def of(cls, profile: str, tries: int, unlabelled: Sequence[str]) -> "MakeChoices":
        """Return the choices of a command; the profile ``auto`` is what fits each class."""
        chosen = None if profile == "auto" else cast("Profile", profile)
        return cls(chosen, tries, unlabelled)


class ClassMaking(NamedTuple):
    """How the making of one class of a file ended.

    Attributes:
        seen: the class.
        record: its tool; None: it has none.
        error: why it has none.
    """

    seen: ClassSurvey
    record: ToolRecord | None
    error: ToolmintError | None = None

    @property
    def tried(self) -> bool:
        """Whether a making was begun; none is where no kind of tool fits."""
        return self.error is None or self.error.code != NO_TOOL_FITS


async def make_classes(
    session: Session,
    labelled: Sequence[Demonstration],
    seen: FileSurvey,
    choices: MakeChoices = MakeChoices(),  # noqa: B008 - immutable
) -> AsyncGenerator[ClassMaking]:
    """Make the tool of each class of a file, one after the other; the failure of one stops no other."""
    groups = [one.of(labelled) for one in seen.classes]
    texts = [[demonstration.input for demonstration in group] for group in groups]
    asked: list[list[str]] = [[] for _ in groups]
    for text, place in zip(
        choices.unlabelled, nearest_groups(texts, choices.unlabelled), strict=True
    ):
        asked[place].append(text)
    several = len(groups) > 1
    for one, group, more in zip(seen.classes, groups, asked, strict=True):
        try:
            record = await make_class(
                session, one, group, choices._replace(unlabelled=more), several=several
            )
        except ToolmintError as fault:
            yield ClassMaking(one, None, fault)
        else:
            yield ClassMaking(one, record)


async def make_class(
    session: Session,
    one: ClassSurvey,
    labelled: Sequence[Demonstration],
    choices: MakeChoices,
    *,
    several: bool = False,
) -> ToolRecord:
    """Make the tool of one class, of the kinds that fit it in turn; ``several``: its file holds others too.

    Raises:
        MakerError: no kind of tool fits it, or no tool passed.
        InputError: its demonstrations are too few, or contradict each other.
    """
    profiles = _profiles(one, choices, able=session.models.strong is not None)
    if not profiles:
        await _leave_report(session, one)
        raise MakerError(f"no kind of tool fits {one.title!r}: {one.why}", code=NO_TOOL_FITS)
    fields: dict[str, object] = {"seen": one.said}
    if several:
        fields["title"] = one.title
    *before, last = [
        make_request_of(
            one.name if several or choices.named else None,
            labelled,
            session.settings,
            profile=profile,
            tries=choices.tries,
            unlabelled=tuple(choices.unlabelled),
            **fields,
        )
        for profile in profiles
    ]
    for request in before:
        with suppress(MakerError):
            return await session.make(request)
    return await session.make(last)


def _profiles(one: ClassSurvey, choices: MakeChoices, *, able: bool) -> tuple[Profile, ...]:
    """Return the profiles to try for a class, in their order.

    ``able``: a strong model is there; without one, weights alone can be made.
    """
    if choices.profile is not None:
        return (choices.profile,)
    match one.fits:
        case "code":
            return ("proved",)
        case "learned":
            return ("learned",)
        case "code or learned":
            return ("proved", "learned") if able else ("learned",)
        case "none":
            # Too few demonstrations are a fault of the file, which the making names.
            return ("proved",) if one.few else ()


async def _leave_report(session: Session, one: ClassSurvey) -> None:
    """Say in the store, once, why a class has no tool."""
    ending = f"no kind of tool fits: {one.why}"
    reports = await session.store.reports(one.name)
    if reports and reports[-1].body.get("ending") == ending:
        return
    steps: list[Value] = [{"kind": "seen", "text": one.said}]
    body: dict[str, Value] = {"ending": ending, "steps": steps}
    await session.store.report(MakingReport(request_class=one.name, made=False, body=body))


def single_class(seen: FileSurvey) -> ClassSurvey | None:
    """Return the one class of demonstrations; None where there are none at all.

    Raises:
        InputError: they are of several classes.
    """
    if len(seen.classes) > 1:
        found = ", ".join(f"{one.title!r} ({one.requests})" for one in seen.classes)
        raise InputError(
            f"the demonstrations are of {len(seen.classes)} classes: {found}; `make_each` makes a tool of "
            "each one, and a name makes one tool of all",
            code="several-classes",
        )
    return next(iter(seen.classes), None)
