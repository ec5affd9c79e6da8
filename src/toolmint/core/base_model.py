"""The pretrained model that adapters belong to: its name, and a fingerprint that tells it from others."""

from pathlib import Path

from pydantic import ValidationError

from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen

BASE_FILE = "base.json"


class BaseReference(Frozen):
    """Names the base of a folder's adapters.

    Attributes:
        name: a known name such as ``smollm2-135m``, ``OWNER/MODEL`` of the hub, or a folder.
        fingerprint: entries of the embedding matrix, at fixed places; quantised copies of one model have
            nearly the same.
        shape: of the embedding matrix, tokens and width.
    """

    name: str
    fingerprint: tuple[float, ...]
    shape: tuple[int, int]

    def differs(self, other: "BaseReference") -> str | None:
        """Return how another base differs from this one, or None where it is the same model."""
        if self.shape != other.shape:
            return f"its embeddings have the shape {other.shape}, not {self.shape}"
        product = sum(a * b for a, b in zip(self.fingerprint, other.fingerprint, strict=False))
        sizes = sum(a * a for a in self.fingerprint) * sum(b * b for b in other.fingerprint)
        # 4-bit rounding leaves a cosine of 0.99; other weights have one near 0.
        if len(self.fingerprint) != len(other.fingerprint) or product < 0.9 * sizes**0.5:
            return "its weights are others"
        return None


def read_base(folder: Path) -> BaseReference | None:
    """Return the reference in a folder's ``base.json``; None: the folder has none.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = folder / BASE_FILE
    if not path.is_file():
        return None
    try:
        return BaseReference.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as fault:
        raise ConfigError(
            f"{str(path)!r} does not name a base: {fault.errors()[0]['msg']}", code="model-folder"
        ) from fault
