"""A byte-level BPE tokenizer with the role marks, trained on trajectories or loaded from a file."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Trained

from toolmint.core.errors import InputError, boundary
from toolmint.core.task import Trajectory
from toolmint.core.turns import TURNS_FILE, TurnTexts, read_turns
from toolmint.roles.marked import ROLE_MARKS, pieces_of
from toolmint.training.phrase_tokens import find_phrases
from toolmint.training.samples import check_tokenizer

PAD = "<|pad|>"
_FUNCTION_WORDS = (
    "a|all|an|and|are|as|at|by|can|for|from|I|in|is|it"
    "|its|me|of|on|one|only|or|that|the|this|to|with"
)
_PRETOKENS = (
    rf"(?:\s(?:{_FUNCTION_WORDS})(?=\s))+\s|"
    r"\p{Lu}?\p{Ll}+|\p{Lu}+(?!\p{Ll})|\d{1,3}|\s|[^\s\p{L}\d]+\s?"
)
"""The pre-tokenisation pattern; no BPE token crosses a match.

A space is a token of its own, so a word has the same tokens in a sentence, in a name such as ``findTrains``
and in JSON, and a decoder can copy it from one to another. Function words, which are never copied, keep
their spaces.
"""


class Tokenizer:
    """A tokenizer of the ``tokenizers`` library; encoding adds no special tokens.

    Attributes:
        turns: how a pretrained model's texts write the marks; None: each mark is a token.
    """

    def __init__(self, trained: Trained, turns: TurnTexts | None = None) -> None:
        self._trained, self.turns = trained, turns
        # In a text between marks nothing is a special token, whatever the model's vocabulary calls one.
        self._plain = Trained.from_str(trained.to_str()) if turns is not None else trained
        if turns is not None:
            cast("Any", self._plain).encode_special_tokens = True

    def token_texts(self, text: str) -> list[str]:
        """Return the text of each token of a text."""
        found = self._trained.encode(text, add_special_tokens=False)
        return [text[start:end] for start, end in found.offsets]

    def add_phrases(self, runs: Sequence[Sequence[str]], count: int) -> None:
        """Add at most ``count`` phrases as tokens, those that shorten the runs most.

        Args:
            runs: the pieces of text of each run.
            count: bound on the phrases.
        """
        pieces = [[self.token_texts(text) for text in run] for run in runs]
        found = [AddedToken(one, normalized=False) for one in find_phrases(pieces, count)]
        cast("Any", self._trained).add_tokens(found)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; each mark is one token, or the turn that stands for it."""
        if self.turns is None:
            return list(self._trained.encode(text, add_special_tokens=False).ids)
        return [
            token
            for part in self.turns.parts(text)
            for token in (self._trained if part.control else self._plain)
            .encode(part.text, add_special_tokens=False)
            .ids
        ]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of token ids, marks included."""
        return str(self._trained.decode(list(ids), skip_special_tokens=False))

    def token_text(self, token: int) -> str:
        """Return how the vocabulary writes a token."""
        return str(self._trained.id_to_token(token))

    def token(self, mark: str) -> int | None:
        """Return the token id of a mark, or None; of a turn its first token."""
        if self.turns is not None:
            return next(iter(self.encode(mark)), None)
        return self._trained.token_to_id(mark)

    @property
    def text(self) -> str:
        """The ``tokenizer.json`` as text."""
        return str(self._trained.to_str())

    @property
    def size(self) -> int:
        """The number of tokens."""
        return int(self._trained.get_vocab_size())

    def save(self, path: Path) -> None:
        """Write ``tokenizer.json``, and ``turns.json`` beside it where turns stand for the marks."""
        self._trained.save(str(path))
        if self.turns is not None:
            text = self.turns.model_dump_json(indent=1)
            path.with_name(TURNS_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Read a ``tokenizer.json``, and ``turns.json`` beside it.

        Raises:
            InputError: the file cannot be read, or lacks a role mark.
            ConfigError: ``turns.json`` cannot be read.
        """
        trained = boundary(
            lambda: Trained.from_file(str(path)),
            lambda fault: InputError(f"{str(path)!r} is no tokenizer.json: {fault}"),
        )
        tokenizer = cls(trained, read_turns(path.parent))
        check_tokenizer(tokenizer)
        return tokenizer

    @classmethod
    def of_adapter(cls, folder: Path, base: Path) -> "Tokenizer":
        """Return the tokenizer of an adapter's folder, or its base's with the folder's turns.

        Raises:
            InputError: neither has a ``tokenizer.json``.
            ConfigError: ``turns.json`` cannot be read.
        """
        if (folder / "tokenizer.json").is_file():
            return cls.load(folder / "tokenizer.json")
        path = base / "tokenizer.json"
        trained = boundary(
            lambda: Trained.from_file(str(path)),
            lambda fault: InputError(f"{str(path)!r} is no tokenizer.json: {fault}"),
        )
        return cls(trained, read_turns(folder))

    @classmethod
    def train(cls, trajectories: Iterable[Trajectory], size: int = 4096) -> "Tokenizer":
        """Train a byte-level BPE of ``size`` tokens on the text of trajectories.

        Raises:
            InputError: the size cannot hold 256 bytes and the marks.
        """
        texts = (piece.text for one in trajectories for piece in pieces_of(one.task, one.path()))
        return cls.train_texts(texts, size)

    @classmethod
    def train_texts(cls, texts: Iterable[str], size: int = 4096) -> "Tokenizer":
        """Train a byte-level BPE of ``size`` tokens on texts.

        Raises:
            InputError: the size cannot hold 256 bytes and the marks.
        """
        least = 256 + len(ROLE_MARKS) + 1
        if size < least:
            raise InputError(
                f"a vocabulary of {size} tokens cannot hold 256 bytes and the marks; give {least} or more"
            )
        trained = Trained(models.BPE())
        trained.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PRETOKENS), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        trained.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[PAD, *ROLE_MARKS],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        trained.train_from_iterator(texts, trainer=trainer)
        return cls(trained)
