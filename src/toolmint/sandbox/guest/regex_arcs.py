"""Makes visible which alternatives and optional parts of a regular expression took part in a match.

The parsed pattern is compiled once more with a group of its own around each of them. The groups have
numbers above the pattern's own, and this second pattern is asked only where the first one matched.
"""

import re
from typing import Any, NamedTuple

MOST_FEATURES = 30
"""Alternatives and optional parts of a pattern that are told apart."""
_MOST_CHARACTERS = 16


class Feature(NamedTuple):
    """A part of a pattern that is told apart.

    Attributes:
        group: the group that was put around it.
        first: its number among the features; the next ones are its other outcomes.
        optional: it may be missing, and what is in it may be empty.
        characters: one of these characters; None: it is no choice of characters.
    """

    group: int
    first: int
    optional: bool = False
    characters: dict[str, int] | None = None


class _Marking:
    """Puts groups into a parsed pattern, around the parts that are not all to be omitted."""

    def __init__(self, tree: Any, omit: int) -> None:
        self._omit = omit
        self.state, self.features, self.width = tree.state, list[Feature](), 0
        self._parser: Any = getattr(re, "_parser")  # noqa: B009 - private names of the standard library
        self._names: Any = getattr(re, "_constants")  # noqa: B009
        self._sequence(tree, repeated=False)

    def _group(self, items: list[Any]) -> tuple[Any, int]:
        inner = self._parser.SubPattern(self.state, items)
        number = self.state.groups
        self.state.groupwidths.append(inner.getwidth())
        return (self._names.SUBPATTERN, (number, 0, 0, inner)), number

    def _numbered(self, width: int) -> int | None:
        """Number the outcomes of a part; return the first number, or None where none is to be told."""
        first, outcomes = self.width, (1 << width) - 1
        if first + width > MOST_FEATURES:
            return None
        self.width += width
        return first if outcomes & ~(self._omit >> first) else None

    def _sequence(self, items: Any, *, repeated: bool) -> None:
        names = self._names
        for place, (kind, value) in enumerate(list(items)):
            if kind is names.BRANCH:
                self._branch(value[1], repeated=repeated)
            elif kind in (names.MAX_REPEAT, names.MIN_REPEAT):
                self._repeat(items, place, repeated=repeated)
            elif kind is names.SUBPATTERN:
                self._sequence(value[3], repeated=repeated)
            elif kind is names.IN and not repeated:
                self._characters(items, place)

    def _branch(self, alternatives: list[Any], *, repeated: bool) -> None:
        for number, one in enumerate(alternatives):
            self._sequence(one, repeated=repeated)
            first = self._numbered(1)
            if first is not None:
                marked, group = self._group(list(one))
                alternatives[number] = self._parser.SubPattern(self.state, [marked])
                self.features.append(Feature(group, first))

    def _repeat(self, items: Any, place: int, *, repeated: bool) -> None:
        names = self._names
        kind, (least, most, inner) = items[place]
        self._sequence(inner, repeated=repeated or most > 1)
        category = inner[0][1][0] if len(inner) == 1 and inner[0][0] is names.IN else (None, None)
        blank = len(inner) == 1 and inner[0] == (names.LITERAL, ord(" "))
        space = category == (names.CATEGORY, names.CATEGORY_SPACE) or blank
        # Both outcomes: a part that every verified request had may be missing in the next one.
        first = self._numbered(2) if least == 0 and not space else None
        if first is not None:
            marked, group = self._group([(kind, (least, most, inner))])
            items[place] = marked
            self.features.append(Feature(group, first, optional=True))

    def _characters(self, items: Any, place: int) -> None:
        choices = items[place][1]
        literal = all(one[0] is self._names.LITERAL for one in choices)
        if not literal or not 1 < len(choices) <= _MOST_CHARACTERS:
            return
        known = {chr(one[1]): number for number, one in enumerate(choices)}
        first = self._numbered(len(known))
        if first is not None:
            marked, group = self._group([items[place]])
            items[place] = marked
            self.features.append(Feature(group, first, characters=known))


class MarkedPattern:
    """A pattern with its alternatives and optional parts made visible.

    Args:
        pattern: the pattern that the program uses.
        omit: features that need not be told apart, as the bits of a number.

    Attributes:
        features: each part that is told apart.
        width: how many numbers the pattern's features have.
        marked: the second pattern; its matches are the pattern's own, with more groups behind.
    """

    def __init__(self, pattern: "re.Pattern[Any]", omit: int = 0) -> None:
        self._omit, self.width = omit, 0
        self.features: list[Feature] = []
        self.marked: Any = pattern
        try:
            if isinstance(pattern.pattern, str):
                self._mark(pattern.pattern, pattern.flags)
        except (
            Exception
        ):  # private parts of the standard library: without them nothing is told apart
            self.features, self.marked = [], pattern
        self._groups = [one.group for one in self.features]

    def _mark(self, text: str, flags: int) -> None:
        parser: Any = getattr(re, "_parser")  # noqa: B009
        compiler: Any = getattr(re, "_compiler")  # noqa: B009
        tree = parser.parse(text, flags)
        marking = _Marking(tree, self._omit)
        self.width = marking.width
        if marking.features:
            tree.state.flags |= flags
            self.marked = compiler.compile(tree, flags & ~int(re.DEBUG))
            self.features = marking.features

    def again(self, found: "re.Match[Any]") -> "re.Match[Any] | None":
        """Return the match of the second pattern where the first one has matched."""
        # From where the match begins, so that a search is not repeated.
        again: Any = self.marked.match(found.string, found.start(), found.endpos)
        if again is None or again.end() != found.end():
            return self.marked.fullmatch(found.string, found.start(), found.end())
        return again

    def taken(self, found: "re.Match[Any]") -> list[int]:
        """Return the numbers of the parts that took part in a match of the second pattern."""
        taken: list[int] = []
        texts = found.group(*self._groups, 0)
        for (_, first, optional, characters), text in zip(self.features, texts, strict=False):
            if text is None:
                continue
            if characters is not None:
                taken.append(first + characters.get(text, 0))
            else:
                taken.append(first + 1 if optional and not text else first)
        return taken
