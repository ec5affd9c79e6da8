"""Make a tool and answer with it, from Python. A scripted model stands where a real one would."""

import tempfile
from pathlib import Path

from toolwright import Demonstration, Models, Order, ScriptedModel, Settings, Workshop, run_sync

REPLY = """```python
import re


def parse(request):
    found = re.fullmatch(r"Convert (\\d+) (km|miles) to (km|miles)\\.", request)
    if found is None or found[2] == found[3]:
        return None
    return {"amount": int(found[1]), "unit": found[2], "wanted": found[3]}


def unparse(args):
    return f"Convert {args['amount']} {args['unit']} to {args['wanted']}."


def solve(amount, unit, wanted):
    return amount / 1.609344 if unit == "km" else amount * 1.609344


def render(args, result):
    return f"{result:.1f} {args['wanted']}"
```"""

DEMONSTRATIONS = tuple(
    Demonstration(input=f"Convert {amount} {unit} to {wanted}.", target=target)
    for amount, unit, wanted, target in (
        (10, "km", "miles", "6.2 miles"),
        (5, "miles", "km", "8.0 km"),
        (42, "km", "miles", "26.1 miles"),
        (100, "miles", "km", "160.9 km"),
        (1, "km", "miles", "0.6 miles"),
        (7, "miles", "km", "11.3 km"),
    )
)


async def main(folder: Path) -> list[str]:
    """Make the tool, ask twice, and give what came back."""
    settings = Settings(store=folder / "tools.db")
    models = Models(ScriptedModel([REPLY, "I cannot convert time to length."]))
    async with Workshop.open(settings, models=models) as workshop:
        record = await workshop.make(Order(request_class="lengths", labelled=DEMONSTRATIONS))
        told = [f"{record.label}: {evidence.summary}" for evidence in record.evidence]
        for request in ("Convert 3 miles to km.", "Convert 3 hours to km."):
            found = await workshop.solve(request)
            assert found.served is not None
            told.append(f"{found.answer} ({found.served.tier}: {found.served.why})")
        return told


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        print("\n".join(run_sync(main(Path(place)))))
