"""Writes and reads a learned model: a line that names the version, JSON, plain arrays, and a checksum."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from toolmint.core.errors import StoreError
from toolmint.core.values import Value

MODEL_VERSION = 1
_MAGIC = b"toolmint learned model "
_DIGEST = 32


def write_model(facts: Mapping[str, Value], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return a model as bytes.

    Args:
        facts: what is no array, as JSON values.
        arrays: numeric arrays; they are written in little-endian order.
    """
    blobs: list[bytes] = []
    table: list[Value] = []
    for name, array in arrays.items():
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        blobs.append(plain.tobytes())
        table.append([name, plain.dtype.str, list(plain.shape)])
    text = json.dumps({"facts": dict(facts), "arrays": table}, ensure_ascii=True).encode()
    head = _MAGIC + b"%d %d\n" % (MODEL_VERSION, len(text))
    body = head + text + b"".join(blobs)
    return body + sha256(body).digest()


def read_model(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the facts and the arrays of a model.

    Raises:
        StoreError: the data are no learned model, are damaged, or of a newer version.
    """
    line, found, rest = data.partition(b"\n")
    words = line.removeprefix(_MAGIC).split()
    if not found or not line.startswith(_MAGIC) or not all(word.isdigit() for word in words):
        raise StoreError(
            f"these {len(data)} bytes are no learned model: expected them to begin with "
            f"{_MAGIC.decode()!r}, got {data[:24]!r}",
            code="learned-model",
        )
    version = int(words[0]) if words else 0
    if version > MODEL_VERSION:
        raise StoreError(
            f"the learned model is of version {version}, newer than {MODEL_VERSION}, the newest that "
            "this program reads: update toolmint",
            code="learned-model",
        )
    if len(words) != 2 or sha256(data[:-_DIGEST]).digest() != data[-_DIGEST:]:
        raise StoreError(
            f"the learned model is damaged: its {len(data)} bytes do not match their checksum; "
            "fit it anew, or roll back to the version before",
            code="learned-model",
        )
    length = int(words[1])
    meta = cast("dict[str, Any]", json.loads(rest[:length]))
    arrays: dict[str, NDArray[Any]] = {}
    place = len(line) + 1 + length
    for name, kind, shape in meta["arrays"]:
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(data, dtype, count, place).reshape(shape)
        place += count * dtype.itemsize
    return cast("dict[str, Any]", meta["facts"]), arrays
