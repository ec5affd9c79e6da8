"""A run's folder belongs to one recipe and one set of data; what was left out is told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.training.small_run import recipe, samples

from toolmint.cli.train_trio import train_trio
from toolmint.core.errors import ConfigError, InputError
from toolmint.training.callbacks import LineCallbacks
from toolmint.training.data_report import DATA_REPORT, DataReport, check_not_empty, samples_of
from toolmint.training.glpft import CARD, Card, train
from toolmint.training.readers import read_located
from toolmint.training.recipes import Recipe
from toolmint.training.run_folder import RUN_FILE, check_folder, run_key
from toolmint.training.samples import Sample
from toolmint.training.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("words") / "tokenizer.json"


@pytest.fixture(scope="module")
def found(tokenizer: Path) -> list[Sample]:
    return samples(tokenizer)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path, found: list[Sample]) -> Path:
    """Return the folder of a finished run of one stage."""
    made = tmp_path_factory.mktemp("run")
    train(found, brief(), tokenizer, made)
    return made


def brief() -> Recipe:
    """Return the recipe of one stage with a single pass over the data."""
    whole = recipe()
    stage = whole.global_stage.model_copy(update={"epochs": 1})
    return whole.model_copy(update={"global_stage": stage, "save_steps": 100})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_the_same_run_again_changes_nothing_and_returns_its_card(
    folder: Path, tokenizer: Path, found: list[Sample]
) -> None:
    before, said = contents(folder), list[str]()
    card = train(found, brief(), tokenizer, folder, callbacks=LineCallbacks(said.append))
    assert said == ["backbone: is there already"]
    assert card == Card.model_validate_json((folder / CARD).read_text())
    assert card.seconds > 0
    assert contents(folder) == before


def unlearnt(found: list[Sample]) -> list[Sample]:
    """Return the samples with the same tokens, of which the first one gives no loss."""
    first = found[0]
    return [first._replace(role_mask=(None,) * len(first.ids)), *found[1:]]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seed": 5}, r"seed is 0, not 5"),
        ({"batch": 20}, r"batch is 10, not 20"),
        ({"method": "multi"}, r'method is "single", not "multi"'),
        (
            {"global_stage": brief().global_stage.model_copy(update={"learning_rate": 1.0})},
            r"global_stage.learning_rate is 0.003, not 1.0",
        ),
        ({"adapter": None, "reuse": False}, r"reuse is true, not false"),
    ],
)
def test_a_folder_of_another_recipe_is_refused_untouched(
    folder: Path, found: list[Sample], changed: Mapping[str, Any], said: str
) -> None:
    before = contents(folder)
    other = brief().model_copy(update=dict(changed))
    with pytest.raises(ConfigError, match=said) as caught:
        train(found, other, folder / "none", folder)
    assert caught.value.code == "other-run"
    assert contents(folder) == before


def test_a_folder_of_other_data_or_of_another_base_is_refused_untouched(
    folder: Path, tokenizer: Path, found: list[Sample]
) -> None:
    before = contents(folder)
    for other in (found[1:], [*found[1:], found[0]], unlearnt(found)):
        with pytest.raises(ConfigError, match=r"its data are others \(40 samples, digest"):
            train(other, brief(), tokenizer, folder)
    with pytest.raises(ConfigError, match="base is null, not "):
        train(found, brief(), tokenizer, folder, base=folder / "backbone")
    assert contents(folder) == before


def test_a_training_of_which_nothing_is_known_is_refused(
    found: list[Sample], tmp_path: Path
) -> None:
    key = run_key(found, brief(), None)
    (tmp_path / "backbone").mkdir()
    check_folder(tmp_path, key)
    (tmp_path / "backbone" / CARD).write_text("{}")
    with pytest.raises(ConfigError, match=r"without run\.json"):
        check_folder(tmp_path, key)
    (tmp_path / RUN_FILE).write_text('{"kind": "else"}')
    with pytest.raises(ConfigError, match="does not describe a training run"):
        check_folder(tmp_path, key)


def test_a_run_that_ended_before_it_learnt_anything_does_not_keep_the_folder(
    tokenizer: Path, found: list[Sample], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="holds no model"):
        train(found, brief(), tokenizer, tmp_path, base=tmp_path / "nothing")
    check_folder(tmp_path, run_key(found, brief(), None))


def chat(answer: str, **more: object) -> dict[str, Any]:
    said = [{"role": "user", "content": "Which sound?"}, {"role": "assistant", "content": answer}]
    said[-1].update(more)  # type: ignore[arg-type]
    return {"messages": said}


def write_lines(path: Path, items: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in items))
    return path


def test_what_is_left_out_is_counted_and_named_with_its_line(tmp_path: Path) -> None:
    file = write_lines(
        tmp_path / "chat.jsonl", [chat("oink"), chat("moo " * 500), chat("bah", weight=0)]
    )
    found = list(read_located(file))
    tokenizer = Tokenizer.train((one.trajectory for one in found), 400)
    made, report = samples_of(found, tokenizer, 200)
    assert [run.answer for run, _ in made] == ["oink"]
    assert (report.read, report.used) == ({"openai": 3}, 1)
    assert report.counts == {"context": 1, "no-spans": 1}
    assert [(one.where, one.reason) for one in report.left_out] == [
        (f"{file}:2", "context"),
        (f"{file}:3", "no-spans"),
    ]
    assert "the context is 200" in report.left_out[0].message
    assert [line[:2] for line in report.lines()] == [
        ("read: openai", 3),
        ("left out: context", 1),
        ("left out: no-spans", 1),
        ("learnt", 1),
    ]


def test_a_run_without_anything_to_learn_says_why(tmp_path: Path) -> None:
    file = write_lines(tmp_path / "chat.jsonl", [chat("bah", weight=0)])
    found = list(read_located(file))
    tokenizer = Tokenizer.train((one.trajectory for one in found), 400)
    with pytest.raises(InputError, match=r"all 1 trajectories were left out .*chat\.jsonl:1"):
        check_not_empty(samples_of(found, tokenizer, 200)[1])
    with pytest.raises(InputError, match="hold no trajectory"):
        check_not_empty(samples_of([], tokenizer, 200)[1])


def trio(*words: str | Path) -> Result:
    small = ("--method", "single", "--width", "16", "--layers", "1", "--epochs", "1")
    return CliRunner().invoke(train_trio, [*map(str, words), *small])


def test_the_command_tells_what_it_left_out_and_keeps_its_folder(tmp_path: Path) -> None:
    items = [chat("oink"), chat("moo " * 9000), chat("bah", weight=0), chat("meow")]
    file, out = write_lines(tmp_path / "chat.jsonl", items), tmp_path / "out"
    done = trio(file, "-o", out)
    assert done.exit_code == 0, done.output
    assert "left out: context" in done.output
    report = DataReport.model_validate_json((out / DATA_REPORT).read_text())
    assert (report.used, report.counts) == (2, {"context": 1, "no-spans": 1})
    before = contents(out)
    more = write_lines(tmp_path / "more.jsonl", [*items, chat("quack")])
    refused = trio(more, "-o", out)
    assert isinstance(refused.exception, ConfigError)
    assert "its data are others" in str(refused.exception)
    assert trio(file, "-o", out).exit_code == 0
    assert contents(out) == before
