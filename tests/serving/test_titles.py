"""People read and type the titles of classes; the names that the store keeps stay inside."""

from pathlib import Path

import pytest

from toolmint.core.errors import InputError
from toolmint.core.namespace import Namespace
from toolmint.core.store import ClassInfo
from toolmint.serving.titles import class_named, class_title, with_titles
from toolmint.store.sql import SqlStore

SORT, OTHER = "put-these-words-into-3f2a9c", "acme/0123456789ab/close-every-bracket-0a1b2c"
KNOWN = {
    SORT: ClassInfo(title="Sort words"),
    OTHER: ClassInfo(title="Close brackets:"),
    "c": ClassInfo(title="c"),
}


def test_a_text_about_several_classes_has_the_title_of_each() -> None:
    said = f"'{SORT} v2' refused it; close-every-bracket-0a1b2c v1 refused it; c v1 is a cat's"
    assert with_titles(said, KNOWN, SORT) == (
        "'“Sort words” v2' refused it; “Close brackets” v1 refused it; c v1 is a cat's"
    )
    assert with_titles(f"{OTHER} v1 serves", KNOWN) == "“Close brackets” v1 serves"


def test_a_class_without_a_title_is_called_by_the_words_of_its_name() -> None:
    known = {"add-two-numbers-00ff00": ClassInfo(title="add-two-numbers-00ff00")}
    assert class_title(known, "add-two-numbers-00ff00") == "add two numbers"
    assert class_title({}, "two-words-00ff00") == "two words"
    assert class_title({}, "word-sorting") == "word-sorting", "a person gave this name"
    assert class_title({}, None) == ""


@pytest.mark.anyio
async def test_a_class_is_named_by_its_name_or_by_a_title_that_it_alone_has(tmp_path: Path) -> None:
    store = SqlStore.open(tmp_path / "tools.db")
    here, there = store.namespace(Namespace()), store.namespace(Namespace("acme", "0123456789ab"))
    await here.set_title(SORT, "Sort words")
    await here.set_title("units", "Units")
    await there.set_title("close-every-bracket-0a1b2c", "Close brackets:")
    assert await class_named(store, "sort words") == SORT
    assert await class_named(store, SORT) == SORT
    assert await class_named(store, "Close brackets") == OTHER
    assert await class_named(store, "nobody's") == "nobody's"
    await there.set_title("sort-these-words-aaaaaa", "Sort words")
    with pytest.raises(InputError, match="title of 2 classes") as caught:
        await class_named(store, "Sort words")
    assert SORT in str(caught.value) and "acme/0123456789ab/sort-these-words-aaaaaa" in str(
        caught.value
    )
    assert await class_named(store, "units") == "units"
    store.close()
