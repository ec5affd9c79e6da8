"""Encode and decode with a ``tokenizer.json``."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from toolmint.core.errors import ConfigError, boundary


class TokenizerFile:
    """The tokenizer of a model's folder.

    Attributes:
        text: the content of ``tokenizer.json``.

    Raises:
        ConfigError: the folder has no readable ``tokenizer.json``.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / "tokenizer.json"
        self._tokenizer = boundary(
            lambda: Tokenizer.from_file(str(path)),
            lambda fault: ConfigError(
                f"{str(folder)!r} has no tokenizer.json: {fault}", code="model-folder"
            ),
        )
        self.text = path.read_text(encoding="utf-8")

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; special tokens are parsed, nothing is added."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of token ids, special tokens included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))
