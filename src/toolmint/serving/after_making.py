"""What follows a making: repair work is queued, classes that the tool answers are joined, faults reported."""

from collections.abc import Collection

from toolmint.core.errors import ToolmintError
from toolmint.core.store import Lease, MakingReport
from toolmint.core.tool import State, ToolRecord
from toolmint.core.values import Value
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.serving.kinds import join_answered
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.server import ToolServer


async def after_making(
    server: ToolServer,
    entry: ActiveVersion,
    request: MakeRequest,
    result: MakingResult,
    busy: Collection[str],
) -> None:
    """Queue what a new tool does not answer, as repair work, and join the classes that it answers.

    ``busy`` are classes whose own tool is being made.
    """
    if not request.clustered:  # what came from the queue stands there
        for one in result.unanswered:
            await server.store.enqueue(request.request_class, one)
    await join_answered(server, entry, busy)


async def keep_result(
    server: ToolServer, name: str, result: MakingResult, state: State, lease: Lease | None
) -> ToolRecord | None:
    """Keep a making's tool, if it has one, and its report; return the tool with its version."""
    kept: ToolRecord | None = None
    if result.record is not None:
        weights = result.weights
        kept = await server.store.add(
            result.record, state, "passed verification", lease, weights=weights
        )
    report = MakingReport(
        request_class=name,
        made=kept is not None,
        version=kept.version if kept else None,
        body=result.body,
    )
    await server.store.report(report)
    return kept


async def report_fault(server: ToolServer, name: str, fault: ToolmintError) -> None:
    """Leave a report of a making that could not begin."""
    body: dict[str, Value] = {
        "ending": str(fault),
        "steps": [{"kind": "error", "text": f"[{fault.code}] {fault}"}],
    }
    await server.store.report(MakingReport(request_class=name, made=False, body=body))
