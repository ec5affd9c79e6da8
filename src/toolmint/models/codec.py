"""Encode and decode with a ``tokenizer.json``."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from toolmint.core.errors import ConfigError, boundary
from toolmint.core.turns import read_turns


class TokenizerFile:
    """The tokenizer of a model's folder, or of its base where the folder has none.

    Attributes:
        text: the content of ``tokenizer.json``.
        turns: how a pretrained model's texts write the marks (``turns.json``); None: each mark is a token.

    Raises:
        ConfigError: the folder has no readable ``tokenizer.json``.
    """

    def __init__(self, folder: Path, base: Path | None = None) -> None:
        path = folder / "tokenizer.json"
        if base is not None and not path.is_file():
            path = base / "tokenizer.json"
        self._tokenizer = boundary(
            lambda: Tokenizer.from_file(str(path)),
            lambda fault: ConfigError(
                f"{str(folder)!r} has no tokenizer.json: {fault}", code="model-folder"
            ),
        )
        self.text = path.read_text(encoding="utf-8")
        self.turns = read_turns(folder)
        # In a text between marks nothing is a special token, whatever the model's vocabulary calls one.
        self._plain = Tokenizer.from_str(self.text) if self.turns is not None else self._tokenizer
        if self.turns is not None:
            self._plain.encode_special_tokens = True

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; special tokens or marks are parsed, nothing is added."""
        if self.turns is None:
            return list(self._tokenizer.encode(text, add_special_tokens=False).ids)
        return [
            token
            for part in self.turns.parts(text)
            for token in (self._tokenizer if part.control else self._plain)
            .encode(part.text, add_special_tokens=False)
            .ids
        ]

    @property
    def end(self) -> int | None:
        """Return the token that ends a turn; None: the model's configuration names it."""
        return self.encode(self.turns.end_mark)[0] if self.turns is not None else None

    @property
    def size(self) -> int:
        """Return the number of tokens."""
        return int(self._tokenizer.get_vocab_size())

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, special tokens included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))
