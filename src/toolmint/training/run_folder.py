"""The folder of a training run belongs to one recipe and one set of data; another run is refused there."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, cast

from pydantic import ValidationError

from toolmint.core.errors import ConfigError
from toolmint.core.messages import Frozen
from toolmint.core.text_files import read_text
from toolmint.core.values import Value, canonical, clip, digest
from toolmint.training.recipes import Recipe
from toolmint.training.samples import Sample

RUN_FILE = "run.json"
_STAGE_FILES = ("card.json", "checkpoints", "config.json", "adapter_config.json")


class RunKey(Frozen):
    """What a run is: recipe, base and data.

    Attributes:
        recipe: stages and hyperparameters.
        base: folder of the model that the run starts from; None: random weights.
        data_digest: SHA-256 of all token ids with their role masks, in order.
        samples: their number.
    """

    kind: Literal["toolmint-training-run"] = "toolmint-training-run"
    schema_version: Literal[1] = 1
    recipe: Recipe
    base: str | None
    data_digest: str
    samples: int


def run_key(samples: Sequence[Sample], recipe: Recipe, base: Path | None) -> RunKey:
    """Return the key of a run; role masks count, as a weight of 0 changes them and not the tokens."""
    return RunKey(
        recipe=recipe,
        base=str(base.resolve()) if base is not None else None,
        data_digest=digest([[list(one.ids), list(one.role_mask)] for one in samples]),
        samples=len(samples),
    )


def check_folder(folder: Path, key: RunKey) -> None:
    """Raise where a folder holds another run; nothing is written.

    Raises:
        ConfigError: the run there has another recipe, base or data, or none that is known; the differences
            are named.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        if _is_trained(folder, key.recipe):
            raise ConfigError(
                f"{str(folder)!r} holds a training run without {RUN_FILE}, so its recipe and data are not "
                "known; name another --output",
                code="other-run",
            )
        return
    there = _read(path)
    differences = _differences(there, key)
    # A run that ended before its first checkpoint, such as one with a wrong base, leaves nothing to mix with.
    if differences and _is_trained(folder, there.recipe):
        raise ConfigError(
            f"{str(folder)!r} holds another training run: {'; '.join(differences)}; name another "
            "--output, or resume with the recipe and the files that it was begun with",
            code="other-run",
        )


def _is_trained(folder: Path, recipe: Recipe) -> bool:
    """Return whether a folder holds anything of a run: its card, or a model or a checkpoint of a stage."""
    names = [stage.name for stage in (recipe.global_stage, *recipe.local_stages)]
    places = [folder / name / one for name in names for one in _STAGE_FILES]
    return any(place.exists() for place in (folder / "card.json", *places))


def _read(path: Path) -> RunKey:
    try:
        return RunKey.model_validate_json(read_text(path))
    except ValidationError as fault:
        raise ConfigError(
            f"{str(path)!r} does not describe a training run: {clip(str(fault), 160)}; name another "
            "--output",
            code="other-run",
        ) from fault


def _flat(value: Value, name: str) -> dict[str, Value]:
    """Return the leaves of nested objects and lists by their dotted names."""
    if isinstance(value, dict) and value:
        items = [(f"{name}.{key}" if name else key, one) for key, one in value.items()]
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        items = [
            (f"{name}.{cast('dict[str, Value]', one).get('name', number)}", one)
            for number, one in enumerate(value)
        ]
    else:
        return {name: value}
    return {leaf: one for at, part in items for leaf, one in _flat(part, at).items()}


def _differences(there: RunKey, here: RunKey) -> list[str]:
    mine, its = (_flat(key.model_dump(mode="json"), "") for key in (here, there))
    found = [
        f"{name.removeprefix('recipe.')} is {_shown(its, name)}, not {_shown(mine, name)}"
        for name in sorted({*mine, *its})
        if mine.get(name) != its.get(name) and name not in {"data_digest", "samples"}
    ]
    if there.data_digest != here.data_digest:
        found.append(
            f"its data are others ({there.samples} samples, digest {there.data_digest[:12]}, not "
            f"{here.samples}, digest {here.data_digest[:12]})"
        )
    return found


def _shown(values: Mapping[str, Value], name: str) -> str:
    return clip(canonical(values[name]), 60) if name in values else "not there"
