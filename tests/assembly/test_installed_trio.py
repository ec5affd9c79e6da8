"""The English trio that ships: its files, what its card says, and that agents do not take it unasked."""

import json

from toolmint.assembly.installed_trio import how_to_install, preferred_trio
from toolmint.core.base_model import read_base
from toolmint.core.turns import read_turns
from toolmint.embedded import english_trio_path


def test_the_shipped_adapter_names_its_base_and_its_data() -> None:
    folder = english_trio_path()
    base, turns = read_base(folder), read_turns(folder)
    assert base is not None and base.name == "smollm2-135m"
    assert turns is not None and turns.begin["<|caller|>"] == "<|im_start|>caller\n"
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    assert all(part["licence"] and part["source"] for part in card["data"]["parts"])
    assert sum(one.stat().st_size for one in folder.iterdir()) < 15_000_000


def test_a_trio_of_single_calls_is_not_taken_unasked() -> None:
    card = json.loads((english_trio_path() / "card.json").read_text(encoding="utf-8"))
    assert card["plays_agents"] is False
    assert preferred_trio() is None
    assert how_to_install() == ""
