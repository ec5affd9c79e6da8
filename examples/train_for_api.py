"""From an OpenAPI document to a trio of your own: tasks, training, held-out calls, a version that may serve.

    python examples/train_for_api.py                       # a tiny model from random weights: the steps alone
    python examples/train_for_api.py --model smollm2-135m  # a pretrained base

The document below stands for yours. Requests, calls and results are made of it; the trained model is measured
on requests whose sentences it never saw, against the model that it began with. It is a version in
``.toolmint/trios``, and ``toolmint agent "..." --tools shop.json`` takes it where it is better.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from toolmint.assembly.mix import nearest_tools
from toolmint.assembly.settings import load_settings
from toolmint.assembly.toolbox_training import foreign_tools, toolbox_specs
from toolmint.assembly.trio_versions import TrioRegistry
from toolmint.cli.main import toolmint
from toolmint.core.sync import run_sync
from toolmint.synthesis.toolbox_tasks import TaskPlan, toolbox_tasks
from toolmint.training.glpft import train
from toolmint.training.recipes import Architecture, small
from toolmint.training.samples import sample_of
from toolmint.training.tokenizer import Tokenizer


def operation(name: str, about: str, **fields: dict[str, object]) -> dict[str, object]:
    """Return one operation of the document; its fields are parameters of the query."""
    parameters = [
        {"name": key, "in": "query", "required": True, "schema": schema}
        for key, schema in fields.items()
    ]
    return {"operationId": name, "summary": about, "parameters": parameters}


SHOP = {
    "openapi": "3.0.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "http://127.0.0.1:9"}],
    "paths": {
        "/stock": {
            "get": operation("get_stock", "Get the stock of a product", product={"type": "string"})
        },
        "/orders": {
            "post": operation(
                "place_order",
                "Place an order for a product",
                product={"type": "string"},
                count={"type": "integer", "minimum": 1, "maximum": 9},
            )
        },
        "/hours": {
            "get": operation(
                "opening_hours",
                "Get the opening hours of the shop on a day",
                day={"type": "string", "enum": ["Monday", "Saturday", "Sunday"]},
            )
        },
    },
}


def tiny_trio(document: Path, folder: Path) -> Path:
    """Train a decoder of some thousand weights for a few steps: what ``--model`` replaces."""
    specs, _ = run_sync(toolbox_specs(load_settings(model=None), [str(document)]))
    plan = TaskPlan(learnt=24, held_out=20)
    runs = toolbox_tasks(specs, nearest_tools(specs), foreign_tools(), plan).learnt
    tokenizer = Tokenizer.train(runs, 600)
    folder.mkdir()
    tokenizer.save(folder / "tokenizer.json")
    recipe = small(epochs=1).model_copy(
        update={
            "method": "single",
            "architecture": Architecture(width=32, layers=1, heads=2, inner=64),
            "context": 1024,
        }
    )
    samples = [sample_of(run, tokenizer, recipe.context) for run in runs]
    train(samples, recipe, folder / "tokenizer.json", folder)
    return folder / "backbone"


def run(model: str | None) -> None:
    """Train for the document, and say which version serves."""
    document = Path("shop.json")
    document.write_text(json.dumps(SHOP), encoding="utf-8")
    size = ("--tasks", "400", "--held-out", "100")
    if model is None:
        model = str(tiny_trio(document, Path("tiny")))
        size = ("--tasks", "24", "--held-out", "20", "--epochs", "1")
    toolmint.main(["train", "for", str(document), "--from", model, *size], standalone_mode=False)
    specs, _ = run_sync(toolbox_specs(load_settings(model=None), [str(document)]))
    found = TrioRegistry.of(load_settings()).versions(specs)
    for one in found.versions:
        print(
            f"version {one.version}: {one.exact:.0%} exact, base {one.base_exact:.0%}: {one.state}"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--model", help="a pretrained base or a trained trio, in place of a tiny one"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        run(given.model)
