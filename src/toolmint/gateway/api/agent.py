"""The agent as a model of the gateway: planner, caller and summarizer over the toolbox that it was given."""

import time
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from toolmint.core.errors import ClientLeft, ToolmintError
from toolmint.core.model import Usage
from toolmint.core.task import Trajectory
from toolmint.core.traffic import Key
from toolmint.gateway.auth.upper_usage import UpperUsage
from toolmint.gateway.call import EndpointKind, GatewayCall, ParsedRequest
from toolmint.gateway.http_errors import agent_gave_up, invalid_request
from toolmint.gateway.recording.recorder import Recorder
from toolmint.gateway.upstream.disconnect import cancel_on_disconnect
from toolmint.serving.records import AnsweredRequest, agent_record


class SolveText(Protocol):
    """Solves a task that is one text.

    ``keep``: its trajectory may be kept; ``cost``: US dollars after which it stops, or None.
    """

    async def __call__(self, text: str, *, keep: bool, cost: Decimal | None) -> Trajectory:
        """Solve it."""
        ...


class AgentModel(NamedTuple):
    """An agent under the name of a model; ``priced``: the prices of its models are known."""

    name: str
    solve: SolveText
    priced: bool = True

    def upper(self, key: Key) -> UpperUsage:
        """Return the most that a task uses: all that the key may, as nobody knows how long it takes."""
        return UpperUsage(self.name, key.tpm or 0, key.budget if self.priced else None)


async def answer_with_agent(
    recorder: Recorder,
    call: GatewayCall,
    kind: EndpointKind,
    parsed: ParsedRequest,
    agent: AgentModel,
) -> None:
    """Let the agent answer; its trajectory is kept where the key allows texts to be kept.

    Raises:
        HttpError: it gave up, or the request is more than one text.
        ClientLeft: the client went away; what its models used until then is not known.
    """
    if parsed.text is None:
        raise invalid_request(f"The agent answers one user's text alone: {parsed.why}.", "messages")
    await recorder.keys.reserve(call.number, call.key, lambda: agent.upper(call.key))
    most = recorder.keys.left(call.key) if agent.priced else None
    try:
        with cancel_on_disconnect(call.receive):
            done = await agent.solve(parsed.text, keep=call.key.record, cost=most)
    except ToolmintError as fault:
        await _record_broken(recorder, call, parsed, fault)
        raise
    used, key = done.run.usage, call.key
    why = done.run.stopped or done.outcome
    texts = recorder.texts(key, parsed.text, done.answer)
    seconds = time.perf_counter() - call.started
    answered = AnsweredRequest(
        call.caller(parsed), parsed.model, "agent", used, used.cost, texts, seconds
    )
    record = agent_record(answered, 200 if done.answer is not None else 422, why)
    if done.answer is None:
        await recorder.note(record)
        raise agent_gave_up(why if done.wants is None else f"{why}; it wants {done.wants}")
    facts: dict[str, Any] = {
        "tier": "agent",
        "why": why,
        "steps": len(done.steps),
        "tokens": used.tokens,
        "cost_usd": None if used.cost is None else float(used.cost),
        "request_id": call.number,
    }
    if done.flags:
        facts["flags"] = [flag.kind for flag in done.flags]
    headers = [(b"x-toolmint-cache", b"bypass")]
    await recorder.say(call, kind, parsed, record, (done.answer, facts, headers))


async def _record_broken(
    recorder: Recorder, call: GatewayCall, parsed: ParsedRequest, fault: ToolmintError
) -> None:
    """Record a task that broke off: it may have been paid, and nobody knows how much."""
    seconds = time.perf_counter() - call.started
    unknown, texts = Usage(cost=None), recorder.texts(call.key, parsed.text, None)
    answered = AnsweredRequest(
        call.caller(parsed), parsed.model, "agent", unknown, None, texts, seconds
    )
    status = 499 if isinstance(fault, ClientLeft) else 500
    await recorder.note(agent_record(answered, status, str(fault)))
