"""Plays a labelled stream through the gateway's logic in this process; its labels are the strong model."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from toolmint.assembly.gateway import serving_policy_of
from toolmint.assembly.session import Models, Session
from toolmint.assembly.settings import Settings
from toolmint.core.task import Task
from toolmint.evaluation.stream import PlayedRequest, StreamRequest
from toolmint.maker.making_run import Observer, silent
from toolmint.models.scripted import AnsweringModel
from toolmint.serving.lifecycle import Auditor
from toolmint.serving.server import ToolServer

ObserveStream = Callable[[int, int], None]
"""Called with the requests that are done, and all of them."""
_OBSERVED = 50


class GatewayPlayer:
    """Sends a stream through tool server, store, comparisons, audits and makings, as the gateway does.

    Tools are learned ones. A making takes no time of the stream: the next request waits for its end, so
    that the same seed gives the same outcome on any machine.

    Args:
        settings: the bound, the audit rate, and when tools are made; the store is one of its own.
        observe: told how far it is.
        note: told each step of a making, one line at a time.
    """

    name = "toolmint"

    def __init__(
        self,
        settings: Settings,
        observe: ObserveStream | None = None,
        note: Observer = silent,
    ) -> None:
        none = {"model": None, "light_model": None, "second_model": None}
        self._settings = settings.model_copy(update={**none, "profile": "learned"})
        self._observe, self._note = observe, note

    async def play(self, stream: Sequence[StreamRequest], seed: int) -> list[PlayedRequest]:
        """Return what became of each request.

        Raises:
            ToolmintError: the store or the sandbox is broken, or the extra ``learned`` is missing.
        """
        policy = serving_policy_of(self._settings)
        said = [""]
        strong = AnsweringModel(lambda _: said[0], name="labels")
        auditor = Auditor(policy.audit_rate, Random(f"audits {seed}"))
        found: list[PlayedRequest] = []
        with tempfile.TemporaryDirectory() as folder:
            settings = self._settings.model_copy(update={"store": Path(folder) / "tools.db"})
            async with Session.open(
                settings,
                models=Models(strong),
                policy=policy,
                auditor=auditor,
                observe=self._note,
            ) as session:
                server = await session.solver.server()
                for place, one in enumerate(stream):
                    said[0] = one.strong
                    answered = await session.solver.solve(Task(input=one.text))
                    await session.maker.idle()
                    tier = answered.served.tier if answered.served is not None else "strong"
                    found.append(
                        PlayedRequest(
                            answered.answer or "", tier == "strong", versions_serving(server)
                        )
                    )
                    if self._observe is not None and not (place + 1) % _OBSERVED:
                        self._observe(place + 1, len(stream))
        return found


def versions_serving(server: ToolServer) -> str:
    """Return which versions serve, in words; empty: none."""
    serving = sorted(
        entry.record.label for entry in server.entries.values() if entry.state == "serving"
    )
    return ", ".join(serving)
