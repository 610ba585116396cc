"""`fairtrial predict`: pictures of any kind go in; what comes out is what the network says of what it saw."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from fairtrial.cli.app import app
from fairtrial.data import catalog
from fairtrial.engine.exporting.batches import in_unit
from fairtrial.errors import DataError, FairtrialError
from fairtrial.images.facts import MNIST, DatasetFacts, Source
from fairtrial.images.pictures import read_any
from fairtrial.models import exporting, predicting, reading, verbs
from fairtrial.store import Store

pillow = pytest.importorskip("PIL.Image")


def saved(pixels: np.ndarray, path: Path, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pillow.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture(scope="session")
def files(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of one seed and an ensemble of three, in two formats."""
    folder = tmp_path_factory.mktemp("exported")
    wanted = {"one": ("1", "safetensors"), "onnx": ("1", "onnx"), "three": ("ensemble", "safetensors")}
    found: dict[str, Path] = {}
    for name, (seed, format) in wanted.items():
        if format == "onnx":
            pytest.importorskip("onnxruntime")
        out = folder / f"{name}.{format}"
        verbs.export(trained.study, "mlp", seed=seed, format=format, out=out, store=trained.store)
        found[name] = out
    return found


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Test images in class folders, and what may lie beside them."""
    folder = tmp_path_factory.mktemp("pictures")
    data = catalog.load("mnist")
    for place in range(30):
        label = int(data.test_labels[place])
        saved(data.test_images[place, ..., 0], folder / str(label) / f"{place}.png")
    (folder / "notes.txt").write_text("what these are")
    (folder / "thumbs").mkdir()
    return folder


def predict(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["predict", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def test_a_test_image_saved_as_a_picture_is_told_as_the_store_has_it(
    files: dict[str, Path], trained: Any, pictures: Path
) -> None:
    """The same bytes reach the network; the figures a reader knows are those of this very model."""
    code, text, said = predict(files["one"], pictures, "--json")
    assert code == 0, said
    told = json.loads(text)["pictures"]
    card = reading.open_file(files["one"]).card
    with Store.open(trained.store) as store:
        stored = store.predictions(card.keys[0])
    assert stored is not None
    data = catalog.load("mnist")
    direct = reading.open_file(files["one"]).predict(in_unit(data.test_images[:30]))
    assert len(told) == 30
    for one in told:
        place = int(Path(one["picture"]).stem)
        row = [one["probabilities"][name] for name in card.classes]
        assert np.abs(np.array(row) - direct[place]).max() < 1e-6
        assert one["answer"] == str(stored.classes[place]) or max(row) - sorted(row)[-2] < 0.05
        assert (one["done"] == ["as it is"] and one["warnings"] == []) or one["probability"] < 0.6
        # Stored in steps of 1/65535, and perhaps of products in bfloat16.
        assert abs(one["probabilities"][str(stored.classes[place])] - stored.probabilities[place]) < 0.05
        assert one["right"] == (one["answer"] == Path(one["picture"]).parent.name)
        assert one["top"][0] == {"answer": one["answer"], "probability": one["probability"]}
        assert one["runner_up"] == one["top"][1] and one["agreement"] is None


def test_a_folder_of_class_folders_has_an_accuracy_and_its_strangers_are_named(
    files: dict[str, Path], pictures: Path
) -> None:
    """In the order of the names, 2 before 10; what is no picture is skipped, and said to be."""
    _, text, said = predict(files["one"], pictures, "--json")
    told = json.loads(text)
    right = sum(one["right"] for one in told["pictures"])
    assert told["accuracy"] == {"right": right, "of": 30, "share": right / 30}
    assert "notes.txt" in said and "thumbs (a folder, and no class of the model)" in said
    assert told["skipped"] and all("notes.txt" in one or "thumbs" in one for one in told["skipped"])
    labels = [Path(one["picture"]).parent.name for one in told["pictures"]]
    assert labels == sorted(labels)
    _, text, _ = predict(files["one"], pictures)
    assert f"{right} of 30 pictures in class folders are told right" in " ".join(text.split())


def test_one_bad_picture_stops_no_other_and_the_exit_status_tells(
    files: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    """A folder of a hundred scans has a broken one; who calls this from a script must hear of it."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    (tmp_path / "text.jpg").write_text("no picture")
    saved(np.zeros((50, 40), np.uint8), tmp_path / "z.png")
    code, text, said = predict(
        files["one"], tmp_path, "nowhere.png", next(pictures.glob("*/1.png")), "--json"
    )
    assert code == 2
    told = json.loads(text)["pictures"]
    assert [one["error"] is None for one in told] == [False, False, True, False, True]
    assert "not an undamaged image" in told[0]["error"] and "No such file" in told[3]["error"]
    assert told[2]["answer"] is None and told[2]["warnings"] == ["nothing is drawn on it"]
    assert said.count("fairtrial: ") == 3


def test_an_ensemble_says_how_far_its_members_agree(files: dict[str, Path], pictures: Path) -> None:
    """The mean may be sure of what one in three denies."""
    _, text, _ = predict(files["three"], pictures, "--json", "--top", 3)
    told = json.loads(text)["pictures"]
    for one in told:
        assert [member["seed"] for member in one["members"]] == [1, 2, 3]
        same = sum(member["answer"] == one["answer"] for member in one["members"])
        assert one["agreement"] == same / 3
        assert len(one["top"]) == 3
    _, text, _ = predict(files["three"], next(pictures.glob("*/0.png")))
    assert "agree" in text and " of 3" in text


def test_an_ensemble_in_onnx_tells_its_members_apart(trained: Any, tmp_path: Path) -> None:
    """Its graph gives their mean alone; what the mean is of is found in it."""
    pytest.importorskip("onnxruntime")
    out = tmp_path / "e.onnx"
    verbs.export(trained.study, "mlp", seed="ensemble", format="onnx", out=out, store=trained.store)
    images = in_unit(catalog.load("mnist").test_images[:7])
    opened = reading.open_file(out)
    assert opened.members is not None
    members = opened.members(images)
    assert members.shape == (7, 10, 3)
    assert np.abs(members.mean(-1) - opened.predict(images)).max() < 1e-6
    assert np.ptp(members, axis=-1).max() > 0.01


def test_straight_from_the_store_it_is_the_same(files: dict[str, Path], trained: Any, pictures: Path) -> None:
    """`STUDY:ARM` needs no file; which seed is said as for `export`."""
    picture = next(pictures.glob("*/3.png"))
    _, direct, _ = predict(f"{trained.file}:mlp", picture, "--seed", 1, "--store", trained.store, "--json")
    _, filed, _ = predict(files["one"], picture, "--json")
    assert json.loads(direct)["pictures"] == json.loads(filed)["pictures"]


def test_what_the_network_saw_can_be_looked_at(
    files: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    """A name for each, after where it lay, and nothing that was given is overwritten."""
    given = tmp_path / "given"
    ink = np.full((90, 60), 255, np.uint8)
    ink[10:70, 25:35] = 0
    for place in ("1/a.png", "7/a.png", "b.png"):
        saved(ink, given / place)
    _, text, _ = predict(files["one"], given, "--save-inputs", given, "--json")
    seen = [Path(one["seen"]) for one in json.loads(text)["pictures"]]
    assert [one.name for one in seen] == ["1-a.png.seen.png", "7-a.png.seen.png", "b.png.seen.png"]
    for one in seen:
        image = np.asarray(pillow.open(one))
        assert image.shape == (28, 28) and image.max() == 255 and image[0].max() == 0
    assert np.asarray(pillow.open(given / "b.png")).shape == (90, 60)


def test_the_table_tells_answer_probability_runner_up_and_what_was_done(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Black on white was turned; one who sees a wrong answer looks there first."""
    ink = np.full((120, 100), 255, np.uint8)
    ink[20:90, 40:52] = 0
    monkeypatch.chdir(tmp_path)
    code, text, _ = predict(files["one"], saved(ink, Path("one.png")))
    flat = " ".join(text.split())
    assert code == 0
    assert "Arm mlp of small, seed 1, trained on mnist." in flat
    assert "runner-up" in flat and "inverted; cropped to 12 x 70" in flat
    code, text, _ = predict(files["one"], "one.png", "--invert", "no", "--top", 1)
    assert "inverted" not in text and "runner-up" not in text


ODD: list[tuple[str, dict[str, Any], str]] = [
    ("RGBA", {"format": "PNG"}, "laid on white"),
    ("P", {"format": "PNG"}, ""),
    ("1", {"format": "PNG"}, ""),
    ("I;16", {"format": "PNG"}, "made 8 bits"),
    ("I;16", {"format": "TIFF"}, "made 8 bits"),
    ("F", {"format": "TIFF"}, "made 8 bits"),
    ("CMYK", {"format": "JPEG"}, "made RGB"),
    ("L", {"format": "WEBP", "quality": 90}, ""),
    ("L", {"format": "BMP"}, ""),
    ("L", {"format": "JPEG", "exif": 6}, "turned upright"),
    ("P", {"format": "GIF", "save_all": True}, "the first of 2 images taken"),
]


@pytest.mark.parametrize(("mode", "how", "said"), ODD, ids=lambda one: str(one)[:40])
def test_a_picture_of_any_kind_is_the_same_digit(
    mode: str, how: dict[str, Any], said: str, files: dict[str, Path], tmp_path: Path
) -> None:
    """A 7 as programs and telephones save it: transparent, of 16 bits, on its side, moving."""
    strokes = np.full((160, 120), 255, np.uint8)
    strokes[30:42, 30:90] = 0
    for row in range(42, 130):
        strokes[row, 78 - (row - 42) // 3 : 90 - (row - 42) // 3] = 0
    how = dict(how)
    if mode == "I;16":
        image = pillow.fromarray(strokes.astype(np.uint16) * 257)
    elif mode == "F":
        image = pillow.fromarray(strokes.astype(np.float32) / 255)
    elif mode == "RGBA":
        image = pillow.fromarray(np.dstack([np.zeros((160, 120, 3), np.uint8), 255 - strokes]))
    else:
        image = pillow.fromarray(strokes).convert(mode)
    if how.get("exif"):
        about = pillow.Exif()
        about[0x0112] = how["exif"]
        how["exif"] = about
        image = image.transpose(pillow.Transpose.ROTATE_90)
    if how.get("save_all"):
        how["append_images"] = [pillow.new("P", image.size, 7)]
    plain = saved(strokes, tmp_path / "plain.png")
    image.save(tmp_path / "odd", **how)
    opened = reading.open_file(files["one"])
    found = predicting.predict(opened, [plain, tmp_path / "odd"], model="it")
    (before, after) = found.read
    assert np.abs(np.array([share for _, share in before.ranked]) - [dict(after.ranked)[n] for n, _ in before.ranked]).max() < 0.05  # fmt: skip
    assert (said in after.done) if said else True
    assert after.box is not None and before.box is not None
    assert np.abs(np.array(after.box) - before.box).max() <= 2


def test_huge_pictures_are_made_smaller_and_bombs_refused(tmp_path: Path) -> None:
    """A large photograph is a picture like any other; four hundred million pixels in a small file are none."""
    saved(np.full((3000, 4000), 200, np.uint8), tmp_path / "photo.jpg")
    photo = read_any(tmp_path / "photo.jpg")
    assert photo.size == (3000, 4000) and max(photo.pixels.shape) <= 1280 and "averaged down" in photo.done
    pillow.new("1", (20_000, 20_000)).save(tmp_path / "bomb.png")
    with pytest.raises(DataError, match=r"bomb\.png: "):
        read_any(tmp_path / "bomb.png")


def test_models_that_are_none_are_refused_with_what_to_do(
    files: dict[str, Path], trained: Any, pictures: Path, tmp_path: Path
) -> None:
    """Somebody gives the picture first, a folder, a study without an arm, another program's file."""
    picture = next(pictures.glob("*/0.png"))
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes(b"\x08\x08")
    (tmp_path / "net.onnx").write_bytes(files["onnx"].read_bytes())
    for model, said in (
        (picture, "it is no model, going by its name"),
        (tmp_path, "it is a folder; give the model's file itself (foreign.onnx, net.onnx)"),
        ("nosuch.onnx", "there is no such file; `fairtrial export STUDY ARM --format onnx` makes one"),
        ("width", "width is a study; say which arm's network: width:width-50, width:width-200, width:width-1000"),
        ("nothing", "neither a file that `fairtrial export` wrote"),
        (foreign, "only files that `fairtrial export` wrote can be opened here"),
        ("width:nosuch", "has no arm 'nosuch'"),
    ):  # fmt: skip
        code, _, error = predict(model, picture, "--store", tmp_path / "none.db")
        code, _, error = predict(model, picture) if "is a file and holds" in error else (code, "", error)
        assert code == 2 and said in " ".join(error.split()), error
    code, _, error = predict(files["one"], picture, "--seed", 2)
    assert code == 2 and "--seed, --set and --store are for STUDY:ARM" in error


def test_a_model_of_other_images_only_scales_and_says_so(files: dict[str, Path], pictures: Path) -> None:
    """The card decides, never the look of the picture."""
    opened = reading.open_file(files["one"])
    other = replace(
        opened, card=replace(opened.card, prepare="resize", dataset="things", light_on_dark=False)
    )
    (one,) = predicting.predict(other, [next(pictures.glob("*/0.png"))], model="it").read
    assert one.done == ("as it is",) and one.box is None
    wide = replace(opened, card=replace(opened.card, input_shape=(32, 32, 3), prepare="resize"))
    with pytest.raises(FairtrialError, match="it takes images of 32 x 32 x 3"):
        predicting.predict(wide, [], model="it", prepare="mnist")


@pytest.mark.parametrize(
    ("facts", "prepare"),
    [
        (MNIST, "mnist"),
        (replace(MNIST, fingerprint="0" * 64, name="mnist", source=Source(dataset="/home/me/mnist")), "resize"),
        (replace(MNIST, fingerprint="1" * 64, name="qmnist", source=Source(dataset="qmnist")), "mnist"),
        (replace(MNIST, fingerprint="1" * 64, source=Source(dataset="emnist_letters")), "emnist"),
        (replace(MNIST, fingerprint="1" * 64, source=Source(dataset="mnist", size=(32, 32))), "resize"),
        (replace(MNIST, fingerprint="1" * 64, source=None), "resize"),
    ],
)  # fmt: skip
def test_the_card_says_how_pictures_are_prepared_by_the_data_and_not_by_its_name(
    facts: DatasetFacts, prepare: str
) -> None:
    """A folder that somebody called mnist may hold anything."""
    assert exporting._preparation(facts) == prepare


def test_an_onnx_file_is_asked_without_torch(files: dict[str, Path], pictures: Path) -> None:
    """It takes longer to import than all the rest takes together, in either of the two processes."""
    program = (
        "import sys; from typer.testing import CliRunner; from fairtrial.cli.app import app\n"
        f"done = CliRunner().invoke(app, ['predict', {str(files['onnx'])!r}, {str(next(pictures.glob('*/0.png')))!r}])\n"
        "assert done.exit_code == 0, done.output\n"
        "import fairtrial.engine.exporting.running\n"
        "print('torch' in sys.modules, 'scipy.stats' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    assert done.stdout.split() == ["False", "False"], done.stdout + done.stderr


PAGE = Path(__file__).parents[2] / "docs" / "models.md"
COMMANDS = [
    line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("fairtrial predict ")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_examples_of_the_page_work(
    line: str,
    files: dict[str, Path],
    trained: Any,
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As they stand there, with a smaller network."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(files["onnx"], "width-200-seed-2.onnx")
    shutil.copy(next(pictures.glob("7/*.png")), "seven.png")
    shutil.copytree(pictures, "digits")
    words = line.replace("width:width-200", f"{trained.file}:mlp --store {trained.store}").split()[2:]
    code, text, said = predict(*words)
    assert code == 0 and text, said
    if "--save-inputs" in words:
        assert len(list(Path("seen").iterdir())) == 30


def test_the_json_of_the_page_has_the_fields_that_there_are(files: dict[str, Path], pictures: Path) -> None:
    """Programs are written after it."""
    (example,) = re.findall(
        r"^```json\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    _, text, _ = predict(files["one"], next(pictures.glob("*/0.png")), "--json")
    (told,) = json.loads(text)["pictures"]
    assert list(json.loads(example)) == list(told)
