"""One making: the tool is made, kept with its report, and taken to work."""

from collections.abc import Callable, Collection

from toolmint.core.errors import InputError
from toolmint.core.store import Lease, Tally
from toolmint.core.tool import State, ToolRecord
from toolmint.core.traffic import LiveStore
from toolmint.core.values import Value
from toolmint.maker.making_run import MakeRequest, MakingResult
from toolmint.maker.report import HeldOut, short_reason
from toolmint.serving.after_making import after_making, keep_result, report_fault
from toolmint.serving.answer_kinds import kind_facts
from toolmint.serving.challenge import Coverage, after_challenge
from toolmint.serving.error_bound import proven
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import (
    ServingPolicy,
    Transition,
    after_held_out,
    learned_attempt,
)
from toolmint.serving.lookup import ActiveVersion
from toolmint.serving.making_rules import Make, MakingRules, Notify
from toolmint.serving.server import ToolServer


class MakingWork:
    """Makes tools and takes them to work.

    Args:
        make: makes a tool of a request, its model calls entered in the given ledger.
        live: the tallies.
        rules: how.
        notify: called with the outcome of each making.
        busy: returns the classes whose tool is being made.
    """

    def __init__(
        self,
        make: Make,
        live: LiveStore,
        rules: MakingRules,
        *,
        notify: Notify,
        busy: Callable[[], Collection[str]],
    ) -> None:
        self._make, self._live, self._rules = make, live, rules
        self._notify, self._busy = notify, busy

    async def make(
        self, server: ToolServer, request: MakeRequest, lease: Lease | None = None
    ) -> ToolRecord | None:
        """Make a tool now, keep it with its report, and take it to work; see ``BackgroundMaker.make``."""
        name = request.request_class
        title = request.title or server.classes.title(name)
        free = " (fitted, no model is called)" if request.profile == "learned" else ""
        count = len(request.labelled) + len(request.further)
        self._notify(title, f"making a tool of {count} demonstrations{free}")
        ledger = Ledger()
        state: State = "shadowing" if server.policy.shadow else "serving"
        try:
            result = _unproven(await self._result(request, ledger, title), server.policy)
            facts = await _kind_facts(server, request) if result.record is None else {}
            result = result.model_copy(update={"body": result.body | facts})
            kept = await keep_result(server, name, result, state, lease)
        except InputError as fault:
            await report_fault(server, name, fault)
            raise
        finally:
            await ledger.flush(server.store)
        title = title if request.keep_title else result.title or title
        await server.classes.set_title(name, title)
        if kept is None:
            reason = short_reason(str(result.body.get("ending", "")), case=False)
            note = facts.get("judgement")
            self._notify(title, f"no tool passed: {reason}" + (f"; {note}" if note else ""))
            return None
        await self._take(server, kept, state, result, title)
        entry = server.entries.get(name)
        if entry is not None and entry.record.version == kept.version:
            await after_making(server, entry, request, result, set(self._busy()))
        return kept

    async def _take(
        self,
        server: ToolServer,
        kept: ToolRecord,
        state: State,
        result: MakingResult,
        title: str,
    ) -> None:
        """Take a new version to work, a learned one with what held-out demonstrations have shown of it."""
        key = server.namespace.key(kept.request_class)
        entry = ActiveVersion(kept, state, key)
        passed = f"v{kept.version} passed verification and is {state}"
        if result.held_out is None:
            server.adopt(entry)
            self._notify(title, passed)
            return
        outcome = await self._counted(server, entry, result.held_out)
        said = f"v{kept.version} is fitted and is {outcome[0]}"
        self._notify(title, f"{said}: {outcome[1]}" if outcome[1] else said)

    async def _counted(
        self, server: ToolServer, entry: ActiveVersion, found: HeldOut
    ) -> tuple[State, str]:
        """Let held-out demonstrations count for a new learned version; return its state, and why."""
        name, policy = entry.key.name, server.policy
        await server.versions.demote_newer(name)
        server.adopt(entry)
        challenge = server.learned.challenge_of(entry)
        attempt = learned_attempt(entry.record.version)

        def update(tally: Tally, state: State) -> Transition:
            tally = tally.model_copy(update={"attempt": attempt})
            if challenge is None:
                return after_held_out(tally, state, found.trials, found.wrong, policy)
            counts = {"trials": tally.trials + found.trials, "wrong": tally.wrong + found.wrong}
            coverage = Coverage(found.seen, found.answered, found.rival)
            tally = coverage.added_to(tally.model_copy(update=counts))
            return after_challenge(tally, state, challenge.rival, policy)

        outcome = await server.versions.count(entry, update)
        return outcome.state, outcome.reason

    async def _result(self, request: MakeRequest, ledger: Ledger, title: str) -> MakingResult:
        """Make a tool; where no parser passes and a light model is there, one that it can use."""
        result = await self._make(request, ledger)
        if result.record is not None or not self._rules.light or request.profile != "proved":
            return result
        self._notify(title, "no parser passed; making a tool that a light model uses")
        light = await self._make(request.model_copy(update={"profile": "latm"}), ledger)
        return light.model_copy(
            update={"body": light.body | {"without_a_light_model": result.body}}
        )


async def _kind_facts(server: ToolServer, request: MakeRequest) -> dict[str, Value]:
    if request.profile == "learned":
        return {}
    reports = await server.store.reports(request.request_class)
    return kind_facts(request.labelled, 1 + sum(not one.made for one in reports))


def _unproven(result: MakingResult, policy: ServingPolicy) -> MakingResult:
    """Return a result without its learned tool where that would serve at once and is not proved."""
    found = result.held_out
    if policy.shadow or found is None or proven(found.trials, found.wrong, policy.bound):
        return result
    bound = policy.bound
    ending = (
        f"{found.wrong} of {found.trials} answers to held-out demonstrations were wrong, which does not "
        f"prove an error rate below {bound.epsilon:.0%} at {bound.confidence:.0%} confidence; more "
        "demonstrations may"
    )
    body = result.body | {"ending": ending}
    return result.model_copy(update={"record": None, "weights": None, "body": body})
