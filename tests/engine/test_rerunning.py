"""A stored trial trained again: equal in every bit, or everything that differs is said."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from in_process import InProcess
from typer.testing import CliRunner, Result

from fairtrial.cli.app import app
from fairtrial.data.catalog import Dataset
from fairtrial.dispatch import Dispatch
from fairtrial.errors import ExecutorError, StoreError
from fairtrial.executors import local
from fairtrial.rerunning import Rerun, rerun
from fairtrial.restoring import restored
from fairtrial.store import Store
from fairtrial.study import studyfile
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.trial import ENGINE_VERSION, Trial, canonical, keys_from

SMALL: dict[str, Any] = {
    "network": {"mlp": {"width": 16, "depth": 1}},
    "data": {"train": 600, "validation": 300},
    "epochs": 2,
    "precision": "float32",
}


def trial(seed: int = 1, **changes: Any) -> Trial:
    settings = ArmSettings.model_validate({**SMALL, **changes})
    return Trial(arm=Arm(name="small", settings=settings), seed=seed, precision="float32")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Dataset], Path]:
    """A store of three trials, trained once: two that finish, one that diverges."""
    made: list[Path] = []

    def path(data: Dataset) -> Path:
        if not made:
            made.append(tmp_path_factory.mktemp("trained") / "store.db")
            with Store.open(made[0]) as store:
                executor = InProcess(data, workers=3)
                dispatch = Dispatch(store=store, executor=executor)
                wild = trial(optimizer={"name": "sgd", "learning_rate": 1e30}, network={"mlp": {"depth": 3}})
                for one in (trial(1), trial(2), wild):
                    dispatch.start(one)
                for event in executor.events():
                    dispatch.take(event)
        return made[0]

    return path


@pytest.fixture
def stored(trained: Callable[[Dataset], Path], mnist: Dataset, tmp_path: Path) -> Path:
    """A copy of that store, to be changed."""
    return Path(shutil.copy(trained(mnist), tmp_path / "fairtrial.db"))


def again(path: Path, key: str, data: Dataset) -> Rerun:
    with Store.open(path) as store:
        return rerun(key, store=store, executor=InProcess(data))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute(statement)


def test_a_trial_is_equal_in_every_bit_when_it_is_trained_again(stored: Path, mnist: Dataset) -> None:
    """What the numbers rest on can be checked by anybody who has the store, and nothing else."""
    before = stored.read_bytes()
    found = again(stored, trial(1).key[:10], mnist)
    assert found.equal
    assert (found.key, found.arm, found.seed) == (trial(1).key, "small", 1)
    assert found.sentence.startswith(
        f"Trial {trial(1).key[:12]} (small, seed 1, float32) is bit-equal: 11 metrics, 2 epochs"
    )
    assert "predictions of 2000 images" in found.sentence
    assert found.again.provenance["torch"] == "2.0"
    assert stored.read_bytes() == before


def test_a_trial_that_diverges_does_so_again(stored: Path, mnist: Dataset) -> None:
    """That it diverges is what it measured."""
    with closing(sqlite3.connect(stored)) as opened:
        (key,) = opened.execute("SELECT key FROM trials WHERE state = 'diverged'").fetchone()
    found = again(stored, key, mnist)
    assert found.equal
    assert "diverges again as it did" in found.sentence


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE trials SET test_loss = test_loss + 1e-12", ["test_loss"]),
        ("UPDATE trials SET weights_sha256 = 'f'", ["weights_sha256"]),
        ("UPDATE epochs SET validation_accuracy = 0.5 WHERE epoch = 2", ["epoch 2, validation_accuracy"]),
        ("UPDATE epochs SET train_seconds = 99", []),
        ("UPDATE predictions SET classes = right_counts", ["predictions, classes"]),
        ("DELETE FROM predictions", []),
    ],
    ids=["a metric", "the weights", "an epoch", "a clock", "predictions", "no predictions"],
)
def test_whatever_differs_is_named_and_clocks_are_no_difference(
    statement: str, what: list[str], stored: Path, mnist: Dataset
) -> None:
    """A last digit that differs is a difference; how long it took is not."""
    change(stored, statement)
    found = again(stored, trial(1).key, mnist)
    assert [one.what for one in found.differences] == what
    assert found.equal is (not what)
    assert json.loads(json.dumps(found.as_dict()))["equal"] is found.equal


def test_a_key_that_does_not_name_one_trial_is_refused(stored: Path, mnist: Dataset) -> None:
    """A wrong guess would be a comparison with another trial."""
    change(stored, "PRAGMA foreign_keys = OFF")
    for key, said in (
        ("", "64 hexadecimal digits"),
        ("xyz", "64 hexadecimal digits"),
        ("0" * 65, "64 hexadecimal digits"),
        ("0123456789abcdef", "such a trial is not there"),
    ):
        with pytest.raises(StoreError, match=said):
            again(stored, key, mnist)
    first, second = sorted((trial(1).key, trial(2).key))
    change(stored, f"UPDATE trials SET key = '{first[:8]}' || substr(key, 9) WHERE key = '{second}'")
    with pytest.raises(StoreError, match=r"several trials .* give more digits"):
        again(stored, first[:8], mnist)


def test_a_trial_of_another_engine_or_one_changed_by_hand_is_not_made_up(
    stored: Path, mnist: Dataset
) -> None:
    """Trained again by other rules it would differ, and say nothing."""
    change(stored, f"UPDATE trials SET engine_version = {ENGINE_VERSION - 1} WHERE seed = 2")
    with pytest.raises(
        StoreError, match=f"by engine version {ENGINE_VERSION - 1}; this is engine version {ENGINE_VERSION}"
    ):
        again(stored, trial(2).key, mnist)
    change(stored, "UPDATE arms SET settings = replace(settings, '16', '17')")
    with pytest.raises(StoreError, match="cannot be made again from what the store keeps"):
        again(stored, trial(1).key, mnist)
    change(stored, "UPDATE arms SET settings = 'nonsense'")
    with pytest.raises(StoreError, match="cannot be made again from what the store keeps"):
        again(stored, trial(1).key, mnist)


def test_a_training_that_fails_is_an_error_and_no_difference(
    stored: Path, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory here says nothing about the numbers there."""

    def fail(*_: object, **__: object) -> Any:
        raise MemoryError("not enough memory")

    monkeypatch.setattr("fairtrial.engine.train.train", fail)
    with pytest.raises(ExecutorError, match="could not be trained again: out of memory"):
        again(stored, trial(1).key, mnist)


def arms() -> list[Arm]:
    """Every arm of the built-in studies, and one for each way of writing a setting that they lack."""
    some = [arm for name in studyfile.builtin_names() for arm in studyfile.load(name).arms.values()]
    rates: list[Any] = [
        {"cosine": {"initial": 0.1, "warmup_epochs": 0.5}},
        {"exponential": {"initial": 0.1, "rate": 0.5}},
        {"step": {"initial": 1, "factor": 0.5}},
        1,
    ]
    layers = [
        {"conv": {"filters": 3, "kernel": [3, 5], "name": "first"}},
        {"pool": {"size": [2, 3], "name": "own"}},
        "flatten",
        {"dense": {"units": 3, "name": "dense-2"}},
        {"dropout": 0.5},
    ]
    for rate in rates:
        settings = {
            "optimizer": {"name": "sgd", "learning_rate": rate},
            "early_stopping": {},
            "data": {"augment": {"shift": 2}, "train": 1000},
            "batch_size": 5000,
            "network": {"layers": layers},
        }
        some.append(Arm(name="other", settings=ArmSettings.model_validate(settings)))
    return some


def test_every_arm_comes_back_from_what_a_store_keeps_of_it() -> None:
    """A setting that is lost on the way would be another trial; its key would tell."""
    found = arms()
    assert len(found) > 50
    for arm in found:
        one = Trial(arm=arm, seed=2003, precision="bfloat16")
        settings = json.dumps(canonical(arm), sort_keys=True, separators=(",", ":"))
        made = restored(
            key=one.key,
            name=arm.name,
            settings=settings,
            precision="bfloat16",
            number=2003,
            engine_version=ENGINE_VERSION,
        )
        assert made.key == one.key
        data = arm.settings.data.facts.fingerprint
        keys = keys_from(settings, data=data, precision="bfloat16", engine=ENGINE_VERSION, numbers=[2003])
        assert keys == (one.arm_key, [one.key])


@pytest.fixture
def fairtrial(mnist: Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Result]:
    def executor(*, workers: int | None = None) -> InProcess:
        return InProcess(mnist, workers=workers)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FAIRTRIAL_STORE", raising=False)
    monkeypatch.setattr(local, "LocalExecutor", executor)
    return lambda *words: CliRunner().invoke(app, list(words))


def test_the_command_says_equal_or_what_differs_by_its_exit_status(
    stored: Path, fairtrial: Callable[..., Result]
) -> None:
    """Scripts that publish numbers can ask for a sample of them to be trained again."""
    key = trial(1).key
    equal = fairtrial("rerun", key[:12])
    assert (equal.exit_code, "is bit-equal" in equal.stdout) == (0, True)
    assert "epoch 1 of 2" in equal.stderr
    change(stored, "UPDATE trials SET test_accuracy = 0.5")
    apart = fairtrial("rerun", key, "--store", str(stored))
    assert apart.exit_code == 1
    assert "is different: 1 figure of it is not what it was" in apart.stdout
    assert "test_accuracy: stored 0.5, now 0." in apart.stdout
    body = json.loads(fairtrial("rerun", key, "--json").stdout)
    assert [one["what"] for one in body["differences"]] == ["test_accuracy"]
    assert body["made_with"]["again"]["machine"] == "here"
    wrong = fairtrial("rerun", "nothing")
    assert (wrong.exit_code, "hexadecimal digits" in wrong.stderr) == (2, True)
    nowhere = fairtrial("rerun", key, "--store", "nowhere.db")
    assert (nowhere.exit_code, "there is no store here yet" in nowhere.stderr) == (2, True)
    assert not Path("nowhere.db").exists()
