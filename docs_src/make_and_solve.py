"""Make a tool from demonstrations and answer with it."""

from pathlib import Path

from toolmint import Model, Toolmint


def make_and_solve(model: Model | str, demonstrations: Path, store: Path) -> str:
    with Toolmint(model, store=store) as client:
        record = client.make(demonstrations, name="lengths")
        print(record.label, [stage.summary for stage in record.evidence])

        result = client.solve("Convert 3 miles to km.")
        print(result.answer, result.served)
        return result.answer or ""
