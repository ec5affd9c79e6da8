"""A ``tokenizer.json`` as text to tokens and back."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from toolwright.core.errors import ConfigError, boundary


class TokenizerFile:
    """The tokenizer of a model's folder.

    Raises:
        ConfigError: the folder has none that can be read.
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
        """Give the tokens of a text, special tokens read as such, nothing added."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Give the text of tokens, special ones included."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=False))
