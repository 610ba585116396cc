"""`fairtrial data`, and `--set data.dataset=...` on every command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sixty images of five by four pixels in an .npz file."""
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FAIRTRIAL_OFFLINE", "1")
    images = np.random.default_rng(1).integers(0, 256, (60, 5, 4), dtype=np.uint8)
    images[7] = images[3]
    np.savez(tmp_path / "some.npz", images=images, labels=np.arange(60) % 3)
    return tmp_path / "some.npz"


def test_the_catalogue_is_listed(fairtrial, digits) -> None:
    done = fairtrial("data", "list", "--json")
    names = {one["name"]: one for one in json.loads(done.stdout)}
    assert names["mnist"]["here"] and not names["kmnist"]["here"]
    assert names["cifar10"]["files"][0]["checksum"].startswith("sha256:c4a38c50")
    assert "fashion_mnist" in fairtrial("data", "list").stdout


@pytest.mark.parametrize("columns", ["50", "80", "120"])
def test_the_catalogue_is_whole_in_a_narrow_terminal(fairtrial, digits, monkeypatch, columns: str) -> None:
    """Titles give way, figures do not: at eighty columns a table of names alone would be left."""
    monkeypatch.setenv("COLUMNS", columns)
    shown = fairtrial("data", "list").stdout
    about = shown[shown.index("emnist_balanced") :]
    about = about[: about.index("emnist_byclass")]
    assert all(figure in about for figure in ("112,800", "18,800", "28 x 28", "47", "561.8 MB"))


def test_what_is_not_in_the_catalogue_or_not_here_is_said(fairtrial, digits) -> None:
    done = fairtrial("data", "get", "minst")
    assert done.exit_code == 2 and "'minst' is no data set of the catalogue; it has mnist, " in done.stderr
    done = fairtrial("data", "get", "kmnist")
    assert (
        done.exit_code == 2
        and "FAIRTRIAL_OFFLINE is set" in done.stderr
        and "t10k-labels-idx1-ubyte.gz (5,120 bytes, SHA-256 20bb" in done.stderr
    )
    done = fairtrial("data", "info", "kmnist")
    assert done.exit_code == 0 and "fairtrial data get kmnist downloads it (21.2 MB)" in done.stdout
    done = fairtrial("data", "info", "nowhere")
    assert done.exit_code == 2 and "there is no such file or folder" in done.stderr
    done = fairtrial("data", "info", "./mnist")
    assert "without a folder before it 'mnist' is the data set of the catalogue. The" in done.stderr


def test_info_says_what_was_made_of_a_file(fairtrial, digits) -> None:
    done = fairtrial("data", "info", "some.npz")
    assert "some.npz: 48 training and 12 test images of 5 x 4, 3 classes" in done.stdout
    assert "it has no test part; 12 of its 60 images were set apart" in done.stdout
    facts = json.loads(
        fairtrial("data", "info", "some.npz", "--colour", "rgb", "--size", "8x6", "--json").stdout
    )["facts"]
    assert facts["input_shape"] == [8, 6, 3]
    for option, value in (("--size", "big"), ("--test", "2"), ("--highest", "0")):
        done = fairtrial("data", "info", "some.npz", option, value)
        assert done.exit_code == 2 and option in done.stderr


def test_inspect_prints_and_writes_what_it_found(fairtrial, digits, tmp_path) -> None:
    done = fairtrial("data", "inspect", "some.npz", "--html", "page.html", "--png", "sheet.png")
    assert done.exit_code == 0
    assert "exact duplicates: 1 (0 across training and test images, 1 with different labels)" in done.stdout
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/png;base64,") > 20 and "Candidates for wrong labels" in page
    assert "<script" not in page
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(fairtrial("data", "inspect", "some.npz", "--json").stdout)
    assert told["exact_duplicates"]["count"] == 1
    assert fairtrial("data", "inspect", "some.npz", "--html", "page.txt").exit_code == 2
    assert fairtrial("data", "inspect", "some.npz", "--png", "sheet.jpg").exit_code == 2


def test_the_duplicates_that_spoil_figures_come_first(fairtrial, digits, tmp_path) -> None:
    """Of many, five are shown: those across training and test images must be among them."""
    images = np.random.default_rng(2).integers(0, 256, (80, 5, 4), dtype=np.uint8)
    images[10:20] = images[:10]
    images[70] = images[30]
    labels = np.arange(80) % 2
    np.savez(
        tmp_path / "twice.npz",
        x_train=images[:70],
        y_train=labels[:70],
        x_test=images[70:],
        y_test=labels[70:],
    )
    lines = fairtrial("data", "inspect", "twice.npz").stdout.splitlines()
    first = next(
        place for place, line in enumerate(lines) if line.startswith("exact duplicates: 11 (1 across")
    )
    assert lines[first + 1].strip() == "test image 0 (0) and train image 30 (0)"


def test_saved_arrays_are_the_same_data(fairtrial, digits, tmp_path) -> None:
    """What a Keras program reads is what was learnt from here."""
    assert fairtrial("data", "save", "some.npz", "again.npz").exit_code == 0
    one, other = (
        json.loads(fairtrial("data", "info", name, "--json").stdout)["facts"]["fingerprint"]
        for name in ("some.npz", "again.npz")
    )
    assert one == other
    assert fairtrial("data", "save", "some.npz", "again.txt").exit_code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("check", "width"), ("run", "width", "--seeds", "3"), ("status", "width"), ("show", "width"), ("answers", "width"),
        ("show", "width", "--code"), ("report", "width", "--markdown", "some.md"),
    ],
    ids=lambda words: "-".join(words[:1]),
)  # fmt: skip
def test_every_command_takes_the_path_of_a_data_set(fairtrial, digits, words) -> None:
    done = fairtrial(*words, "--set", "data.dataset=some.npz", "--set", "data.validation=10")
    assert done.exit_code == 0, done.stderr


def test_ask_takes_it_and_the_file_it_saves_means_the_same_elsewhere(
    fairtrial, digits, tmp_path, monkeypatch
) -> None:
    settings = ("--set", "data.dataset=some.npz", "--set", "data.validation=10")
    done = fairtrial("ask", "network.mlp.width", "5", "9", *settings, "--save", "asked.yaml")
    assert done.exit_code == 0, done.stderr
    assert "note: some.npz: it has no test part; 12 of its 60 images were set apart" in done.stderr
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert fairtrial("check", "../asked.yaml").exit_code == 0


def test_a_path_in_a_file_is_relative_to_the_file_and_of_set_to_the_folder_one_is_in(
    fairtrial, digits, tmp_path, monkeypatch
) -> None:
    (tmp_path / "own").mkdir()
    digits.rename(tmp_path / "own" / "some.npz")
    study = tmp_path / "own" / "study.yaml"
    study.write_text("schema: fairtrial/1\nname: own\ndata: {dataset: some.npz}\narms: {a: {}}\n")
    assert fairtrial("check", "own/study.yaml").stdout.startswith("own: no mistakes")
    done = fairtrial("check", "own/study.yaml", "--set", "data.dataset=some.npz")
    assert (
        done.exit_code == 2
        and f"--set data.dataset=some.npz: data: {tmp_path}/some.npz: there is no such file"
        in done.stderr.replace("base: ", "")
    )
    assert fairtrial("check", "own/study.yaml", "--set", "data.dataset=own/some.npz").exit_code == 0


def test_claims_about_other_data_are_not_held_against_it_in_silence(fairtrial, digits) -> None:
    done = fairtrial("check", "width", "--set", "data.dataset=some.npz", "--set", "data.validation=10")
    assert "of which nobody claimed them" in " ".join(done.stdout.split())
