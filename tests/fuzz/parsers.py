"""Everything of fairtrial that reads what somebody gave it, each with whole inputs to begin from."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import fake_executor  # pyright: ignore[reportMissingImports]
import keras_models  # pyright: ignore[reportMissingImports]
import model_files
import numpy as np
import store_samples  # pyright: ignore[reportMissingImports]
import torch
from PIL import Image
from safetensors.numpy import save_file

import fairtrial as ft
from fairtrial import bounded, runner
from fairtrial.analysis.replaying import replay_store
from fairtrial.cli.comparing import compare_files, compare_groups
from fairtrial.comparison import margins
from fairtrial.comparison.judging import rules_from
from fairtrial.durations import seconds_in
from fairtrial.engine import checkpoint
from fairtrial.engine.machine import machine, processor
from fairtrial.engine.saved_weights import fingerprint, read_weights
from fairtrial.images import cache, idx, known, opening
from fairtrial.images.facts import MNIST, Source
from fairtrial.images.pictures import read_any
from fairtrial.models.preparing.prepared import prepared
from fairtrial.pair import ArmTimes, PairTimes
from fairtrial.store import Claim, Proposal, Store
from fairtrial.store.integrity import inspect
from fairtrial.study import asking, studyfile
from fairtrial.study.check import findings
from fairtrial.study.schema import Question, Seeds, Study
from fairtrial.study.shapes import arm_facts
from fairtrial.trial import EpochRecord, Lost, Progress, Ready, Started
from fairtrial.wire import Hurdle, Order, TimingOrder, decode_event, decode_order, encode_event, encode_order

HERE = Path(__file__).parent
EXAMPLE = (HERE.parent / "study" / "interface.yaml").read_bytes()
WORDS = tuple(
    word.encode()
    for word in (
        "schema: fairtrial/1", "arms:", "base:", "questions:", "network:", "layers:", "mlp:", "optimizer:", "learning_rate:",
        "{cosine: {initial: 0.1}}", "conv:", "dense:", "from:", "search:", "retune:", "combine:", "claims:", "published:",
        "seeds:", "margins:", "data:", "augment:", "early_stopping:", "network.layers.0.kernel:", "factors:", "metrics:",
    )
)  # fmt: skip

Read = Callable[[bytes, Path], object]
Begin = Callable[[Path], Sequence[bytes]]


@dataclass(frozen=True, kw_only=True)
class Parser:
    """`read` takes an input and a folder of its own; it returns, or raises a FairtrialError.

    `begin` gives whole inputs, which must be accepted. `file` is where `read` puts its input, to be put in its place
    as a pipe, a folder or a device. `silent`: what is no use is left alone without an error, as documented.
    """

    name: str
    reads: str
    begin: Begin
    read: Read
    words: Sequence[bytes] = ()
    file: str = ""
    silent: bool = False
    bombs: Callable[[], Iterable[tuple[str, bytes]]] = field(default=tuple)


PLACED: set[Path] = set()
"""Where something else than the input stands, to be read in its place."""

# --- studies


def _study(content: bytes, folder: Path) -> None:
    _put(folder / "study.yaml", content)
    study = studyfile.load(folder / "study.yaml")
    for arm in study.arms.values():
        arm_facts(arm)
    findings(study)


def _studies(folder: Path) -> list[bytes]:
    built_in = [(studyfile.BUILTIN / f"{name}.yaml").read_bytes() for name in studyfile.builtin_names()]
    return [EXAMPLE, *built_in, b"schema: fairtrial/1\narms: {a: {}, b: {epochs: 2}}\n"]


def _study_bombs() -> Iterable[tuple[str, bytes]]:
    head, most = b"schema: fairtrial/1\n", studyfile.LARGEST_FILE_BYTES - 100
    laughs = b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 30)
    )
    yield "a billion laughs", head + b"a0: &a0 [ha, ha]\n" + laughs
    yield (
        "a billion keys",
        head
        + b"k0: &k0 {x: 1}\n"
        + b"".join(
            b"k%d: &k%d {%s}\n" % (n, n, b", ".join(b"x%d: *k%d" % (i, n - 1) for i in range(10)))
            for n in range(1, 30)
        ),
    )
    yield "an anchor within itself", head + b"arms: &a {x: *a}\n"
    yield "one line", head + b"name: " + b"x" * most
    yield "one key", head + b"x" * most + b": 1\n"
    yield "one number", head + b"confidence: " + b"9" * most
    yield "one quoted text", head + b'name: "' + b"\\x41" * (most // 4) + b'"\n'
    yield "many arms", head + b"arms:\n" + b"".join(b"  a%d: {}\n" % n for n in range(most // 14))
    yield (
        "a chain of arms",
        head
        + b"arms:\n  a0: {}\n"
        + b"".join(b"  a%d: {from: a%d}\n" % (n, n - 1) for n in range(1, most // 26)),
    )
    yield (
        "many questions",
        head
        + b"arms: {a: {}, b: {epochs: 2}}\nquestions:\n"
        + b"".join(b"- {id: Q%d, variant: b, baseline: a}\n" % n for n in range(most // 40)),
    )
    yield (
        "many layers",
        head + b"base: {network: {layers: [" + b"flatten, " * (most // 10) + b"]}}\narms: {a: {}}\n",
    )
    yield "many mistakes", head + b"arms:\n  a:\n" + b"".join(b"    x%d: 1\n" % n for n in range(most // 14))
    yield "large numbers", head + b"arms: {a: {network: {mlp: {width: 1000000, depth: 1000000}}}}\n"
    for name, piece in (
        ("brackets", b"["), ("braces", b"{"), ("dashes", b"- "), ("question marks", b"? "), ("colons", b"a: "), ("anchors", b"&a "),
        ("tags", b"!a "), ("directives", b"%TAG ! a\n"), ("quotes", b"''"), ("comments", b"#a\n"), ("pipes", b"|\n"), ("words", b"a "),
        ("documents", b"---\n"), ("commas", b","), ("lines", b"a\n"), ("pairs", b"a: b, "), ("deep mapping", b"[a, {b: "),
    ):  # fmt: skip
        yield f"nothing but {name}", piece * (most // len(piece))
        yield f"a flow of {name}", head + b"arms: {" + piece * (most // len(piece))
    yield "ever deeper", b"".join(b" " * n + b"a:\n" for n in range(700))


def _set(content: bytes, folder: Path) -> None:
    (folder / "small.yaml").write_text(
        "schema: fairtrial/1\narms: {a: {}, width-200: {epochs: 2}}\nquestions: [{id: Q1-200, variant: width-200, baseline: a}]\n"
    )
    studyfile.load(folder / "small.yaml", sets=content.decode("utf-8", "surrogateescape").split("\0"))


def _sets(folder: Path) -> list[bytes]:
    del folder
    return [
        b"epochs=2", b"data.split=reshuffled", b"arms.width-200.epochs=3", b"network={layers: [flatten, {dense: {units: 3}}]}",
        b"questions.Q1-200.goal=not_worse", b"seeds.max=10", b"optimizer={name: sgd, momentum: 0.5}", b"margins.accuracy=0.2pp",
    ]  # fmt: skip


def _asked(content: bytes, folder: Path) -> None:
    del folder
    path, *values = content.decode("utf-8", "surrogateescape").split("\n")
    asking.ask(path, asking.values_from_text(path, values))


def _questions(folder: Path) -> list[bytes]:
    del folder
    return [
        b"network.mlp.width\n50\n200",
        b"optimizer.learning_rate\n0.001\n{cosine: {initial: 0.01}}",
        b"epochs\n1\n2",
    ]


def _amount(content: bytes, folder: Path) -> None:
    """A margin, then a length of time."""
    del folder
    margin, _, time = content.decode("utf-8", "surrogateescape").partition("\n")
    margins.read(margin)
    seconds_in(time)


# --- numbers of other programs


def _table(content: bytes, folder: Path) -> None:
    _put(folder / "A.csv", content)
    (folder / "B.csv").write_text("seed,acc\n1,0.9\n2,0.91\n3,0.92\n4,0.9\n")
    rules = rules_from(margin=None)
    errors: list[ft.FairtrialError] = []
    for compared in (
        partial(compare_files, str(folder / "A.csv"), str(folder / "B.csv"), metric=None, rules=rules),
        partial(
            compare_groups,
            str(folder / "A.csv"),
            by="lr",
            baseline="0.1",
            variants=(),
            metric="acc",
            rules=replace(rules, unpaired=True),
        ),
    ):
        try:
            compared()
        except ft.FairtrialError as error:
            errors.append(error)
    if len(errors) == 2:
        raise errors[0]


def _tables(folder: Path) -> list[bytes]:
    del folder
    return [
        b"seed,acc\n1,0.93\n2,0.94\n3,0.95\n", b"\xef\xbb\xbfseed;acc\r\n1;0.93\r\n2;nan\r\n3;0.95\r\n",
        b"lr,seed,acc\n0.1,1,0.9\n0.1,2,0.91\n0.1,3,0.92\n0.2,1,0.95\n0.2,2,0.94\n0.2,3,0.93\n", b'seed\tacc\n"1"\t0.9\n2\t"0.95"\n3\t9e-1\n',
    ]  # fmt: skip


def _table_bombs() -> Iterable[tuple[str, bytes]]:
    yield "many rows", b"seed,acc\n" + b"".join(b"%d,0.9\n" % n for n in range(1_300_000))
    yield "many short rows", b"x\n" + b"1\n" * 7_000_000
    yield "many columns", b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n"
    yield (
        "columns as allowed",
        b",".join(b"c%d" % n for n in range(9_999)) + b"\n" + b",".join([b"1"] * 9_999) + b"\n",
    )
    yield "columns alike", b"a," * 9_999 + b"a\n1\n"
    yield "one cell", b"seed,acc\n1," + b"9" * 10_000_000 + b"\n"
    yield "cells as long as allowed", b"seed,acc\n" + b"1," + b"9" * 130_000 + b"\n"
    yield "one open quote", b'seed,acc\n1,"' + b"x\n" * 7_000_000
    yield "empty lines", b"seed,acc\n" + b"\n" * 15_000_000
    yield "too large", b"0" * 17_000_000
    yield "every row a group", b"lr,acc\n" + b"".join(b"%d,0.9\n" % n for n in range(400_000))
    yield "ragged", b"seed,acc\n" + b"1\n" * 900_000
    yield "commas", b"," * 9_000_000


# --- images


def _array(content: bytes, folder: Path, *, dimensions: int = 3) -> None:
    _put(folder / "images.gz", content)
    idx.read_array(folder / "images.gz", dimensions=dimensions)


def _packed_array(content: bytes, folder: Path) -> None:
    """Damage beneath the checksum, which a mere change of the file never reaches."""
    _array(gzip.compress(content, 1, mtime=0), folder)


def _idx(*sizes: int, content: bytes = b"") -> bytes:
    return bytes((0, 0, 8, len(sizes))) + struct.pack(f">{len(sizes)}I", *sizes) + content


def _array_bombs() -> Iterable[tuple[str, bytes]]:
    yield "a gigabyte of zeros", _swelling(_idx(2, 3, 4), 2**30)
    yield "as large as it says", _swelling(_idx(2**20, 32, 31), 2**20 * 32 * 31)
    yield "sizes beyond all memory", gzip.compress(_idx(2**32 - 1, 2**32 - 1, 2**32 - 1))
    yield "a terabyte announced", gzip.compress(_idx(2**20, 2**10, 2**10))
    yield "a product that overflows to little", gzip.compress(_idx(2**22, 2**21, 2**21) + bytes(24))
    yield "no images", gzip.compress(_idx(0, 28, 28))


def _swelling(start: bytes, zeros: int) -> bytes:
    stream = zlib.compressobj(1, wbits=31)
    piece = bytes(2**20)
    return b"".join(
        [stream.compress(start), *(stream.compress(piece) for _ in range(zeros // 2**20)), stream.flush()]
    )


def _cached(content: bytes, folder: Path) -> object:
    place = folder / "cache" / "mine"
    place.mkdir(parents=True, exist_ok=True)
    for name in cache.ARRAYS:
        _put(place / f"{name}.npy", content)
    os.environ["FAIRTRIAL_CACHE"] = str(folder / "cache")
    found = cache.read("mine")
    return found and {name: array.shape for name, array in found.items()}


def _arrays(folder: Path) -> list[bytes]:
    np.save(folder / "one.npy", np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1), allow_pickle=False)
    np.save(folder / "two.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return [(folder / "one.npy").read_bytes(), (folder / "two.npy").read_bytes()]


def _npy_bombs() -> Iterable[tuple[str, bytes]]:
    def npy(header: bytes) -> bytes:
        return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header

    yield "a deep header", npy(b"(" * 100_000 + b")" * 100_000)
    yield "a header of parentheses", npy(b"{'descr': " + b"[" * 5000 + b"]" * 5000 + b"}\n")
    yield (
        "an endless header",
        npy(b"{'descr': '|u1', 'fortran_order': False, 'shape': (" + b"9" * 9000 + b",)}\n"),
    )
    yield "a header that is not there", b"\x93NUMPY\x02\x00\xff\xff\xff\x7f"
    yield (
        "a pickle",
        npy(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n") + b"cos\nsystem\n(S'true'\ntR.",
    )


# --- data sets somebody brings along


def _data_set(content: bytes, folder: Path, *, name: str) -> object:
    os.environ["FAIRTRIAL_CACHE"] = str(folder / "cache")
    _put(folder / name, content)
    return opening.facts_of(Source(dataset=str(folder / name)))


def _some(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(count * 20, dtype=np.uint8).reshape(count, 5, 4), np.arange(count) % 3


def _npz(folder: Path) -> list[bytes]:
    images, labels = _some()
    np.savez(folder / "one.npz", images=images, labels=labels)
    np.savez_compressed(
        folder / "two.npz",
        x_train=images / 255,
        y_train=labels + 1,
        x_test=images[:6] / 255,
        y_test=labels[:6] + 1,
    )
    return [(folder / f"{name}.npz").read_bytes() for name in ("one", "two")]


def _npz_bombs() -> Iterable[tuple[str, bytes]]:
    def packed(header: bytes, zeros: int) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            start = b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header
            with archive.open("images.npy", "w", force_zip64=True) as member:
                member.write(start)
                for _ in range(zeros // 2**20):
                    member.write(bytes(2**20))
            archive.writestr("labels.npy", start)
        return content.getvalue()

    large = b"{'descr': '|u1', 'fortran_order': False, 'shape': (1048576, 32, 31), }\n"
    yield "as large as it says", packed(large, 2**20 * 32 * 31)
    yield "sizes beyond all memory", packed(large.replace(b"32", b"32" * 9), 2**20)
    yield "words as long as memory", packed(large.replace(b"|u1", b"<U999999999"), 2**20)


def _npy(content: bytes, folder: Path) -> object:
    np.save(folder / "labels.npy", np.arange(12) % 3, allow_pickle=False)
    return _data_set(content, folder, name="images.npy")


def _one_npy(folder: Path) -> list[bytes]:
    images, _ = _some()
    np.save(folder / "one.npy", images, allow_pickle=False)
    np.save(folder / "two.npy", np.asfortranarray(images / 255), allow_pickle=False)
    return [(folder / "one.npy").read_bytes(), (folder / "two.npy").read_bytes()]


def _picture(content: bytes, folder: Path) -> object:
    """One image among others in class folders; it is scaled, so that its size is no complaint."""
    os.environ["FAIRTRIAL_CACHE"] = str(folder / "cache")
    whole = _pictures(folder)[0]
    for place in ("cat", "dog"):
        (folder / "pets" / place).mkdir(parents=True, exist_ok=True)
        for number in range(3):
            changed = Image.open(io.BytesIO(whole)).rotate(90 * number + (45 if place == "dog" else 0))
            changed.save(folder / "pets" / place / f"{number}.png")
    _put(folder / "pets" / "dog" / "some.png", content)
    source = Source(dataset=str(folder / "pets"), size=(6, 6), colour="rgb", background="black", test=0.3)
    return opening.facts_of(source)


def _pictures(folder: Path) -> list[bytes]:
    found: list[bytes] = []
    image = Image.fromarray(np.arange(15 * 12 * 3, dtype=np.uint8).reshape(15, 12, 3))
    for kind, mode in (
        ("PNG", "RGB"),
        ("JPEG", "RGB"),
        ("PNG", "P"),
        ("GIF", "P"),
        ("BMP", "L"),
        ("PPM", "RGB"),
        ("PNG", "RGBA"),
    ):
        content = io.BytesIO()
        image.convert(mode).save(content, kind)
        found.append(content.getvalue())
    return found


def _asked_picture(content: bytes, folder: Path) -> None:
    """A picture that a model is asked about: read, then laid out as MNIST's images are and as those of any other are."""
    _put(folder / "some.png", content)
    pixels = read_any(folder / "some.png").pixels
    prepared(pixels, preparation="mnist", shape=(28, 28, 1))
    prepared(pixels, preparation="resize", shape=(32, 32, 3))


def _asked_pictures(folder: Path) -> list[bytes]:
    """Those of data sets, and what these refuse: 16 bits, several frames, photographs on their side."""
    found = _pictures(folder)
    grey = Image.fromarray(np.arange(15 * 12, dtype=np.uint16).reshape(15, 12) * 300)
    turned = Image.Exif()
    turned[0x0112] = 6
    for kind, image, options in (
        ("PNG", grey, {}),
        ("TIFF", grey, {}),
        ("GIF", Image.new("P", (9, 9)), {"save_all": True, "append_images": [Image.new("P", (9, 9), 3)]}),
        ("JPEG", Image.new("CMYK", (20, 10), (9, 99, 9, 9)), {}),
        ("JPEG", Image.new("L", (20, 10), 77), {"exif": turned}),
        ("WEBP", Image.new("RGBA", (20, 10), (9, 9, 9, 99)), {}),
    ):
        content = io.BytesIO()
        image.save(content, kind, **options)
        found.append(content.getvalue())
    return found


def _asked_picture_bombs() -> Iterable[tuple[str, bytes]]:
    yield from _picture_bombs()
    content = io.BytesIO()
    Image.new("RGBA", (7_000, 7_000), (9, 9, 9, 99)).save(content, "PNG")
    yield "a transparent picture as large as allowed", content.getvalue()


def _picture_bombs() -> Iterable[tuple[str, bytes]]:
    content = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(content, "PNG")
    yield "four hundred million pixels", content.getvalue()
    content = io.BytesIO()
    Image.new("L", (4096, 4096)).save(content, "PNG")
    yield "as large as allowed", content.getvalue()
    yield "sizes beyond all memory", b"P6 999999999 999999999 255\n" + bytes(100)


def _known(content: bytes, folder: Path) -> object:
    os.environ["FAIRTRIAL_CACHE"] = str(folder / "cache")
    place = folder / "cache" / "known"
    place.mkdir(parents=True, exist_ok=True)
    _put(place / f"{MNIST.fingerprint}.json", content)
    return known.by_fingerprint(MNIST.fingerprint)


# --- notebooks and scripts


def _audited(content: bytes, folder: Path) -> None:
    """The same bytes as a notebook and as a script."""
    errors: list[ft.FairtrialError] = []
    for name in ("some.ipynb", "some.py"):
        _put(folder / name, content)
        try:
            ft.audit_file(folder / name)
        except ft.FairtrialError as error:
            errors.append(error)
    if len(errors) == 2:
        raise errors[0]


def _notebooks(folder: Path) -> list[bytes]:
    del folder
    script = "import numpy as np\nmodel.fit(x_train, y_train, validation_data=(x_test, y_test), epochs=5)\nprint(model.evaluate(x_test, y_test))\n"
    cell = {
        "cell_type": "code",
        "source": script.splitlines(keepends=True),
        "outputs": [{"output_type": "stream", "text": "0.98"}],
        "metadata": {},
    }
    return [
        json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(),
        script.encode(),
    ]


# --- what workers say


def _event(content: bytes, folder: Path) -> None:
    del folder
    decode_event(content.decode(errors="replace"))


def _order(content: bytes, folder: Path) -> None:
    del folder
    decode_order(content.decode(errors="replace"))


def _times() -> PairTimes:
    first, second = (store_samples.trial_of(1, width=width) for width in (50, 200))
    sides = [
        ArmTimes(
            arm_key=one.arm_key, arm_name=one.arm.name, train_seconds=1.5, fit_seconds=1.75, process_seconds=1.25, timed_steps=200, timed_seconds=0.5
        )
        for one in (first, second)
    ]  # fmt: skip
    return PairTimes(
        seed=1, first=sides[0], second=sides[1], machine="m", processor="p", device="cpu", load_average=None, other_load=0.5, seconds=3.5,
        provenance=store_samples.PROVENANCE,
    )  # fmt: skip


def _events(folder: Path) -> list[bytes]:
    del folder
    trial = store_samples.trial_of(1)
    record = EpochRecord(
        epoch=1, train_accuracy=0.9, train_loss=float("nan"), validation_accuracy=1, validation_loss=0.1, train_seconds=0.1, validation_seconds=0.1
    )  # fmt: skip
    events = (
        Ready(), Started(key=trial.key, worker=1), Progress(key=trial.key, record=record, epochs=5), store_samples.finished(trial, epochs=2, images=6),
        Lost(key=trial.key, state="failed", reason="x", retry=False), store_samples.diverged(trial), _times(),
    )  # fmt: skip
    return [encode_event(event).encode() for event in events]


def _orders(folder: Path) -> list[bytes]:
    del folder
    first, second = (store_samples.trial_of(1, width=width) for width in (50, 200))
    order = Order(
        trial=first, weights="w", checkpoint="c", hurdles=(Hurdle(epoch=1, metric="loss", bound=2),)
    )
    return [encode_order(order).encode(), encode_order(TimingOrder(first=first, second=second)).encode()]


def _line_bombs() -> Iterable[tuple[str, bytes]]:
    yield "deep lists", b"[" * 1_000_000
    yield "deep mappings", b'{"a":' * 1_000_000
    yield "one number", b'{"event": "Started", "key": "x", "worker": ' + b"9" * 1_000_000 + b"}"
    yield "a fraction without end", b'{"event": "Started", "key": "x", "worker": 0.' + b"9" * 1_000_000 + b"}"
    yield (
        "many records",
        b'{"event": "Outcome", "predictions": null, "history": [' + b"{}," * 1_000_000 + b"{}]}",
    )
    yield "many keys", b'{"event": "Started", ' + b", ".join(b'"k%d": 1' % n for n in range(300_000)) + b"}"


# --- weights and checkpoints


def _tensors() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {"dense-1/kernel": rng.random((7, 5), np.float32), "dense-1/bias": rng.random(5, np.float32)}


def _weights(content: bytes, folder: Path) -> object:
    _put(folder / "weights", content)
    found = read_weights(folder / "weights", sha256=fingerprint(_tensors()))
    if found is not None and not np.array_equal(found["dense-1/kernel"], _tensors()["dense-1/kernel"]):
        raise AssertionError("damaged weights were taken for whole ones")
    return found


def _saved_weights(folder: Path) -> list[bytes]:
    save_file(_tensors(), folder / "saved", metadata={"sha256": fingerprint(_tensors())})
    return [(folder / "saved").read_bytes()]


def _state() -> checkpoint.Checkpoint:
    tensors = {f"network/{name}": torch.from_numpy(array) for name, array in _tensors().items()}
    tensors |= {"optimizer/step": torch.tensor(3), "optimizer/half": torch.ones(3, dtype=torch.bfloat16)}
    history = store_samples.history_of(1, 2)
    return checkpoint.Checkpoint(key="k" * 64, tensors=tensors, history=history, seconds={"train": 1.5})


def _checkpoint(content: bytes, folder: Path) -> object:
    _put(folder / "checkpoint", content)
    found, whole = checkpoint.load(folder / "checkpoint", key="k" * 64), _state()
    if found is not None:
        same = (
            found.history == whole.history
            and found.seconds == whole.seconds
            and found.tensors.keys() == whole.tensors.keys()
        )
        if not same or not all(torch.equal(found.tensors[name], one) for name, one in whole.tensors.items()):
            raise AssertionError("a damaged checkpoint was taken for a whole one")
    return found


def _checkpoints(folder: Path) -> list[bytes]:
    checkpoint.save(_state(), folder / "saved")
    return [(folder / "saved").read_bytes()]


def _tensor_bombs() -> Iterable[tuple[str, bytes]]:
    def named(header: object) -> bytes:
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text

    yield "a header of 2^63 bytes", struct.pack("<Q", 2**63) + b"{}"
    yield "a header of 90 MB", struct.pack("<Q", 90_000_000) + b" " * 90_000_000
    yield "a deep header", struct.pack("<Q", 200_000) + b"[" * 200_000
    yield (
        "a terabyte of weights",
        named({"a": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}}),
    )
    yield (
        "a shape that overflows",
        named({"a": {"dtype": "F32", "shape": [2**32, 2**32], "data_offsets": [0, 0]}}),
    )
    yield (
        "many tensors of nothing",
        named({str(n): {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} for n in range(300_000)}),
    )
    yield (
        "numbers of a strange type",
        named({"a": {"dtype": "F8_E8M0", "shape": [1], "data_offsets": [0, 1]}}) + b"\0",
    )


# --- stores

STUDY = Study(
    name="gains",
    arms={name: fake_executor.arm(name, width) for name, width in (("a", 10), ("b", 20), ("c", 30))},
    questions=(
        Question(id="faint", variant="b", baseline="a", metrics=("accuracy", "loss")),
        Question(
            id="clear", variant="c", baseline="a", metrics=("accuracy", "time"), on=("validation", "test")
        ),
    ),
    seeds=Seeds(min=3, max=5),
)


def _whole_store(path: Path) -> Path:
    """Something in every table."""

    def timing(order: TimingOrder) -> PairTimes:
        return replace(
            _times(),
            seed=order.first.seed,
            machine=machine(),
            processor=processor(),
            first=replace(_times().first, arm_key=order.first.arm_key),
            second=replace(_times().second, arm_key=order.second.arm_key),
        )

    measured = fake_executor.measuring(lambda trial: 0.9 + fake_executor.noise(trial, 0.001))
    with Store.open(path) as store:
        runner.run(STUDY, store=store, executor=fake_executor.FakeExecutor(measured, timing=timing))
        for seed, made in ((1, store_samples.finished), (2, store_samples.diverged)):
            trial = store_samples.trial_of(seed)
            claim = store.claim(trial)
            assert isinstance(claim, Claim)
            store.record(claim, made(trial), trial=trial, weights=False)
        lost = store_samples.trial_of(3)
        claim = store.claim(lost)
        assert isinstance(claim, Claim)
        store.record_lost(claim, Lost(key=lost.key, state="failed", reason="why"), trial=lost)
        store.propose(Proposal(search="s", number=0, parameters={"x": 1.5}, arm_key=lost.arm_key))
        store.stop_proposal("s", 0, [0.5, 0.6])
        store.select(study="gains", question="Q", basis="b", selected='{"number": 0}', first_block=3000)
    with closing(sqlite3.connect(path)) as connection:
        # Somebody on another machine trains this one just now; their claim is not released at the end.
        connection.execute(
            "INSERT INTO claims VALUES (?, 't', 'elsewhere', 'boot', 'ns', 7, '1', '2026-01-01T00:00:00.000+00:00', '2999-01-01T00:00:00.000+00:00')",
            (store_samples.trial_of(4).key,),
        )
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
    return path


def _stores(folder: Path) -> list[bytes]:
    old = (HERE.parent / "store" / "v1.db").read_bytes()
    return [_whole_store(folder / "whole.db").read_bytes(), old]


def _store(content: bytes, folder: Path) -> None:
    path = folder / "some.db"
    _put(path, content)
    _read_everything(path)


def _read_everything(path: Path) -> None:
    """Whatever any command asks a store."""
    trials = [store_samples.trial_of(seed) for seed in range(1, 6)]
    inspect(path)
    arms = [ft.answers(STUDY, store=path).as_dict()["arms"]]
    with Store.open(path, create=False) as store:
        keys = [trial.key for trial in trials] + [one["key"] for arm in arms[0] for one in arm["trials"]]
        arm_keys = list(dict.fromkeys(trial.arm_key for trial in trials))
        store.known(keys)
        store.stored(keys, history=True)
        store.stored_of_arms(arm_keys, last_seed=999, history=True)
        for key in keys[:5]:
            store.predictions(key)
        store.attempts(keys)
        store.holders(keys)
        store.other_engine_versions(arm_keys)
        store.seen(arm_keys)
        store.plans()
        store.verdicts()
        store.proposals("s")
        store.selections(study="gains", question="Q")
        for one in store.verdicts():
            store.pairs(one.sha256, arm_keys[0])
        replay_store(store)
        for trial in trials:
            claim = store.claim(trial)
            if isinstance(claim, Claim):
                store.release(claim)
        claim = store.claim(store_samples.trial_of(77))
        if isinstance(claim, Claim):
            trial = store_samples.trial_of(77)
            store.record(claim, store_samples.finished(trial, images=4), trial=trial, weights=False)


def _store_pages(content: bytes, folder: Path) -> None:
    """A whole store with pages overwritten: four bytes say where, the rest is what."""
    path = _copy_of_whole(folder)
    with path.open("r+b") as file:
        size = path.stat().st_size
        for start in range(0, len(content), 40):
            piece = content[start : start + 40]
            file.seek(int.from_bytes(piece[:4], "little") % size)
            file.write(piece[4:])
    _read_everything(path)


def _store_cells(content: bytes, folder: Path) -> None:
    """A sound database whose values are not: a line each of table, column and value, as JSON."""
    path = _copy_of_whole(folder)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for line in content.decode(errors="replace").split("\n"):
            table, _, rest = line.partition(" ")
            column, _, value = rest.partition(" ")
            try:
                connection.execute(f'UPDATE "{table}" SET "{column}" = ?', (value,))
                connection.commit()
            except (sqlite3.Error, UnicodeError):
                connection.rollback()
    _read_everything(path)


def _pages(folder: Path) -> list[bytes]:
    del folder
    rng = np.random.default_rng(1)
    return [
        rng.bytes(40),
        rng.bytes(400),
        rng.bytes(8),
        *(n.to_bytes(4, "little") + bytes(36) for n in (0, 16, 96, 4096, 8192)),
    ]


def _cells(folder: Path) -> list[bytes]:
    path = _whole_store(folder / "cells.db")
    found: list[bytes] = []
    with closing(sqlite3.connect(path)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        for table in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}" LIMIT 1')
            row = cursor.fetchone()
            found += [
                f"{table} {about[0]} {value}".encode()
                for about, value in zip(cursor.description, row or (), strict=False)
            ]
    return found


def _copy_of_whole(folder: Path) -> Path:
    whole = folder.parent / "whole.db"
    if not whole.exists():
        _whole_store(whole)
    path = folder / "some.db"
    shutil.copyfile(whole, path)
    return path


def _store_bombs() -> Iterable[tuple[str, bytes]]:
    yield "nothing but the magic", b"SQLite format 3\0"
    yield (
        "pages without end",
        b"SQLite format 3\0"
        + struct.pack(">H", 1)
        + b"\1\1\0@  "
        + bytes(4)
        + b"\xff\xff\xff\xff"
        + bytes(68),
    )
    yield "large and random", b"SQLite format 3\0" + np.random.default_rng(1).bytes(20_000_000)
    yield "another program's", _database("CREATE TABLE notes (x)")
    own = "PRAGMA application_id = 1718907441; PRAGMA user_version = "
    yield "of a later version", _database(own + "99")
    yield "of version 4 with no table", _database(own + "4")
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n"
    yield "a view without end", _database(own + f"4; CREATE VIEW trials AS {endless}")
    yield (
        "a trigger",
        _database(
            own
            + "4; CREATE TABLE trials (key); CREATE TRIGGER t AFTER INSERT ON trials BEGIN DELETE FROM trials; END"
        ),
    )
    yield (
        "columns of another kind",
        _database(own + "4; CREATE TABLE trials (key, x); INSERT INTO trials VALUES (1, 2)"),
    )


def _database(script: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        return connection.serialize()


def _put(path: Path, content: bytes) -> None:
    """Unless something else was put there on purpose."""
    if path not in PLACED:
        for beside in path.parent.glob(f"{path.name}-*"):
            beside.unlink()
        path.write_bytes(content)


PARSERS: tuple[Parser, ...] = (
    Parser(name="study", reads="study files (YAML)", begin=_studies, read=_study, words=WORDS, file="study.yaml", bombs=_study_bombs),
    Parser(name="set", reads="--set PATH=VALUE", begin=_sets, read=_set, words=WORDS),
    Parser(name="ask", reads="ask PATH VALUE…", begin=_questions, read=_asked, words=WORDS),
    Parser(name="amount", reads="margins and budgets", begin=lambda _: [b"0.1pp\n1h30m", b"2%\n60s"], read=_amount),
    Parser(name="compare", reads="tables of compare (CSV)", begin=_tables, read=_table, words=(b"seed", b"acc", b"lr", b"nan"), file="A.csv", bombs=_table_bombs),
    Parser(
        name="idx", reads="image files (IDX in gzip)", begin=lambda _: [gzip.compress(_idx(2, 3, 4, content=bytes(24)))], read=_array, file="images.gz",
        bombs=_array_bombs,
    ),
    Parser(name="idx-content", reads="image files, damaged beneath gzip", begin=lambda _: [_idx(2, 3, 4, content=bytes(24))], read=_packed_array),
    Parser(name="cache", reads="cached arrays (NPY)", begin=_arrays, read=_cached, silent=True, file="cache/mine/train_images.npy", bombs=_npy_bombs),
    Parser(name="npz", reads="data sets in .npz files", begin=_npz, read=partial(_data_set, name="some.npz"), file="some.npz", bombs=_npz_bombs),
    Parser(name="npy", reads="data sets in .npy files", begin=_one_npy, read=_npy, file="images.npy", bombs=_npy_bombs),
    Parser(name="picture", reads="images in class folders", begin=_pictures, read=_picture, file="pets/dog/some.png", bombs=_picture_bombs),
    Parser(
        name="asked-picture", reads="pictures that a model is asked about", begin=_asked_pictures, read=_asked_picture, file="some.png",
        bombs=_asked_picture_bombs,
    ),
    Parser(
        name="known", reads="what the cache knows of data sets (JSON)", begin=lambda _: [json.dumps({"facts": MNIST.plain()}).encode()], read=_known,
        silent=True, file=f"cache/known/{MNIST.fingerprint}.json", bombs=_line_bombs,
    ),
    Parser(name="audit", reads="notebooks and scripts to audit", begin=_notebooks, read=_audited, file="some.ipynb", bombs=_line_bombs),
    Parser(name="event", reads="lines from a worker", begin=_events, read=_event, bombs=_line_bombs),
    Parser(name="order", reads="lines to a worker", begin=_orders, read=_order, bombs=_line_bombs),
    Parser(name="weights", reads="saved weights (safetensors)", begin=_saved_weights, read=_weights, silent=True, file="weights", bombs=_tensor_bombs),
    Parser(name="checkpoint", reads="checkpoints", begin=_checkpoints, read=_checkpoint, silent=True, file="checkpoint", bombs=_tensor_bombs),
    Parser(name="store", reads="stores, whole files", begin=_stores, read=_store, file="some.db", bombs=_store_bombs),
    Parser(name="store-pages", reads="stores, pages overwritten", begin=_pages, read=_store_pages),
    Parser(name="store-cells", reads="stores, values changed", begin=_cells, read=_store_cells),
    Parser(
        name="onnx", reads="exported models (ONNX), and what they say of themselves", begin=model_files.onnx_files, read=model_files.opener("m.onnx", _put),
        words=model_files.WORDS, file="m.onnx", bombs=model_files.onnx_bombs,
    ),
    Parser(
        name="safetensors", reads="exported models (safetensors)", begin=model_files.safetensors_files, read=model_files.opener("m.safetensors", _put),
        words=model_files.WORDS, file="m.safetensors", bombs=lambda: (*model_files.safetensors_bombs(), *_tensor_bombs()),
    ),
    Parser(
        name="keras", reads="exported models (Keras)", begin=model_files.keras_files, read=model_files.opener("m.keras", _put), words=model_files.WORDS,
        file="m.keras", bombs=model_files.keras_bombs,
    ),
    Parser(
        name="keras-content", reads="exported models (Keras), damaged beneath zip", begin=model_files.content_of_keras,
        read=model_files.opener("m.keras", _put, model_files.beneath_keras), words=model_files.WORDS,
    ),
    Parser(
        name="pt2", reads="exported models (torch.export)", begin=model_files.program_files, read=model_files.opener("m.pt2", _put), words=model_files.WORDS,
        file="m.pt2", bombs=model_files.program_bombs,
    ),
    Parser(
        name="pt2-content", reads="exported models (torch.export), damaged beneath zip", begin=model_files.content_of_program,
        read=model_files.opener("m.pt2", _put, model_files.beneath_program), words=model_files.WORDS,
    ),
    Parser(
        name="import-json", reads="Keras models to import (JSON)", begin=keras_models.json_files, read=keras_models.importer("m.json", _put),
        words=keras_models.WORDS, file="m.json", bombs=keras_models.json_bombs,
    ),
    Parser(
        name="import-keras", reads="Keras models to import (.keras)", begin=keras_models.keras_files, read=keras_models.importer("m.keras", _put),
        words=keras_models.WORDS, file="m.keras", bombs=keras_models.keras_bombs,
    ),
)  # fmt: skip

bounded.SILENCE_SECONDS = 0.05
