"""A tokenizer with the role marks, trained on trajectories or loaded from a ``tokenizer.json``."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Trained

from toolwright.core.errors import InputError, boundary
from toolwright.core.task import Trajectory
from toolwright.roles.marked import MARKS, pieces_of
from toolwright.training.phrases import phrases
from toolwright.training.samples import check_tokenizer

PAD = "<|pad|>"
SMALL = "a|all|an|and|are|as|at|by|can|for|from|I|in|is|it|its|me|of|on|one|only|or|that|the|this|to|with"
WORD = (
    rf"(?:\s(?:{SMALL})(?=\s))+\s|"
    r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\d{1,3}|\s|[^\s\p{L}\d]+\s?"
)
"""What no token crosses. A word has the same tokens in a sentence, in a name such as ``findTrains`` and in
JSON, as the space before it is a token of its own: so it can be copied from one to another. Only small words,
which nothing copies, take their spaces along.
"""


class Words:
    """A ``tokenizers`` tokenizer whose encoding adds nothing."""

    def __init__(self, trained: Trained) -> None:
        self._trained = trained

    def split(self, text: str) -> list[str]:
        """Give the texts of a text's tokens."""
        found = self._trained.encode(text, add_special_tokens=False)
        return [text[start:end] for start, end in found.offsets]

    def learn(self, runs: Sequence[Sequence[str]], count: int) -> None:
        """Make one token of each phrase that most shortens runs, at most ``count`` of them."""
        pieces = [[self.split(text) for text in run] for run in runs]
        found = [AddedToken(one, normalized=False) for one in phrases(pieces, count)]
        cast("Any", self._trained).add_tokens(found)

    def encode(self, text: str) -> list[int]:
        """Give the tokens of a text; marks are one token each."""
        return list(self._trained.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Iterable[int]) -> str:
        """Give the text of tokens, marks included."""
        return str(self._trained.decode(list(ids), skip_special_tokens=False))

    def token(self, mark: str) -> int | None:
        """Give the token of a mark, or None."""
        return self._trained.token_to_id(mark)

    @property
    def text(self) -> str:
        """The ``tokenizer.json`` as text."""
        return str(self._trained.to_str())

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return int(self._trained.get_vocab_size())

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``."""
        self._trained.save(str(path))

    @classmethod
    def load(cls, path: Path) -> "Words":
        """Read a ``tokenizer.json``.

        Raises:
            InputError: it cannot be read, or lacks a role's mark.
        """
        trained = boundary(
            lambda: Trained.from_file(str(path)),
            lambda fault: InputError(f"{str(path)!r} is no tokenizer.json: {fault}"),
        )
        words = cls(trained)
        check_tokenizer(words)
        return words

    @classmethod
    def train(cls, trajectories: Iterable[Trajectory], size: int = 4096) -> "Words":
        """Train a byte-level BPE of ``size`` tokens on whole sequences.

        Raises:
            InputError: the size cannot hold the bytes and the marks.
        """
        texts = (piece.text for one in trajectories for piece in pieces_of(one.task, one.path()))
        return cls.train_texts(texts, size)

    @classmethod
    def train_texts(cls, texts: Iterable[str], size: int = 4096) -> "Words":
        """Train a byte-level BPE of ``size`` tokens on texts.

        Raises:
            InputError: the size cannot hold the bytes and the marks.
        """
        least = 256 + len(MARKS) + 1
        if size < least:
            raise InputError(
                f"a vocabulary of {size} tokens cannot hold 256 bytes and the marks; give {least} or more"
            )
        trained = Trained(models.BPE())
        trained.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(WORD), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        trained.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size, special_tokens=[PAD, *MARKS], show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )  # fmt: skip
        trained.train_from_iterator(texts, trainer=trainer)
        return cls(trained)
