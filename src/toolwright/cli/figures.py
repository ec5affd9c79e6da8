"""How figures with intervals are written, and where all numbers of a measure go."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from toolwright.cli.common import say

if TYPE_CHECKING:
    from toolwright.evaluation.bootstrap import Estimate


def percent(value: float | None) -> str:
    """Write a share as a percentage; a dash where there is nothing to count."""
    return "-" if value is None else f"{100 * value:.1f}"


def interval(estimate: "Estimate") -> str:
    """Write a figure with its 95 % interval, in percent."""
    if estimate.value is None:
        return "-"
    return f"{percent(estimate.value)} [{percent(estimate.low)}, {percent(estimate.high)}]"


def plain(value: object) -> object:
    """Give named tuples as objects, all through a value, for JSON."""
    fields: object = getattr(value, "_fields", None)
    if isinstance(fields, tuple):
        names = cast("tuple[str, ...]", fields)
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in cast("Mapping[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in cast("list[object]", value)]
    return value


def write_figures(output: Path | None, body: object) -> None:
    """Write all numbers as JSON, where a file was named."""
    if output is not None:
        text = json.dumps(plain(body), indent=1, ensure_ascii=False, default=str)
        output.write_text(text + "\n", encoding="utf-8")
        say(f"all numbers stand in {output}")
