"""The learned tier of a tool server: small models in this process that answer what they are sure of.

A class may have two learned versions at work: the one that serves, or is the first to be compared, and a
newer one that is compared with it until it proves that it answers more.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from toolmint.core.errors import ToolmintError
from toolmint.core.sameness import same_answer
from toolmint.maker.program import ToolRun
from toolmint.serving.challenge import Challenge, Coverage
from toolmint.serving.learned_models import LearnedModels
from toolmint.serving.learned_watch import LearnedWatch
from toolmint.serving.lookup import ActiveVersion, LearnedSaid, LookupAttempts, LookupResult


class LearnedTier:
    """Asks the learned versions of a namespace.

    Args:
        models: their models.
        audit_rate: share of served answers that are audited.

    Attributes:
        challengers: by class, the newer version beside the one in the server's entries.
    """

    def __init__(self, models: LearnedModels, audit_rate: float) -> None:
        self._models, self._audit_weight = models, 1 / audit_rate
        self._watch, self._pending = LearnedWatch(), dict[tuple[str, int], Coverage]()
        self._names: dict[str, ActiveVersion] = {}
        self.challengers: dict[str, ActiveVersion] = {}

    def __len__(self) -> int:
        """Return how many classes have a learned version at work."""
        return len(self._names)

    def clear(self) -> None:
        """Forget every version."""
        self._names.clear()
        self.challengers.clear()

    def takes_beside(self, entry: ActiveVersion, current: ActiveVersion | None) -> bool:
        """Return whether a version is compared beside the one at work, which it would else replace."""
        name, version = entry.record.request_class, entry.record.version
        beside = (
            current is not None
            and entry.record.learned
            and entry.state == "shadowing"
            and current.record.version < version
        )
        if beside:
            self.challengers[name] = entry
            return True
        other = self.challengers.get(name)
        if other is not None and other.record.version <= version:
            del self.challengers[name]
        if entry.record.learned:
            self._names[name] = entry
        else:
            self._names.pop(name, None)
        return False

    def moved(self, entry: ActiveVersion) -> None:
        """Follow a version at work whose state or tally has moved."""
        if entry.record.learned:
            self._names[entry.record.request_class] = entry

    def removed(self, name: str) -> ActiveVersion | None:
        """Forget the version at work of a class; return the newer one that takes its place, if any."""
        self._names.pop(name, None)
        return self.challengers.pop(name, None)

    async def look(
        self,
        tried: LookupAttempts,
        names: Iterable[str],
        text: str,
        due: Callable[[ActiveVersion], bool],
    ) -> LookupResult | None:
        """Return a serving version's answer, or what is to be compared with the strong model's; None: no
        learned version has a say.

        Args:
            tried: what was tried before.
            names: classes that may be meant, the likeliest first.
            text: the request.
            due: says whether a serving version's answer is audited.
        """
        for name in names:
            entry = self._names.get(name)
            if entry is None:
                continue
            said = await self._ask(tried, entry, text)
            if said is None:
                continue
            record, answer = entry.record, said.answer
            serves = entry.state == "serving" and answer.text is not None
            if serves and not (self._watch.due(name, record.version) or due(entry)):
                return tried.result("serve", entry, _run(said), _why(said))
            return await self._compared(tried, said, text)
        return None

    async def _compared(
        self, tried: LookupAttempts, said: LearnedSaid, text: str
    ) -> LookupResult | None:
        """Return a result that lets the strong model answer, with all that is compared then."""
        entry, heard = said.entry, [said]
        newer = self.challengers.get(entry.record.request_class)
        if newer is not None and (other := await self._ask(tried, newer, text)) is not None:
            heard.append(other)
        sure = next((one for one in heard if one.answer.text is not None), None)
        if said.answer.text is None:
            tried.said.append(f"{entry.record.label} abstains: {said.answer.why}")
        if sure is None:
            return tried.result("none")._replace(learned=tuple(heard))
        mode = "audit" if sure is said and entry.state == "serving" else "shadow"
        found = tried.result(mode, sure.entry, _run(sure), _why(sure))
        return found._replace(learned=tuple(heard))

    async def _ask(
        self, tried: LookupAttempts, entry: ActiveVersion, text: str
    ) -> LearnedSaid | None:
        try:
            model = await self._models.get(entry.key, entry.record.weights)
        except ToolmintError as fault:
            tried.said.append(f"{entry.record.label} rests: {fault}")
            return None
        return LearnedSaid(entry, model.answer(text))

    def note(self, heard: Sequence[LearnedSaid], theirs: str, *, audited: bool) -> str | None:
        """Note the strong model's answer to a request; return the label of a version that is now suspected.

        Args:
            heard: what the learned versions said: the one at work, and the newer one.
            theirs: the strong model's answer.
            audited: the version at work serves and would have answered.
        """
        suspected = None
        first = heard[0]
        record, guess = first.entry.record, first.answer.label
        if first.entry.state == "serving" and guess is not None:
            agreed = same_answer(first.answer.text or guess, theirs) is not None
            if self._watch.note(record.request_class, record.version, agreed=agreed):
                suspected = record.label
        weight = self._audit_weight if audited else 1.0
        for newer in heard[1:]:
            key = (newer.entry.record.request_class, newer.entry.record.version)
            before = self._pending.get(key, Coverage())
            self._pending[key] = Coverage(
                before.seen + weight,
                before.answered + weight * (newer.answer.text is not None),
                before.rival + weight * (first.answer.text is not None),
            )
        return suspected

    def challenge_of(self, entry: ActiveVersion) -> Challenge | None:
        """Return what a newer version is compared with, since the last call; None: it is the one at work."""
        name, version = entry.record.request_class, entry.record.version
        newer, current = self.challengers.get(name), self._names.get(name)
        if newer is None or current is None or newer.record.version != version:
            return None
        serves = current.state == "serving" or current.tally.recheck
        coverage = self._pending.pop((name, version), Coverage())
        return Challenge(coverage, current.tally if serves else None)

    def named(self, guesses: Iterable[str], everywhere: Collection[str]) -> list[str]:
        """Return the classes with a learned version that may be meant: those alike, then those that take
        requests of any wording.
        """
        found = dict.fromkeys([*guesses, *everywhere])
        return [name for name in found if name in self._names]


def _run(said: LearnedSaid) -> ToolRun:
    return ToolRun(status="answered", why=said.answer.why, answer=said.answer.text)


def _why(said: LearnedSaid) -> str:
    """Return why a version answers, in words."""
    return f"{said.entry.record.label} is sure of {said.answer.label!r} ({said.answer.probability:.1%})"
