"""One trajectory, tokenised once, gives the labels of every role as masks (GLPFT; alpha-UMi section 3.3).

Stage 1 (global) learns every role's spans; stage 2 (local) takes the same tokens and only one role's
labels: all other positions are ``IGNORED``, so they give no gradient.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from toolwright.core.errors import InputError
from toolwright.core.task import Step, Trajectory
from toolwright.roles.marked import MARKS, OBSERVATION, Piece, pieces_of
from toolwright.roles.view import AgentRole

IGNORED = -100
CUT = " … [cut]"
ROLES: tuple[AgentRole, ...] = ("planner", "caller", "summarizer")


class Tokenizer(Protocol):
    """What turns text into tokens; ``training.tokenizer.Words`` is one."""

    def encode(self, text: str) -> list[int]:
        """Give the tokens of a text, special tokens included, nothing added."""
        ...

    def token(self, mark: str) -> int | None:
        """Give the token of a mark, or None where the vocabulary has none."""
        ...


class Cut(NamedTuple):
    """What truncation took away: observations shortened, whole steps left out, tokens in all."""

    observations: int = 0
    steps: int = 0
    tokens: int = 0


class Sample(NamedTuple):
    """A tokenised trajectory: ids, and for each the role whose words it is (None: context)."""

    ids: tuple[int, ...]
    owners: tuple[AgentRole | None, ...]
    cut: Cut = Cut()

    def labels(self, roles: Collection[AgentRole] = ROLES) -> list[int]:
        """Give the labels for some roles: the token where it is theirs, else ``IGNORED``.

        Stage 1 takes all roles, stage 2 one. The shift by one is the trainer's.
        """
        return [
            token if owner in roles else IGNORED
            for token, owner in zip(self.ids, self.owners, strict=True)
        ]

    def spans(self, role: AgentRole) -> int:
        """Give how many stretches of a role's words there are."""
        before = (None, *self.owners)
        return sum(now == role != last for last, now in zip(before, self.owners, strict=False))


def check_tokenizer(tokenizer: Tokenizer) -> None:
    """Refuse a tokenizer in which a mark is not one token.

    Raises:
        InputError: it has none of its own for a mark; the marks are named.
    """
    missing = [mark for mark in MARKS if tokenizer.token(mark) is None]
    if missing:
        raise InputError(
            f"the tokenizer has no token for {', '.join(missing)}; add them as special tokens",
            code="tokenizer-marks",
        )


def sample_of(
    trajectory: Trajectory,
    tokenizer: Tokenizer,
    context: int = 4096,
    disguise: Callable[[str], str] = str,
) -> Sample:
    """Give the sample of the chain that ended a trajectory.

    What does not fit is cut in this order: observations, longest first, down to a few words; then the
    oldest steps. Tools and task always stay whole. ``disguise`` rewrites every text, marks aside.

    Raises:
        InputError: tools, task and the last step alone are longer than the context, or no role has words.
    """
    path = trajectory.path()
    pieces = [
        piece._replace(text=disguise(piece.text)) for piece in pieces_of(trajectory.task, path)
    ]
    tokens = [tokenizer.encode(piece.text) for piece in pieces]
    pieces, tokens, cut = _fit(pieces, tokens, tokenizer, context, path)
    owners: tuple[AgentRole | None, ...] = tuple(
        piece.role for piece, ids in zip(pieces, tokens, strict=True) for _ in ids
    )
    if not any(owners):
        raise InputError(
            f"no role has words in the trajectory of {trajectory.task.input[:80]!r}",
            code="no-spans",
        )
    return Sample(tuple(token for ids in tokens for token in ids), owners, cut)


def _fit(
    pieces: list[Piece],
    tokens: list[list[int]],
    tokenizer: Tokenizer,
    context: int,
    path: Sequence[Step],
) -> tuple[list[Piece], list[list[int]], Cut]:
    size = whole = sum(map(len, tokens))
    observations = 0
    mark = len(tokenizer.encode(OBSERVATION))
    tail = tokenizer.encode(CUT)
    longest = sorted(
        (place for place, piece in enumerate(pieces) if piece.text.startswith(OBSERVATION)),
        key=lambda place: -len(tokens[place]),
    )
    for place in longest:
        if size <= context:
            break
        kept = max(mark, len(tokens[place]) - (size - context) - len(tail))
        if kept + len(tail) < len(tokens[place]):
            size -= len(tokens[place]) - kept - len(tail)
            tokens[place] = tokens[place][:kept] + tail
            observations += 1
    gone: set[int] = set()
    for step in path[:-1]:
        if size <= context:
            break
        gone.add(step.id)
        size -= sum(
            len(ids) for piece, ids in zip(pieces, tokens, strict=True) if piece.step == step.id
        )
    if size > context:
        raise InputError(
            f"tools, task and the last step are {size} tokens, the context is {context}",
            code="context",
        )
    left = [place for place, piece in enumerate(pieces) if piece.step not in gone]
    cut = Cut(observations, len(gone), whole - size)
    return [pieces[place] for place in left], [tokens[place] for place in left], cut


class Packed(NamedTuple):
    """Several samples in one row: ids, labels, and positions that begin anew with each.

    An attention that knows positions (padding-free kernels) keeps the samples apart; ``lengths`` gives
    their sizes for one that wants them.
    """

    ids: list[int]
    labels: list[int]
    positions: list[int]
    lengths: list[int]


def pack(
    samples: Sequence[Sample], context: int, roles: Collection[AgentRole] = ROLES
) -> list[Packed]:
    """Pack samples into rows of at most ``context`` tokens: best fit, longest first.

    A sample without a label for these roles is left out. The first token of each sample has no label, as
    nothing before it is its own.
    """
    rows: list[Packed] = []
    for sample in sorted(samples, key=lambda one: -len(one.ids)):
        labels = sample.labels(roles)
        if all(label == IGNORED for label in labels):
            continue
        labels[0] = IGNORED
        fitting = [row for row in rows if len(row.ids) + len(labels) <= context]
        row = max(fitting, key=lambda one: len(one.ids), default=None)
        if row is None:
            row = Packed([], [], [], [])
            rows.append(row)
        row.ids.extend(sample.ids)
        row.labels.extend(labels)
        row.positions.extend(range(len(labels)))
        row.lengths.append(len(labels))
    return rows
