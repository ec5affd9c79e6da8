"""The request classes of one namespace: which one a request joins, how many requests wait in each."""

import hashlib
import re
from collections.abc import Collection, Sequence
from itertools import count, islice

from toolmint.core.store import ClassInfo, ToolStore
from toolmint.core.values import clip
from toolmint.serving.classify import EXAMINED, Classifier, Guess
from toolmint.serving.scope_class import ScopeClass, scope_class_name
from toolmint.serving.titles import class_title

JOIN_SCORE = 0.3
"""Share of common wording above which a request joins a class."""
CERTAIN_SCORE = 0.4
"""Share above which two classes are taken for one, and a request for one of a class to be made."""
MAX_CLASSES, MAX_EXAMPLES = 2000, 200
"""Classes that wait for a tool in memory, and queued demonstrations of one."""
MAX_LEARNT = 20_000
"""Demonstrations of a class that a learned tool is made for."""
_LOADED = 50
"""Examples of a waiting class that are read at the start; wording shows in fewer."""
_MAX_UPCOMING = 30
_MAX_WORDINGS = 60
"""Wordings by which one class is known."""
_TITLE_WORDS, _TITLE_LENGTH = 8, 60


def class_name_for(text: str) -> str:
    """Return a name for the new class that begins with this request: its first words, and a digest."""
    words = re.findall(r"[^\W\d_]+", text.lower())[:4]
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
    return "-".join([*(word[:16] for word in words), mark])


def title_for(text: str) -> str:
    """Return what people call a class until its maker gives it a title: the first words of a request."""
    return clip(" ".join(text.split()[:_TITLE_WORDS]), _TITLE_LENGTH)


class RequestClasses:
    """Knows the classes of one namespace by their wordings.

    A class is a kind of request and may be worded in many ways: each wording is learnt on its own, under a
    name that is seen nowhere else.

    Attributes:
        waiting: queued demonstrations by class; the class that was joined last stands last.
        free: the class of the freely worded requests, where their answers are a closed set.
        kept: how many demonstrations are kept of each class that a learned tool is made for, at most.
        learnt: those classes.
    """

    def __init__(self, store: ToolStore, scope: str = "") -> None:
        self._store, self._classifier = store, Classifier()
        self._made: set[str] = set()
        self._wordings: dict[str, list[str]] = {}
        self._class_of: dict[str, str] = {}
        self._numbers = count()
        self._merged: dict[str, str] = {}
        self._info: dict[str, ClassInfo] = {}
        self._titles: dict[str, str] = {}
        self.waiting: dict[str, int] = {}
        self.free = ScopeClass(scope_class_name(scope))
        self.kept, self.learnt = MAX_LEARNT, set[str]()

    async def load(self) -> None:
        """Read titles, and what waits in the queue."""
        self._classifier, self._made = Classifier(), set()
        self._wordings.clear()
        self._class_of.clear()
        self._info = dict(await self._store.classes())
        self._titles.clear()
        self.waiting = dict(await self._store.waiting())
        for name, queued in (await self._store.queued(most=_LOADED)).items():
            if name == self.free.name:
                continue
            for one in queued:
                self.learn(name, one.input)
        if self.free.name in self.waiting:
            known = await self._store.learnable(self.free.name, self.kept)
            self.free.reopen(one.target or "" for one in known)
            self.learnt.add(self.free.name)
        self._trim()

    @property
    def any_wording(self) -> tuple[str, ...]:
        """The classes whose requests may be worded in any way."""
        return (self.free.name,) if self.free.found else ()

    def __len__(self) -> int:
        """Return how many classes are known by their wording."""
        return len(self._wordings)

    def learn(self, name: str, text: str) -> None:
        """Know a class by one more request; one that is worded like none of the others begins a wording."""
        wordings = self._wordings.setdefault(name, [])
        alike = self._classifier.rank(text, most=EXAMINED, least=JOIN_SCORE) if wordings else []
        known = next((one.request_class for one in alike if self._of(one) == name), None)
        if known is None and len(wordings) < _MAX_WORDINGS:
            known = name if name not in self._classifier else f"{name}\0{next(self._numbers)}"
            wordings.append(known)
            self._class_of[known] = name
        if known is not None:
            self._classifier.learn(known, text)

    def _of(self, guess: Guess) -> str:
        return self._class_of[guess.request_class]

    def _forget(self, name: str) -> None:
        for wording in self._wordings.pop(name, ()):
            self._classifier.forget(wording)
            del self._class_of[wording]

    @property
    def untooled(self) -> dict[str, int]:
        """How many requests wait in each class that has no tool."""
        return {name: n for name, n in self.waiting.items() if name not in self._made}

    def title(self, name: str) -> str:
        """Return what people call a class."""
        title = self._titles.get(name)
        if title is None:
            title = self._titles[name] = class_title(self._info, name)
        return title

    async def set_title(self, name: str, title: str) -> None:
        """Set the title of a class to the one that its maker found."""
        await self._store.set_title(name, title)
        known = self._info.get(name)
        self._info[name] = ClassInfo(title=title, example=known.example if known else None)
        self._titles.pop(name, None)

    def rank(self, text: str, *, most: int, least: float) -> list[Guess]:
        """Return the most alike classes, the best first."""
        found: dict[str, Guess] = {}
        for one in self._classifier.rank(text, most=max(most, EXAMINED), least=least):
            name = self._of(one)
            found.setdefault(name, Guess(name, one.score))
        return list(found.values())[:most]

    def alike(self, text: str, least: float = JOIN_SCORE) -> str | None:
        """Return the class with the most alike wording; None: no class is alike."""
        guesses = self._classifier.rank(text, most=1, least=least)
        return self._of(guesses[0]) if guesses else None

    def join(self, text: str, known: str | None, answer: str | None = None) -> tuple[str, bool]:
        """Return the class of an answered request, and whether to queue it as a demonstration.

        The next request alike joins the same class. A class that has no tool after many demonstrations
        gets no more of them.

        Args:
            text: the request.
            known: its class, as far as a look-up has told.
            answer: the strong model's; None: it is not known.
        """
        known = self.merged(known) if known is not None else None
        name = known if known is not None and known in self.waiting else None
        name = name or known or self.alike(text) or class_name_for(text)
        if answer is not None and name not in self._made and name not in self.learnt:
            name = self.free.note(name, text, answer)
        waiting = self.waiting.pop(name, 0) + 1
        self.waiting[name] = waiting
        if name not in self._info:
            self._info[name] = ClassInfo(title=title_for(text))
            self._titles.pop(name, None)
        if name in self._made or name in self.learnt:
            return name, True
        if waiting <= MAX_EXAMPLES:
            self.learn(name, text)
        self._trim()
        return name, waiting <= MAX_EXAMPLES

    def join_free(self) -> list[str]:
        """Let classes whose answers the freely worded ones have join these; return their names."""
        names = [name for name in self.free.joined() if name not in self._made]
        for name in names:
            self._forget(name)
            self.merge(name, self.free.name)
        if names:
            self.learnt.add(self.free.name)
        return names

    def with_tool(self, name: str, examples: Sequence[str]) -> None:
        """Know a class by the demonstrations of its tool alone; one of any wording by none."""
        self._made.add(name)
        self._forget(name)
        if name == self.free.name:
            return
        for text in examples:
            self.learn(name, text)

    def without_tool(self, name: str) -> None:
        """Let a class whose tool is gone wait for one again."""
        self._made.discard(name)

    def merge(self, name: str, other: str) -> None:
        """Follow a class that turned out to be another one, which is then known by its wordings too."""
        self._merged[name] = other
        while len(self._merged) > MAX_CLASSES:
            del self._merged[next(iter(self._merged))]
        mine = self._wordings.pop(name, [])
        self._class_of.update(dict.fromkeys(mine, other))
        self._wordings.setdefault(other, []).extend(mine)
        self.waiting[other] = self.waiting.get(other, 0) + self.waiting.pop(name, 0)
        known = self._info.pop(name, None)
        if known is not None:
            self._info.setdefault(other, known)
        self._titles.pop(name, None)

    def merged(self, name: str) -> str:
        """Return the class that a class was joined to, else the name itself.

        A request may be on its way under the old name, as it was looked up before.
        """
        seen = {name}
        while (other := self._merged.get(name)) is not None and other not in seen:
            seen.add(other)
            name = other
        return name

    def upcoming_of(
        self, name: str, texts: Sequence[str], known: Collection[str]
    ) -> tuple[str, ...]:
        """Return the first texts that are surely of a class, and not among the known ones."""
        mine = (
            text for text in texts if text not in known and self.alike(text, CERTAIN_SCORE) == name
        )
        return tuple(islice(mine, _MAX_UPCOMING))

    def _trim(self) -> None:
        """Forget the classes that were joined longest ago: requests without a class cost no memory."""
        while len(self.waiting) > MAX_CLASSES:
            oldest = next(name for name in self.waiting if name not in self.learnt)
            del self.waiting[oldest]
            self._info.pop(oldest, None)
            self._titles.pop(oldest, None)
            if oldest not in self._made:
                self._forget(oldest)
