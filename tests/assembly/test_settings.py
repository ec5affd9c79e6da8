"""The settings' names: one that was renamed is reported with its new name, and nothing is overlooked."""

from decimal import Decimal
from pathlib import Path

import pytest

from toolmint.assembly.settings import load_settings
from toolmint.assembly.uri import parse_uri
from toolmint.core.errors import ConfigError
from toolmint.core.model import Usage


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(**given: object) -> str:
    """Return the one line that the settings are refused with."""
    with pytest.raises(ConfigError) as caught:
        load_settings(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_variable_of_the_former_name_is_named_with_the_new_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOOLWRIGHT_STORE", "x.db")
    assert "TOOLWRIGHT_STORE is now TOOLMINT_STORE: rename it" in said()


def test_a_former_variable_of_a_renamed_setting_leads_to_its_present_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOOLWRIGHT_SPOOL", "x")
    assert "TOOLMINT_WRITE_AHEAD_LOG" in said()


def test_a_file_of_the_former_name_is_not_overlooked(folder: Path) -> None:
    (folder / "toolwright.toml").write_text("port = 1\n")
    assert "mv toolwright.toml toolmint.toml" in said()
    (folder / "toolmint.toml").write_text("port = 2\n")
    assert load_settings().port == 2


def test_a_default_store_of_the_former_name_is_not_overlooked(folder: Path) -> None:
    (folder / ".toolwright").mkdir()
    (folder / ".toolwright" / "tools.db").write_bytes(b"kept")
    assert "mv .toolwright .toolmint" in said()
    assert load_settings(store="other.db").store == "other.db"
    (folder / ".toolwright").rename(folder / ".toolmint")
    assert load_settings().store == ".toolmint/tools.db"
    assert (folder / ".toolmint" / "tools.db").read_bytes() == b"kept"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('spool = "x"', "is now 'write_ahead_log': rename it"),
        ('user_model = "x"', "is now 'light_model': rename it"),
        ("portt = 1", "did you mean 'port'"),
    ],
)
def test_a_setting_that_is_gone_is_said_so(folder: Path, line: str, says: str) -> None:
    (folder / "toolmint.toml").write_text(line + "\n")
    assert says in said()


def test_the_former_scheme_of_recorded_replies_is_named_with_the_new_one() -> None:
    with pytest.raises(ConfigError, match=r"'replay' is now 'cassette': cassette:a\.jsonl"):
        parse_uri("replay:a.jsonl")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[prices."a b"]\ninput = -1\noutput = 2\n', 'prices."a b".input = -1'),
        ("[prices.m]\ninput = 1\n", "prices.m.output (in toolmint.toml) is missing"),
        ("[prices.m]\ninput = nan\noutput = 2\n", "prices.m.input = nan"),
        ("[prices.m]\ninput = 1\noutput = inf\n", "finite number"),
        ("[prices.m]\ninput = true\noutput = 2\n", "prices.m.input = True"),
        ("[prices.m]\ninput = 1\noutput = 2\nreasoning = 3\n", "known are input, output, cached"),
        ("[prices]\nm = 3\n", "prices.m = 3"),
        ("prices = 3\n", "prices = 3 (from toolmint.toml)"),
        ('unknown_prices = "maybe"\n', "'refuse' or 'allow'"),
        ("longest_answer = 0\n", "longest_answer = 0"),
    ],
)
def test_a_wrong_price_is_named_with_its_place(folder: Path, text: str, says: str) -> None:
    (folder / "toolmint.toml").write_text(text)
    assert says in said()


def test_prices_come_from_the_file_or_as_json_from_a_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "toolmint.toml").write_text('[prices."my-model"]\ninput = 0.15\noutput = 0.6\n')
    used = Usage(requests=1, input_tokens=1_000_000, cached_tokens=500_000, output_tokens=10)
    table = load_settings().price_table
    assert table.cost("my-model", used) == Decimal("0.150006")
    assert table.cost("reported-name", used, "my-model") == Decimal("0.150006")
    assert table.cost("my-model", Usage(requests=1)) is None, "an answer without usage"
    assert table.cost("other-model", used) is None
    assert table.cost("gpt-5", used) == Decimal("0.6876")
    monkeypatch.setenv("TOOLMINT_PRICES", '{"gpt-5": {"input": 0, "output": 0, "cached": 0}}')
    assert load_settings().price_table.cost("gpt-5", used) == 0
    monkeypatch.setenv("TOOLMINT_PRICES", "gpt-5=1")
    assert "in a variable it is JSON" in said()
