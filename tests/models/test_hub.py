"""Models of the hub: a folder is taken as it is; a hub that cannot be reached is one clear line."""

from pathlib import Path

import pytest

from toolmint.core.errors import ConfigError
from toolmint.models.hub import folder_of

NOWHERE = "http://127.0.0.1:9"


def test_a_folder_is_its_own(tmp_path: Path) -> None:
    assert folder_of(str(tmp_path)) == tmp_path


def test_what_is_neither_a_folder_nor_a_name_of_the_hub_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"is no folder; give one, or OWNER/MODEL of the hub"):
        folder_of("no-such-folder", NOWHERE)


def test_a_hub_that_cannot_be_reached_is_named_in_one_line() -> None:
    with pytest.raises(ConfigError, match="could not be fetched from the hub") as wrong:
        folder_of("someone/some-model", NOWHERE)
    assert wrong.value.code == "hub"
    assert "\n" not in str(wrong.value)
