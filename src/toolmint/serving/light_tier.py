"""The light tier of a tool server: a light model picks the class or reads the request, the tool computes."""

from collections.abc import Sequence

from toolmint.core.errors import ModelError
from toolmint.core.model import Model
from toolmint.core.sandbox import Sandbox
from toolmint.core.spend import check_limits
from toolmint.maker.program import ToolRun
from toolmint.serving import tiers
from toolmint.serving.ledger import Ledger
from toolmint.serving.lifecycle import ServingPolicy
from toolmint.serving.lookup import ActiveVersion, LookupAttempts

ScoredVersion = tuple[ActiveVersion, float]
"""A version, and how much of its class's wording a request has."""


class LightTier:
    """Reads requests with a light model (LATM's tool user).

    Args:
        model: reads them.
        policy: for which requests it may.
        sandbox: where tools run.
        tenant: whose requests these are.
        ledger: has the model's calls.
    """

    def __init__(
        self, model: Model, policy: ServingPolicy, sandbox: Sandbox, tenant: str, ledger: Ledger
    ) -> None:
        self.model, self._policy = model, policy
        self._sandbox, self._tenant, self._ledger = sandbox, tenant, ledger

    async def read(
        self,
        tried: LookupAttempts,
        serving: Sequence[ScoredVersion],
        text: str,
        examples: dict[str, ActiveVersion] | None,
    ) -> tuple[ActiveVersion, ToolRun, str] | None:
        """Let the light model read a request for the class that is chosen, and the tool compute.

        Args:
            tried: what was tried before.
            serving: the serving versions, the most alike first.
            text: the request.
            examples: serving versions by class, for the model to choose from; None: wording chooses.
        """
        if examples is not None:
            entry = await self._chosen(tried, examples, text)
        else:
            least = self._policy.light_score
            alike = (one for one, score in serving if score >= least and self.may_read(one))
            entry = next(alike, None)
        if entry is None or not self.may_read(entry):
            return None
        run, said = await self.use(tried, entry, text)
        if run.answer is None:
            tried.said.append(
                f"{entry.record.label} with {self.model.name} {run.status}: {run.why}"
            )
            return None
        return entry, run, said

    def may_read(self, entry: ActiveVersion) -> bool:
        """Return whether the light model may read requests for a version."""
        record = entry.record
        return not record.learned and (not record.has_parser or self._policy.light_after_unparsed)

    async def _chosen(
        self, tried: LookupAttempts, entries: dict[str, ActiveVersion], text: str
    ) -> ActiveVersion | None:
        """Return the class that the light model names (LATM's dispatcher, section 3.2)."""
        examples = {
            name: entry.record.demonstrations[0].input
            for name, entry in sorted(entries.items())
            if entry.state == "serving" and entry.record.demonstrations and not entry.record.learned
        }
        if not examples:
            return None
        check_limits(self.model.name, tried.usage, tried.limits)
        model = self._ledger.metered(self.model, "dispatch", None)
        try:
            name, turn = await tiers.choose_class(model, examples, text)
        except ModelError as fault:
            tried.said.append(f"{self.model.name} names no class: {fault}")
            return None
        tried.turns.append(turn)
        return entries.get(name) if name is not None else None

    async def use(
        self, tried: LookupAttempts, entry: ActiveVersion, text: str
    ) -> tuple[ToolRun, str]:
        """Return what a version computes of a request that the light model reads, and who did what."""
        check_limits(self.model.name, tried.usage, tried.limits)
        model = self._ledger.metered(self.model, "use", entry.record.request_class)
        where = (self._sandbox, model, entry.record, text, self._tenant)
        try:
            run = await tiers.light_tier(*where, turns=tried.turns)
        except ModelError as fault:
            return ToolRun(status="failed", why=str(fault)), ""
        return run, f"{self.model.name} read the request, {entry.record.label} computed"
