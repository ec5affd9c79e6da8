"""Tokenise a trajectory once; role masks over it give every role's labels (GLPFT, alpha-UMi section 3.3).

Stage 1 (global) trains on the spans of all roles. Stage 2 (local) takes the same tokens with one role's
labels: all other positions are ``IGNORED`` and give no gradient. The paper writes a new prompt for each step
and role instead (``paper_samples``); one pass reads each token once, and its loss is the same.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

from toolmint.core.errors import InputError
from toolmint.core.task import Step, Trajectory
from toolmint.core.turns import TurnTexts
from toolmint.roles.marked import END_MARK, OBSERVATION, ROLE_MARKS, Piece, pieces_of
from toolmint.roles.view import AgentRole

IGNORED = -100
"""The label that cross-entropy of torch skips."""
_CUT_MARK = " … [cut]"
TRAINED_ROLES: tuple[AgentRole, ...] = ("planner", "caller", "summarizer")


class TokenizerProtocol(Protocol):
    """Turns text into tokens, such as ``training.tokenizer.Tokenizer``."""

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; marks are parsed as special tokens, nothing is added."""
        ...

    def token(self, mark: str) -> int | None:
        """Return the token id of a mark, or None where the vocabulary lacks it."""
        ...

    @property
    def turns(self) -> TurnTexts | None:
        """Return how a pretrained model's texts write the marks; None: each mark is a token."""
        ...


class Truncation(NamedTuple):
    """What truncation removed: shortened observations, dropped steps, and tokens in all."""

    observations: int = 0
    steps: int = 0
    tokens: int = 0


class Sample(NamedTuple):
    """A tokenised trajectory.

    Attributes:
        ids: token ids.
        role_mask: for each token the role that wrote it; None: context, which gives no loss.
        truncation: what was removed to fit the context.
        tools: number of tokens at the beginning that document the tools; samples that share them can be read
            together (``forks``).
    """

    ids: tuple[int, ...]
    role_mask: tuple[AgentRole | None, ...]
    truncation: Truncation = Truncation()
    tools: int = 0

    def labels(self, roles: Collection[AgentRole] = TRAINED_ROLES) -> list[int]:
        """Return the labels for some roles: the token id in their spans, else ``IGNORED``.

        Stage 1 takes all roles, stage 2 one. Labels are not shifted; the trainer does that.
        """
        return [
            token if role in roles else IGNORED
            for token, role in zip(self.ids, self.role_mask, strict=True)
        ]

    def span_count(self, role: AgentRole) -> int:
        """Return the number of a role's spans."""
        before = (None, *self.role_mask)
        return sum(now == role != last for last, now in zip(before, self.role_mask, strict=False))


def check_tokenizer(tokenizer: TokenizerProtocol) -> None:
    """Raise where a role mark is not a token of its own.

    Raises:
        InputError: marks are missing from the vocabulary; the message names them.
    """
    missing = [mark for mark in ROLE_MARKS if tokenizer.token(mark) is None]
    if missing:
        raise InputError(
            f"the tokenizer has no token for {', '.join(missing)}; add them as special tokens",
            code="tokenizer-marks",
        )


def sample_of(
    trajectory: Trajectory,
    tokenizer: TokenizerProtocol,
    context: int = 4096,
    augmentation: Callable[[str], str] = str,
) -> Sample:
    """Return the sample of a trajectory's final chain.

    What exceeds the context is cut in this order: observations, longest first, down to their mark; then
    whole steps, oldest first. Tools and task always stay: without them the labels cannot be learnt.

    Args:
        trajectory: the run.
        tokenizer: has a token for each role mark.
        context: tokens of the longest sample.
        augmentation: rewrites every text but the marks.

    Raises:
        InputError: tools, task and the last step exceed the context, or no role has a span.
    """
    path = trajectory.path()
    described = tokenizer.turns is not None
    pieces = [
        piece._replace(text=augmentation(piece.text))
        for piece in pieces_of(trajectory.task, path, described=described)
    ]
    tokens = [tokenizer.encode(piece.text) for piece in pieces]
    pieces, tokens, truncation = _truncate(pieces, tokens, tokenizer, context, path)
    role_mask: tuple[AgentRole | None, ...] = tuple(
        piece.role for piece, ids in zip(pieces, tokens, strict=True) for _ in ids
    )
    if not any(role_mask):
        raise InputError(
            f"no role has a span in the trajectory of {trajectory.task.input[:80]!r}",
            code="no-spans",
        )
    whole = tuple(token for ids in tokens for token in ids)
    return Sample(whole, role_mask, truncation, len(tokens[0]))


def _truncate(
    pieces: list[Piece],
    tokens: list[list[int]],
    tokenizer: TokenizerProtocol,
    context: int,
    path: Sequence[Step],
) -> tuple[list[Piece], list[list[int]], Truncation]:
    size = whole = sum(map(len, tokens))
    observations = 0
    mark = len(tokenizer.encode(OBSERVATION))
    tail = tokenizer.encode(_CUT_MARK)
    if tokenizer.turns is not None and OBSERVATION in tokenizer.turns.context:
        end = len(tokenizer.encode(END_MARK))
        # A turn begins with its own texts and ends with the end of a turn, which cutting would remove.
        mark, tail = mark - end, [*tail, *tokenizer.encode(END_MARK)]
    longest = sorted(
        (place for place, piece in enumerate(pieces) if piece.text.startswith(OBSERVATION)),
        key=lambda place: -len(tokens[place]),
    )
    for place in longest:
        if size <= context:
            break
        left = max(mark, len(tokens[place]) - (size - context) - len(tail))
        if left + len(tail) < len(tokens[place]):
            size -= len(tokens[place]) - left - len(tail)
            tokens[place] = tokens[place][:left] + tail
            observations += 1
    dropped: set[int] = set()
    for step in path[:-1]:
        if size <= context:
            break
        dropped.add(step.id)
        size -= sum(
            len(ids) for piece, ids in zip(pieces, tokens, strict=True) if piece.step == step.id
        )
    if size > context:
        raise InputError(
            f"tools, task and the last step are {size} tokens, the context is {context}",
            code="context",
        )
    remaining = [place for place, piece in enumerate(pieces) if piece.step not in dropped]
    truncation = Truncation(observations, len(dropped), whole - size)
    return (
        [pieces[place] for place in remaining],
        [tokens[place] for place in remaining],
        truncation,
    )
