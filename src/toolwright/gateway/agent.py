"""The agent as a model of the gateway: planner, caller and summarizer over the toolbox that it was given."""

import time
from typing import Any, NamedTuple, Protocol

from toolwright.core.task import Trajectory
from toolwright.core.traffic import Handled
from toolwright.gateway.call import Call, Kind
from toolwright.gateway.clerk import Clerk
from toolwright.gateway.refusal import gave_up, invalid
from toolwright.gateway.strong import WhileHere
from toolwright.gateway.wire import Asked


class Solve(Protocol):
    """Solves a task that is one text; ``keep``: its trajectory may be kept."""

    async def __call__(self, text: str, *, keep: bool) -> Trajectory:
        """Solve it."""
        ...


class Agent(NamedTuple):
    """An agent under the name of a model."""

    name: str
    solve: Solve


async def play(clerk: Clerk, call: Call, kind: Kind, asked: Asked, agent: Agent) -> None:
    """Let the agent answer; its trajectory is kept where the key allows texts to be kept.

    Raises:
        Refusal: it gave up, or the request is more than one text.
        ClientLeft: the client went away.
    """
    if asked.text is None or asked.why:
        raise invalid(f"The agent answers one user's text alone: {asked.why}.", "messages")
    with WhileHere(call.receive):
        done = await agent.solve(asked.text, keep=call.key.record)
    used, key = done.run.usage, call.key
    why = done.run.stopped or done.outcome
    handled = Handled(
        id=call.number, tenant=key.tenant, key=key.id, model=asked.model, tier="agent", why=why,
        status=200 if done.answer is not None else 422, streamed=asked.stream, cost=used.cost,
        input_tokens=used.input_tokens, cached_tokens=used.cached_tokens,
        output_tokens=used.output_tokens, seconds=time.perf_counter() - call.started,
        **clerk.texts(key, asked.text, done.answer),
    )  # fmt: skip
    if done.answer is None:
        await clerk.note(handled)
        clerk.keys.used(key, used.tokens, used.cost)
        raise gave_up(why if done.wants is None else f"{why}; it wants {done.wants}")
    facts: dict[str, Any] = {
        "tier": "agent", "why": why, "steps": len(done.steps), "tokens": used.tokens,
        "cost_usd": None if used.cost is None else float(used.cost), "request_id": call.number,
    }  # fmt: skip
    headers = [(b"x-toolwright-cache", b"bypass")]
    await clerk.say(call, kind, asked, handled, (done.answer, facts, headers))
