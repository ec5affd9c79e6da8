"""What a making is given of the queue: the newest demonstrations of a class, and some of others."""

from collections.abc import Mapping, Sequence

from toolmint.core.store import ToolStore
from toolmint.core.tool import Demonstration, ToolRecord
from toolmint.core.traffic import Comparison
from toolmint.maker.making_run import MakeRequest
from toolmint.serving.duplicates import duplicate_classes
from toolmint.serving.request_classes import MAX_EXAMPLES
from toolmint.serving.server import ToolServer

MOST_QUEUED = 60
"""Demonstrations that a making takes at most: the newest, those that an older version got wrong first."""
_NEIGHBOURS, _MOST_NEIGHBOURS = 3, 150
"""Requests of each other class, and of all: a tool refuses them or answers them rightly."""
_FAULTS = 5
"""A making after a demotion learns from what came since so many last faults."""


def make_request_for(
    name: str,
    queued: Mapping[str, Sequence[Demonstration]],
    settings: MakeRequest,
    first: frozenset[str] = frozenset(),
) -> MakeRequest:
    """Return the request for a class's tool: its newest demonstrations, and a few requests of others.

    Args:
        name: the class.
        queued: demonstrations by class, oldest first.
        settings: a request whose profile, tries and limits are kept.
        first: requests that an older version got wrong: the maker is shown them.
    """
    newest = list(queued.get(name, ()))[::-1]
    mine = sorted(newest, key=lambda one: one.input not in first)[:MOST_QUEUED]
    neighbours = tuple(
        one for other, some in queued.items() if other != name for one in some[:_NEIGHBOURS]
    )
    return settings.model_copy(
        update={
            "request_class": name,
            "labelled": tuple(mine),
            "neighbours": neighbours[:_MOST_NEIGHBOURS],
            "clustered": True,
        }
    )


def with_upcoming(request: MakeRequest, server: ToolServer, upcoming: Sequence[str]) -> MakeRequest:
    """Return a request with its class's title, and with those that will come as unlabelled ones."""
    name, known = request.request_class, {one.input for one in request.labelled}
    update: dict[str, object] = {"title": server.classes.title(name)}
    if upcoming:
        update["unlabelled"] = server.classes.upcoming_of(name, upcoming, known)
    return request.model_copy(update=update)


def refused_of(record: ToolRecord, queued: Sequence[Demonstration]) -> list[Demonstration]:
    """Return what is queued of a class and its tool did not answer when it was made, or since."""
    known = {one.input for one in record.demonstrations}
    return [one for one in queued if one.input not in known]


def repair_request(request: MakeRequest, record: ToolRecord) -> MakeRequest:
    """Return a request that goes on from the tool at work, with the demonstrations that it answers."""
    known = {one.input for one in request.labelled}
    kept = [one for one in record.demonstrations if one.input not in known]
    labelled = (*request.labelled, *kept)[: 2 * MOST_QUEUED]
    return request.model_copy(update={"labelled": labelled, "base": record.source})


async def demonstrations_since(
    store: ToolStore, name: str, version: int, wrong: Sequence[Comparison]
) -> list[Demonstration]:
    """Return the demonstrations since a version's last faults; what is older may be true no more."""
    since = faults_since(version, wrong)
    return (await store.queued(name, since=since)).get(name, [])


def faults_since(version: int, wrong: Sequence[Comparison]) -> str | None:
    """Return when the first of a version's last faults was (ISO 8601); None: it has none."""
    mine = [one.at for one in wrong if one.version == version][:_FAULTS]
    return mine[-1].isoformat() if mine else None


async def merge_duplicates(
    server: ToolServer, name: str
) -> tuple[str, dict[str, list[Demonstration]]]:
    """Join classes that came up twice; return the name that a class has then, and the queue."""
    queued = await server.store.queued(most=MAX_EXAMPLES)
    learnt = server.classes.learnt
    found = duplicate_classes({one: some for one, some in queued.items() if one not in learnt})
    for old, new in found.items():
        await server.store.join(old, new)
        server.classes.merge(old, new)
        queued[new] += queued.pop(old)
    return found.get(name, name), queued
