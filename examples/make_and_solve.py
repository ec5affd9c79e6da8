"""Make a tool from demonstrations, and answer with it: no model is asked for what the tool understands.

    python examples/make_and_solve.py                           # a scripted model, no key, no network
    python examples/make_and_solve.py --model openai:gpt-5      # a real one (reads OPENAI_API_KEY)

By default the strong model is scripted: its replies stand below, so that the example runs everywhere.
The tool that it proposes goes through the whole verification, and runs in the sandbox, either way.
"""

import argparse
import tempfile
from pathlib import Path

from toolmint import ScriptedModel, Toolmint

DEMONSTRATIONS = [
    ("Convert 10 km to miles.", "6.2 miles"),
    ("Convert 5 miles to km.", "8.0 km"),
    ("Convert 42 km to miles.", "26.1 miles"),
    ("Convert 100 miles to km.", "160.9 km"),
    ("Convert 1 km to miles.", "0.6 miles"),
    ("Convert 7 miles to km.", "11.3 km"),
]
PROPOSAL = """```python
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


def main() -> None:
    """Make the tool, ask for two conversions, and print what came back and what it cost."""
    options = argparse.ArgumentParser(description="Make a tool and answer with it.")
    options.add_argument("--model", help="a model URI, such as openai:gpt-5 [a scripted model]")
    model = options.parse_args().model
    scripted = ScriptedModel([PROPOSAL, "I cannot convert time to length."])

    with (
        tempfile.TemporaryDirectory() as folder,
        Toolmint(model or scripted, store=Path(folder) / "tools.db") as client,
    ):
        record = client.make(DEMONSTRATIONS, name="lengths")
        for evidence in record.evidence:
            print(f"{record.label}: {evidence.stage}: {evidence.summary}")
        for result in client.apply(["Convert 3 miles to km.", "Convert 3 hours to km."]):
            served = result.trajectory.served if result.trajectory else None
            print(f"{result.request.input} -> {result.answer or result.error}")
            print(f"    {served.tier if served else 'nobody'}: {served.why if served else ''}")
        bill = client.bill()
        print(f"{bill.by_tools} of {bill.requests} requests were answered without the model")


if __name__ == "__main__":
    main()
