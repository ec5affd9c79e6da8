"""A user's word that an answer was right or wrong; it counts at once."""

from typing import Any

import orjson

from toolwright.core.tool import Demonstration
from toolwright.core.traffic import Key, TrafficLog
from toolwright.gateway.desks import Desks
from toolwright.gateway.journal import Journal
from toolwright.gateway.refusal import Refusal, invalid


class Feedback:
    """Takes feedback on answered requests."""

    def __init__(self, log: TrafficLog, desks: Desks, journal: Journal) -> None:
        self._log, self._desks, self._journal = log, desks, journal

    async def take(self, key: Key, body: bytes) -> dict[str, Any]:
        """Take ``{"request_id": ..., "right": false, "answer": "the right one"}``; gives what it led to.

        Raises:
            Refusal: the body is wrong, or the tenant has no such request.
        """
        number, right, answer = _read(body)
        await self._journal.flush()
        handled = await self._log.request(number, key.tenant)
        if handled is None:
            raise Refusal(
                404, f"There is no request {number!r}.", param="request_id", code="not_found"
            )
        said: dict[str, Any] = {"request_id": number, "counted": False, "tier": handled.tier}
        if handled.request_class is None or handled.version is None:
            return said | {"why": "no tool answered it"}
        owner, scope, name = handled.request_class.split("/", 2)
        desk = await self._desks.room(f"{owner}/{scope}/")
        entry = desk.entries.get(name)
        if entry is None or entry.record.version != handled.version:
            return said | {"why": "the version that answered is no longer at work"}
        keep = key.record and owner == key.tenant
        texts = (handled.input, handled.answer, answer) if keep else (None, None, None)
        weighed = await desk.weigh(entry, "feedback", texts, agreed=right)
        if keep and answer is not None and handled.input is not None:
            one = Demonstration(input=handled.input, target=answer)
            await desk.store.enqueue(name, one)
        return said | {
            "counted": True, "class": name, "version": handled.version, "state": weighed.state,
            "why": weighed.reason or "noted",
        }  # fmt: skip


def _read(body: bytes) -> tuple[str, bool, str | None]:
    try:
        value: Any = orjson.loads(body)
        number, right, answer = value["request_id"], value["right"], value.get("answer")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise invalid(
            "A JSON object with 'request_id' and 'right' (true or false) is expected."
        ) from fault
    if not isinstance(number, str) or not isinstance(right, bool):
        raise invalid("'request_id' must be a text, and 'right' true or false.")
    if answer is not None and not isinstance(answer, str):
        raise invalid("'answer' must be a text.", "answer")
    return number, right, answer
