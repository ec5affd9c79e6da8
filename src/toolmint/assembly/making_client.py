"""The client's part that makes tools: it looks at demonstrations, and makes a tool of one class or each."""

from collections.abc import Sequence
from pathlib import Path

from toolmint.assembly.making import (
    ClassMaking,
    MakeChoices,
    make_class,
    make_classes,
    single_class,
)
from toolmint.assembly.requests import Demonstrations, demonstrations_of
from toolmint.assembly.session import Session, make_request_of
from toolmint.core.kept_open import KeptOpen
from toolmint.core.sync import run_in_background, run_sync
from toolmint.core.tool import Demonstration, Profile, ToolRecord
from toolmint.maker.survey import FileSurvey, survey
from toolmint.serving.request_classes import class_name_for


class MakingClient:
    """Makes tools of demonstrations, over a session that opens with the first making."""

    _session: KeptOpen[Session]

    def look(self, demonstrations: Demonstrations, *, name: str | None = None) -> FileSurvey:
        """Say what demonstrations hold, before anything is made: it asks no model and costs nothing.

        Args:
            demonstrations: as for ``make``.
            name: they are one class of that name; None: the classes are found.

        Returns:
            The classes with sizes, kinds of answers and the kind of tool that fits each, contradictions and
            near duplicates.

        Raises:
            InputError: the demonstrations are not readable.
        """
        return _seen(demonstrations, demonstrations_of(demonstrations), name)

    async def amake(
        self,
        demonstrations: Demonstrations,
        *,
        name: str | None = None,
        profile: Profile | None = None,
        unlabelled: Sequence[str] = (),
        tries: int = 3,
    ) -> ToolRecord:
        """Make, verify and store a tool for a class of requests, and begin to serve it; see ``make``."""
        labelled = demonstrations_of(demonstrations)
        seen = _seen(demonstrations, labelled, name)
        one = single_class(seen)
        named = name is not None or isinstance(demonstrations, str | Path)
        choices = MakeChoices(profile, tries, unlabelled, named)

        async def work() -> ToolRecord:
            session = await self._session.get()
            if one is None:  # which is a fault that the making names
                return await session.make(make_request_of(name, labelled, session.settings))
            return await make_class(session, one, labelled, choices)

        return await run_in_background(work())

    def make(
        self,
        demonstrations: Demonstrations,
        *,
        name: str | None = None,
        profile: Profile | None = None,
        unlabelled: Sequence[str] = (),
        tries: int = 3,
    ) -> ToolRecord:
        """Make, verify and store a tool for a class of requests, and begin to serve it.

        Args:
            demonstrations: six at least, with their right answers: pairs, ``{"input", "target"}``
                mappings, ``Demonstration`` objects, or the path of a file.
            name: of the class; None: the file's name, or the words of the first request.
            profile: ``proved`` (with a parser, so that no model is needed to answer), ``latm``, or
                ``learned`` (weights, for answers that are a closed set; no model is asked); None: what
                fits the demonstrations, as ``look`` says.
            unlabelled: requests of the class without answers, to compare an independent second tool on.
            tries: proposals at most.

        Returns:
            The tool's first version, with the evidence of every stage of verification.

        Raises:
            InputError: the demonstrations are too few, not readable, contradict each other, or are of
                several classes and have no name.
            MakerError: no proposal passed, or no kind of tool fits; the store keeps a report.
            ConfigError: no strong model is configured.
            ModelError: the strong model gave no usable reply.
        """
        return run_sync(
            self.amake(
                demonstrations, name=name, profile=profile, unlabelled=unlabelled, tries=tries
            )
        )

    async def amake_each(
        self,
        demonstrations: Demonstrations,
        *,
        profile: Profile | None = None,
        unlabelled: Sequence[str] = (),
        tries: int = 3,
    ) -> list[ClassMaking]:
        """Make a tool of each class that demonstrations hold; see ``make_each``."""
        labelled = demonstrations_of(demonstrations)
        seen = _seen(demonstrations, labelled, None)
        named = isinstance(demonstrations, str | Path)
        choices = MakeChoices(profile, tries, unlabelled, named)

        async def work() -> list[ClassMaking]:
            session = await self._session.get()
            return [one async for one in make_classes(session, labelled, seen, choices)]

        return await run_in_background(work())

    def make_each(
        self,
        demonstrations: Demonstrations,
        *,
        profile: Profile | None = None,
        unlabelled: Sequence[str] = (),
        tries: int = 3,
    ) -> list[ClassMaking]:
        """Make a tool of each class that demonstrations hold, one after the other, as ``toolmint make``.

        Args:
            demonstrations: as for ``make``, of any number of classes.
            profile: of every class; None: what fits each.
            unlabelled: requests without answers; each is of the class that it is most alike.
            tries: proposals a class at most.

        Returns:
            How each class ended, the largest first: its tool, or the error. What goes wrong with one class
            stops no other.

        Raises:
            InputError: the demonstrations are not readable.
        """
        return run_sync(
            self.amake_each(demonstrations, profile=profile, unlabelled=unlabelled, tries=tries)
        )


def _seen(
    demonstrations: Demonstrations, labelled: Sequence[Demonstration], name: str | None
) -> FileSurvey:
    if name is not None:
        return survey(labelled, name, single=True)
    if isinstance(demonstrations, str | Path):
        return survey(labelled, Path(demonstrations).stem)
    return survey(labelled, class_name_for(labelled[0].input) if labelled else None)
