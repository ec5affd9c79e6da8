"""A user's word that an answer was right or wrong; it counts at once, and once for each request and key."""

from typing import Any

import orjson

from toolmint.core.errors import HttpError
from toolmint.core.learned import DrawnDemonstration
from toolmint.core.namespace import ClassKey
from toolmint.core.traffic import Key, TrafficLog
from toolmint.core.user_report import UserReport
from toolmint.gateway.http_errors import invalid_request
from toolmint.gateway.recording.recorder import Recorder
from toolmint.gateway.recording.request_log import RequestLog
from toolmint.serving.servers import ToolServers

_BEFORE = "this key has given its word on this request before"


class Feedback:
    """Takes feedback on answered requests.

    Args:
        log: the answered requests.
        servers: the tools, by tenant and scope.
        request_log: where requests wait to be written.
        recorder: says which texts may be kept, and how.
    """

    def __init__(
        self,
        log: TrafficLog,
        servers: ToolServers,
        request_log: RequestLog,
        recorder: Recorder,
    ) -> None:
        self._log, self._servers, self._request_log = log, servers, request_log
        self._recorder = recorder

    async def take(self, key: Key, body: bytes) -> dict[str, Any]:
        """Take ``{"request_id": ..., "right": false, "answer": "the right one"}``; returns what it led to.

        Of a tool that another tenant granted it is a report, which that tenant sees: it moves no bound, so
        that nobody can demote what others serve.

        Raises:
            HttpError: the body is wrong, or the tenant has no such request.
        """
        number, right, answer = _read(body)
        await self._request_log.flush()
        record = await self._log.request(number, key.tenant)
        if record is None:
            raise HttpError(
                404, f"There is no request {number!r}.", param="request_id", code="not_found"
            )
        said: dict[str, Any] = {"request_id": number, "counted": False, "tier": record.tier}
        if record.request_class is None or record.version is None:
            return said | {"why": "no tool answered it"}
        of = ClassKey.parse(record.request_class)
        report = UserReport(number, key.id, right)
        if of.tenant != key.tenant:
            live = self._servers.storage.live
            kept = await live.keep_report(of, record.version, report)
            why = "the tool is another tenant's, who sees this as a report"
            return said | {"reported": kept, "why": why if kept else _BEFORE}
        server = await self._servers.of(of.namespace)
        entry = server.entries.get(of.name)
        if entry is None or entry.record.version != record.version:
            return said | {"why": "the version that answered is no longer at work"}
        kept = self._recorder.kept_together(answer) if key.record and answer is not None else None
        answer = None if kept is None else kept[0]  # the texts of the record were redacted before
        texts = (record.input, record.answer, answer) if key.record else (None, None, None)
        outcome = await server.record_comparison(
            entry, "feedback", texts, agreed=right, report=report
        )
        if not outcome.counted:
            return said | {"why": _BEFORE}
        if answer is not None and record.input is not None:
            # People report what a tool got wrong: such requests are rarer in the traffic than here.
            one = DrawnDemonstration(input=record.input, target=answer, drawn="abstained")
            await server.store.enqueue(of.name, one)
        return said | {
            "counted": True,
            "class": of.name,
            "title": server.classes.title(of.name),
            "version": record.version,
            "state": outcome.state,
            "why": outcome.reason or "noted",
        }


def _read(body: bytes) -> tuple[str, bool, str | None]:
    try:
        value: Any = orjson.loads(body)
        number, right, answer = value["request_id"], value["right"], value.get("answer")
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise invalid_request(
            "A JSON object with 'request_id' and 'right' (true or false) is expected."
        ) from fault
    if not isinstance(number, str) or not isinstance(right, bool):
        raise invalid_request("'request_id' must be a text, and 'right' true or false.")
    if answer is not None and not isinstance(answer, str):
        raise invalid_request("'answer' must be a text.", "answer")
    return number, right, answer
