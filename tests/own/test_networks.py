"""Networks of the user's own: found by name, seeded like any other, and told about when they cannot be trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fairtrial as ft
from fairtrial.data.catalog import load as open_data
from fairtrial.engine.network import build, keras_weights
from fairtrial.engine.own_network import OwnNetwork
from fairtrial.engine.train import Trained, train
from fairtrial.errors import ExecutorError, OwnCodeError
from fairtrial.executors.local import LocalExecutor
from fairtrial.executors.probing import probe
from fairtrial.restoring import restored
from fairtrial.study.factors import confounds, differences, held_fixed
from fairtrial.study.schema import Arm
from fairtrial.study.studyfile import load
from fairtrial.trial import ENGINE_VERSION, EpochRecord, Outcome, Trial, canonical
from fairtrial.wire import Order, decode_order, encode_order

FEW = {"train": 400, "validation": 200}


def arm(python: str = "own_net.py:build", **settings: Any) -> Arm:
    arguments = settings.pop("arguments", {})
    network = {"python": python, **({"arguments": arguments} if arguments else {})}
    return ft.Study(arms={"own": {"network": network, "data": FEW, "epochs": 2, **settings}}).arms["own"]


def trial(python: str = "own_net.py:build", *, seed: int = 1, **settings: Any) -> Trial:
    return Trial(arm=arm(python, **settings), seed=seed, precision="float32")


def trained(ready: Trial) -> Outcome:
    (last,) = [step for step in train(ready, open_data("mnist"), provenance={}) if isinstance(step, Trained)]
    return last.outcome


def test_a_network_of_ones_own_is_drawn_from_the_trials_seed(folder: Path) -> None:
    """The same seed gives the same weights in every worker, another seed others."""
    first, again, other = (keras_weights(build(arm(), seed=seed)) for seed in (1, 1, 2))
    assert {name: weights.tolist() for name, weights in first.items()} == {
        name: weights.tolist() for name, weights in again.items()
    }
    assert first["head.weight"].tolist() != other["head.weight"].tolist()
    assert first["head.weight"].shape == (10, 8)


def test_a_trial_of_it_is_the_same_bits_when_repeated_and_tells_its_layers(folder: Path) -> None:
    """Dropout included; and it learns."""
    ready = trial(arguments={"width": 16}, epochs=3, optimizer={"learning_rate": 0.01})
    first, again = trained(ready), trained(ready)
    assert first.metrics == again.metrics
    assert first.weights_sha256 == again.weights_sha256
    assert first.metrics["validation_accuracy"] > 0.5
    assert first.provenance["parameters"] == str(784 * 16 + 16 + 16 * 10 + 10 + 12)
    assert first.provenance["trainable"] == str(784 * 16 + 16 + 16 * 10 + 10)
    assert '["body.1", "Linear", "(None, 16)", 12560]' in first.provenance["layers"]


def test_what_a_module_leaves_behind_reaches_no_other_trial(folder: Path) -> None:
    """Its modules are loaded anew: a counter in one would make the second trial another."""
    (folder / "counting.py").write_text(
        "from torch import nn\nimport own_state\ndef build():\n    own_state.count += 1\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 9 + own_state.count))\n"
    )
    (folder / "own_state.py").write_text("count = 0\n")
    for _ in range(2):
        assert build(arm("counting.py:build"), seed=1)


def test_a_network_never_takes_a_module_of_another_folder_for_its_own(folder: Path) -> None:
    """Two arms in folders of their own, each with a `parts.py` beside it, also one that is imported only when it is needed."""
    for name, width in (("first", 3), ("second", 5)):
        (folder / name).mkdir()
        (folder / name / "parts.py").write_text(f"width = {width}\n")
        (folder / name / "late.py").write_text(f"width = {width}\n")
        (folder / name / "net.py").write_text(
            "from torch import nn\nimport parts\ndef build():\n    import late\n"
            "    return nn.Sequential(nn.Flatten(), nn.Linear(784, parts.width), nn.Linear(parts.width, late.width),\n"
            "                         nn.Linear(late.width, 10))\n"
        )
    for name, width in (("first", 3), ("second", 5), ("first", 3)):
        weights = keras_weights(build(arm(f"{name}/net.py:build"), seed=1))
        assert (weights["1.weight"].shape, weights["2.weight"].shape) == ((width, 784), (width, width))


def test_lazy_layers_and_batch_normalisation_are_as_they_begin(folder: Path) -> None:
    """Looking at a network before training must not train it."""
    network = build(arm("own_net.py:lazy"), seed=1)
    assert isinstance(network, OwnNetwork)
    assert network.weights()["2.running_mean"].abs().sum() == 0
    assert all(one.grad is None for one in network.parameters())
    assert len(list(network.parameters())) == 6


@pytest.mark.parametrize(
    ("python", "piece"),
    [
        ("own_net.py:raising", 'own_net.py:28, in raising (raise ValueError(f"no width {width}")): ValueError: no width 8'),
        ("own_net.py:seven", "a tensor of shape (2, 7), torch.float32; for 2 images it must give a tensor of shape (2, 10)"),
        ("own_net.py:three", "must return a torch.nn.Module, got int"),
        ("own_net.py:frozen", "no weights that training could move"),
        ("own_net.py:Failing", "own_net.py:49, in forward"),
        ("own_net.py:biuld", "biuld is not there; it has"),
        ("own_net.py:torch", "torch is no function"),
    ],
)  # fmt: skip
def test_a_network_that_cannot_be_trained_is_told_with_the_users_own_line(
    folder: Path, python: str, piece: str
) -> None:
    """Its author looks there, and nowhere in fairtrial."""
    with pytest.raises(OwnCodeError) as error:
        build(arm(python), seed=1)
    assert piece in str(error.value)


def test_wrong_arguments_and_broken_files_are_told(folder: Path) -> None:
    """The factory's own complaint, and where its file breaks off."""
    with pytest.raises(OwnCodeError, match="unexpected keyword argument 'depth'"):
        build(arm(arguments={"depth": 3}), seed=1)
    (folder / "broken.py").write_text("def build(:\n")
    with pytest.raises(OwnCodeError, match=r"broken\.py:1: SyntaxError"):
        build(arm("broken.py:build"), seed=1)
    (folder / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(OwnCodeError, match=r"leaving\.py:2, in <module>.*SystemExit"):
        build(arm("leaving.py:build"), seed=1)
    ready = arm()
    (folder / "own_blocks.py").write_text("")
    with pytest.raises(OwnCodeError, match=r"own_blocks\.py in .* is no longer what it was"):
        build(ready, seed=1)


@pytest.mark.parametrize(
    ("network", "piece"),
    [
        ({"python": "nowhere.py:build"}, "there is no file 'nowhere.py'"),
        ({"python": "own_net.py"}, "must name a file and the function in it"),
        ({"python": "own_net:build"}, "no installed module 'own_net'; a file is named with its ending"),
        ({"python": "torch.nothing.here:build"}, "module 'torch' has no nothing.here"),
        ({"python": 3}, "must be text"),
        ({"python": "own_net.py:build", "arguments": {"class": 3}}, "'class' is no name of an argument"),
        ({"python": "own_net.py:build", "mlp": {"width": 3}}, "network takes mlp or python, not both"),
        ({"python": "own_net.py:build", "width": 3}, "unknown key 'network.width'"),
        ({"arguments": {"width": 3}}, "network"),
        (lambda: None, "a lambda has no name"),
    ],
)  # fmt: skip
def test_mistakes_in_naming_one_are_mistakes_of_the_study(folder: Path, network: Any, piece: str) -> None:
    """They are said before any process starts."""
    with pytest.raises(ft.StudyError) as error:
        ft.Study(arms={"own": {"network": network}})
    assert piece in str(error.value)


def nested() -> type[nn.Module]:
    class Within(nn.Module):
        pass

    return Within


def test_a_function_or_class_in_a_file_may_be_given_itself() -> None:
    """In Python the very name is at hand; what a worker could not find is refused with what to do."""
    study = ft.Study(
        arms={"a": {"network": tiny}, "b": {"network": {"python": tiny, "arguments": {"width": 3}}}}
    )
    assert study.arms["a"].settings.network.python == f"{Path(__file__).absolute()}:tiny"
    assert study.arms["a"].is_module
    with pytest.raises(ft.StudyError, match=r"arms\.a\.network: .*made within another function.*writefile"):
        ft.Study(arms={"a": {"network": nested()}})
    space: dict[str, Any] = {"__name__": "notebook"}
    exec("def build():\n    pass\n", space)
    with pytest.raises(ft.StudyError, match="in no file"):
        ft.Study(arms={"a": {"network": space["build"]}})


def tiny(width: int = 2, *, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    assert input_shape == (1, 28, 28)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.Linear(width, classes))


def test_the_key_knows_the_code_the_arguments_and_the_seed(folder: Path) -> None:
    """And not the folder that it lies in."""
    first = trial().key
    assert trial(arguments={"width": 8}).key != first
    assert trial(arguments={"width": 8}).key != trial(arguments={"width": 8.0}).key
    assert trial(seed=2).key != first
    assert trial("own_net.py:lazy").key != first
    (folder / "below").mkdir()
    for name in ("own_net.py", "own_blocks.py"):
        (folder / "below" / name).write_bytes((folder / name).read_bytes())
    assert trial("below/own_net.py:build").key == first
    (folder / "own_blocks.py").write_text((folder / "own_blocks.py").read_text() + "# another\n")
    assert trial().key != first


def test_a_worker_and_a_store_know_it_again(folder: Path) -> None:
    """By key and files alone; the function itself is never sent."""
    ready = trial(arguments={"width": 16, "drop": 0.5})
    sent = decode_order(encode_order(Order(trial=ready)))
    assert isinstance(sent, Order)
    assert sent.trial.key == ready.key
    again = restored(
        key=ready.key, name="own", settings=json.dumps(canonical(ready.arm)), precision="float32", number=1,
        engine_version=ENGINE_VERSION,
    )  # fmt: skip
    assert keras_weights(build(again.arm, seed=1))["head.weight"].shape == (10, 16)


STUDY = """
schema: fairtrial/1
name: own
data: {train: 400, validation: 200}
base:
  network: {python: "own_net.py:build", arguments: {width: 8, kind: a}}
  epochs: 1
arms:
  narrow: {}
  wide: {network.arguments.width: 32, network.arguments.kind: b}
  ours: {network: {mlp: {width: 8, depth: 1}}}
  short: {network: "own_net.py:lazy"}
questions:
  - {id: Q, variant: wide, baseline: narrow, factors: [network.arguments.width]}
"""


def test_arguments_are_factors_like_any_setting(folder: Path) -> None:
    """A confound among them is found; a network of layers takes the place of a factory, and the other way round."""
    (folder / "own.yaml").write_text(STUDY)
    study = load("own.yaml")
    arms, (question,) = study.arms, study.questions
    assert arms["wide"].settings.network.arguments.as_dict() == {"width": 32, "kind": "b"}
    assert [one.path for one in confounds(question, arms["wide"], arms["narrow"])] == [
        "network.arguments.kind"
    ]
    assert [one.path for one in differences(arms["ours"], arms["narrow"])] == [
        "network.python", "network.arguments.kind", "network.arguments.width",
    ]  # fmt: skip
    assert "network.python" in [one.path for one in held_fixed(arms["wide"], arms["narrow"])]
    assert arms["ours"].is_described
    assert not arms["ours"].settings.network.arguments
    assert arms["short"].settings.network.python == "own_net.py:lazy"
    (folder / "own.yaml").write_text(STUDY.replace("[network.arguments.width]", "[network.arguments.depth]"))
    with pytest.raises(ft.StudyError, match=r"network\.arguments\.depth"):
        load("own.yaml")


def test_a_script_that_a_worker_imports_does_not_run_its_study_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker would start workers of its own, without end."""
    monkeypatch.setenv("FAIRTRIAL_WORKER", "1")
    with pytest.raises(ExecutorError, match="__main__"):
        LocalExecutor(workers=1)


def test_input_is_contiguous_whatever_the_memory_order(folder: Path) -> None:
    """`x.view(len(x), -1)` is what most networks begin with."""
    network = OwnNetwork(Viewing(), seed=1, folder="", rows=[])
    colour = torch.zeros(2, 4, 4, 3).permute(0, 3, 1, 2)
    assert network(colour).shape == (2, 48)


class Viewing(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.view(len(images), -1)


@pytest.mark.slow
def test_a_study_of_own_networks_is_trained_in_workers_and_shown(folder: Path) -> None:
    """The whole way: a process of its own looks first, workers train, the page shows what they told."""
    (folder / "own.yaml").write_text(
        STUDY.replace(", kind: a", "").replace(", network.arguments.kind: b", "")
    )
    study = load("own.yaml")
    assert probe(study.arms["wide"]).parameters == 784 * 32 + 32 + 320 + 10 + 12
    assert "ValueError" in probe(arm("own_net.py:raising")).mistake
    answers = ft.run(study, seeds=3, workers=1)
    assert answers["Q"].accuracy.seeds == 3
    assert answers["Q"].accuracy.caveats == ()
    assert [one.parameters for one in answers.arms][:2] == [6382, 25462]
    assert ft.write_report(answers, "own.html").stat().st_size > 10_000
    shown = str(ft.show(study, "wide")).replace("\\", "")  # Markdown
    assert "own_net.py:build(width=32)" in shown
    assert "body.1 (Linear)" in shown
    assert ft.rerun(answers.arms[0].trials[0].key).equal
    failing = ft.run(
        ft.Study(arms={"bad": {"network": "own_net.py:raising", "data": FEW}}), seeds=1, workers=1
    )
    assert failing.arms[0].trials == ()


def test_epochs_of_it_are_told_like_any_others(folder: Path) -> None:
    """Searches stop what is hopeless by them."""
    steps = [
        step for step in train(trial(), open_data("mnist"), provenance={}) if isinstance(step, EpochRecord)
    ]
    assert [step.epoch for step in steps] == [1, 2]
