"""A store of one namespace sees its own classes alone; the whole store sees all, by full names."""

import pytest
from tests.store.test_store import record

from toolmint.core.errors import InputError
from toolmint.core.model import Usage
from toolmint.core.namespace import ClassKey, Namespace
from toolmint.core.store import ClassInfo, LedgerEntry, Tally
from toolmint.core.tool import Demonstration
from toolmint.core.traffic import Comparison
from toolmint.store.sql import SqlStore

pytestmark = pytest.mark.anyio
ACME = Namespace("acme", "0123456789ab")
NEXT = Namespace("acme", "0123456789ac")
ONE = Demonstration(input="q", target="a")


async def test_a_namespace_sees_its_own_classes_by_plain_names(store: SqlStore) -> None:
    mine, other = store.namespace(ACME), store.namespace(NEXT)
    await mine.add(record(), "serving", "x")
    await mine.enqueue("sums", ONE)
    assert [one.request_class for one in await mine.serving()] == ["sums"]
    assert await mine.waiting() == {"sums": 1}
    assert await other.versions() == [] and await other.queued() == {} == await other.classes()
    full = str(ACME.key("sums"))
    assert [one.request_class for one in await store.serving()] == [full]
    assert (await store.get(full)).version == 1 and await store.waiting() == {full: 1}


async def test_names_with_wildcards_and_slashes_stay_apart(store: SqlStore) -> None:
    for name in ("a%", "a_", "ab", "x/y"):
        await store.enqueue(name, ONE)
        await store.namespace(ACME).enqueue(name, ONE)
    assert await store.namespace(Namespace()).waiting() == {"a%": 1, "a_": 1, "ab": 1, "x/y": 1}
    assert len(await store.waiting()) == 8


async def test_a_class_is_called_by_its_first_words_until_it_has_a_title(store: SqlStore) -> None:
    text = "one two three\nfour five six seven eight nine " + "x" * 600
    await store.enqueue("c", Demonstration(input=text, target="a"))
    await store.enqueue("c", ONE)
    first = ClassInfo(title="one two three four five six seven eight", example=text[:500])
    assert await store.classes() == {"c": first}
    await store.set_title("c", "Counting")
    assert await store.classes() == {"c": first.model_copy(update={"title": "Counting"})}


async def test_a_name_of_more_than_120_characters_is_refused(store: SqlStore) -> None:
    await store.namespace(ACME).enqueue("x" * 120, ONE)
    with pytest.raises(InputError, match="120 characters, got 121"):
        await store.enqueue("x" * 121, ONE)


async def test_the_newest_of_each_class_can_be_asked_for(store: SqlStore) -> None:
    for number in range(4):
        for name in ("a", "b"):
            await store.enqueue(name, Demonstration(input=f"{number}", target=name))
    found = await store.queued(most=2)
    assert {name: [one.input for one in some] for name, some in found.items()} == {
        "a": ["2", "3"],
        "b": ["2", "3"],
    }
    assert list(await store.queued("a", most=1)) == ["a"]


async def test_what_is_joined_keeps_each_request_once(store: SqlStore) -> None:
    mine = store.namespace(ACME)
    for name, text in (("a", "q"), ("a", "r"), ("b", "q")):
        await mine.enqueue(name, Demonstration(input=text, target=name))
    await mine.join("a", "b")
    assert await mine.waiting() == {"b": 2}


async def test_tallies_are_kept_by_class_and_version(store: SqlStore) -> None:
    key = ACME.key("sums")
    await store.namespace(ACME).add(record(), "shadowing", "x")
    kept = Comparison(kind="shadow", version=1, input="q", ours="a", theirs="b")
    outcome = await store.live.record_comparison(
        key, 1, lambda tally, _: (tally.model_copy(update={"wrong": 1}), "demoted", "wrong"), kept
    )
    assert (outcome.state, outcome.disagreed) == ("demoted", True)
    assert await store.live.tallies(ACME) == {key: {1: Tally(wrong=1)}}
    assert await store.live.tallies(NEXT) == {}
    assert await store.live.disagreements(key) == [kept]
    assert await store.live.disagreements(NEXT.key("sums")) == []


async def test_grants_are_by_class(store: SqlStore) -> None:
    key = ClassKey("acme", "0123456789ab", "sums")
    await store.traffic.grant(key, "birch")
    assert await store.traffic.granted("birch") == [key]
    await store.traffic.withdraw(key, "birch")
    assert await store.traffic.granted("birch") == []


async def test_a_namespace_has_its_own_ledger(store: SqlStore) -> None:
    entry = LedgerEntry(purpose="use", request_class="c", model="m", usage=Usage(), seconds=0)
    await store.namespace(ACME).record([entry])
    assert await store.namespace(ACME).ledger() == [entry]
    assert await store.namespace(NEXT).ledger() == []
    assert [one.request_class for one in await store.ledger()] == [str(ACME.key("c"))]
