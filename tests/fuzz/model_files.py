"""Whole files of exported models to begin from, made without the programs they are for; and bombs."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from safetensors.numpy import save

from fairtrial.engine.exporting import keras_file
from fairtrial.engine.exporting.members import Model, classifier
from fairtrial.engine.exporting.torch_files import CARD
from fairtrial.engine.network import keras_weights, network_of
from fairtrial.models import card, protobuf, reading
from fairtrial.study import layers as of
from fairtrial.study.layers import Network, named
from fairtrial.study.shapes import layer_facts

SHAPE = (6, 5, 1)
NETWORK = named(
    (of.Conv(filters=2, kernel=3, activation="relu"), of.BatchNorm(), of.Pool(size=2), of.Flatten()),
    classes=3,
)
BETWEEN = b"\n--\n"
WORDS = tuple(
    word.encode()
    for word in (
        '"kind":"dense"', '"kind":"conv"', '"kind":"pool"', '"kind":"average_pool"', '"kind":"flatten"', '"kind":"batch_norm"',
        '"kind":"activation","function":"gelu"', '"kind":"global_average_pool"', '"padding":"same"', '"kernel":[3,1]', '"units":',
        '"seeds":', '"keys":', '"input_shape":', '"classes":', '"parameters":', '"network":', '"format":', "null", "NaN", "[]", "{}",
    )
)  # fmt: skip


@cache
def model(*seeds: int) -> Model:
    drawn = {seed: keras_weights(network_of(NETWORK, input_shape=SHAPE, seed=seed)) for seed in seeds}
    members = {f"seed-{seed}": one for seed, one in drawn.items()}
    return Model(name="it", network=NETWORK, input_shape=SHAPE, members=members)


def text(*seeds: int, network: Network = NETWORK, shape: tuple[int, ...] = SHAPE, **changed: Any) -> bytes:
    """What such a file says of itself; of a network that is too large as well."""
    facts = layer_facts(network, input_shape=shape)
    body: dict[str, Any] = {
        "format": card.FORMAT, "study": "s", "arm": "a", "seeds": seeds, "keys": ["k" * 64] * len(seeds), "engine_version": 5,
        "fairtrial": "0.1.0", "precision": "float32", "dataset": "mnist", "data_fingerprint": "f", "input_shape": shape,
        "layout": "NCHW", "scale": "", "output": "", "classes": list(map(str, range(facts[-1].output_shape[0]))), "prepare": "resize",
        "parameters": sum(one.parameters for one in facts) * len(seeds), "validation_accuracy": 0.9, "test_accuracy": 0.9,
        "network": card.dumped(network),
    }  # fmt: skip
    return json.dumps(body | changed, separators=(",", ":")).encode()


# --- onnx: what it says of itself alone is read here


def varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes((*found, number))


def counted(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def onnx(*properties: tuple[bytes, bytes]) -> bytes:
    """A graph of nothing with these properties, as Protocol Buffers have them."""
    graph = bytes((1 << 3, 8)) + counted(2, b"fairtrial") + counted(7, b"\x12\x01g" * 9)
    return graph + b"".join(counted(14, counted(1, key) + counted(2, value)) for key, value in properties)


def onnx_files(folder: Path) -> list[bytes]:
    del folder
    return [onnx((b"fairtrial", text(1))), onnx((b"other", b"x"), (b"fairtrial", text(1, 2)))]


def onnx_bombs() -> Iterable[tuple[str, bytes]]:
    yield "a property of a terabyte", varint(14 << 3 | 2) + varint(2**40) + b"x"
    yield "a number without end", b"\x08" + b"\xff" * 100_000
    yield "numbers without end", b"\x08\x01" * 5_000_000
    yield "many properties", onnx(*((b"%d" % n, b"x" * 100) for n in range(300_000)))
    large = b"x" * (protobuf.LARGEST_PROPERTY - 100)
    yield "large properties", onnx(*((b"%d" % n, large) for n in range(16)))
    yield "a property of nothing but fields", counted(14, b"\x12\x00" * 8_000_000)
    yield "a field of no bytes, again and again", counted(7, b"") * 5_000_000
    yield from ((name, onnx((b"fairtrial", one))) for name, one in card_bombs())


def card_bombs() -> Iterable[tuple[str, bytes]]:
    yield "deep", b"[" * 900_000
    yield "deep within", text(1)[:-1] + b',"study":' + b"[" * 100_000 + b"}"
    yield "long", text(1, study="x" * 16_000_000)
    yield "one long number", text(1)[:-1] + b',"parameters":' + b"9" * 900_000 + b"}"
    yield "many fields that nobody knows", json.dumps({f"x{n}": n for n in range(60_000)}).encode()
    whole = json.loads(text(1))
    for name, layer in (
        ("many layers", {"kind": "flatten", "name": "a"}),
        ("many layers of no kind", {"kind": "x"}),
        ("many layers that do not fit", {"kind": "dense", "units": "x", "name": 1, "activation": 2}),
        ("layers that are lists", [[]]),
    ):
        yield name, json.dumps(whole | {"network": [layer] * 10_000}).encode()
    yield (
        "one layer of many settings",
        json.dumps(
            whole | {"network": [{"kind": "flatten", **{f"x{n}": n for n in range(50_000)}}]}
        ).encode(),
    )
    yield "a thousand members", text(*range(1000))
    yield "more members", text(*range(1001))
    for name, network, shape in large():
        yield name, text(1, network=network, shape=shape)


def large() -> Iterable[tuple[str, Network, tuple[int, int, int]]]:
    """Networks of few weights that would take all memory, or a day."""
    last = (of.GlobalAveragePool(),)
    shape = (5000, 5000, 1)
    yield "a large pool", named((of.Pool(size=4000, stride=1, padding="same"), *last), classes=2), shape
    yield (
        "a large average",
        named((of.AveragePool(size=4000, stride=1, padding="same"), *last), classes=2),
        shape,
    )
    wide = of.Conv(filters=1, kernel=(1_000_000, 1), padding="same")
    yield "a large margin", named((wide, *last), classes=2), (5000, 100, 1)
    yield "a large kernel", named((of.Conv(filters=1, kernel=2000, padding="same"), *last), classes=2), shape
    passes = tuple(of.Activation(function="gelu") for _ in range(900))
    yield "a thousand passes", named((*passes, *last), classes=2), shape
    yield "a large layer", named((of.Flatten(), of.Dense(units=100_000)), classes=2), (28, 28, 1)


# --- safetensors


def tensors(*seeds: int) -> dict[str, np.ndarray]:
    return {name: np.ascontiguousarray(one) for name, one in model(*seeds).flat_weights.items()}


def safetensors_files(folder: Path) -> list[bytes]:
    del folder
    return [safetensors(text(*seeds), tensors(*seeds)) for seeds in ((1,), (1, 2))]


def safetensors(said: bytes, weights: dict[str, np.ndarray]) -> bytes:
    return save(weights, metadata={"fairtrial": said.decode()})


def safetensors_bombs() -> Iterable[tuple[str, bytes]]:
    """With weights that fit: what is left to refuse them for is their size and what they would take."""
    for name, network, shape in large():
        if "layer" not in name:
            # They end in a mean over the image: no weight depends on how large it is.
            drawn = keras_weights(network_of(network, input_shape=(1, 1, 1), seed=1))
            whole = {key: np.ascontiguousarray(one) for key, one in drawn.items()}
            yield name, safetensors(text(1, network=network, shape=shape), whole)
    more = tensors(1) | {"more": np.zeros(2**23, np.float32)}
    yield "more weights than its network has", safetensors(text(1), more)
    yield (
        "weights that are no numbers",
        safetensors(text(1), {name: np.full_like(one, np.nan) for name, one in tensors(1).items()}),
    )
    for kind in ("float64", "float16", "int32", "complex64"):
        yield (
            f"weights of {kind}",
            safetensors(text(1), {name: one.astype(kind) for name, one in tensors(1).items()}),
        )
    few = dict.fromkeys((str(n) for n in range(20_000)), np.zeros(0, np.float32))
    yield "many tensors of nothing", safetensors(text(1), few)


# --- zip files: of Keras, and exported programs of torch


def zipped(parts: Iterable[tuple[str, bytes]], *, packed: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packed, compresslevel=1) as archive:
        for name, part in parts:
            archive.writestr(zipfile.ZipInfo(name), part, compress_type=packed)
    return content.getvalue()


def hdf5(*seeds: int) -> bytes:
    """As Keras lays them out."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for number, weights in enumerate(model(*seeds).members.values()):
            inside = "" if len(seeds) == 1 else f"layers/sequential{f'_{number}' if number else ''}/"
            for layer, word in zip(NETWORK, ("conv2d", "batch_normalization", "", "", "dense"), strict=True):
                for index, name in enumerate(keras_file.weights_of(layer)):
                    file[f"{inside}layers/{word}/vars/{index}"] = weights[f"{layer.name}/{name}"]
    return content.getvalue()


def keras(said: bytes, weights: bytes, *, packed: int = zipfile.ZIP_STORED) -> bytes:
    return zipped(
        (("metadata.json", b"{}"), ("config.json", b"{}"), (keras_file.WEIGHTS, weights), (CARD, said)),
        packed=packed,
    )


def keras_files(folder: Path) -> list[bytes]:
    del folder
    return [keras(text(1), hdf5(1), packed=zipfile.ZIP_DEFLATED), keras(text(1, 2), hdf5(1, 2))]


def swelling(name: str, zeros: int, **others: bytes) -> bytes:
    """A zip file one of whose entries unpacks to so many zeros."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for other, part in others.items():
            archive.writestr(other.replace("__", "/").replace("_json", ".json"), part)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(zeros // 2**20):
                member.write(bytes(2**20))
    return content.getvalue()


def zip_bombs() -> Iterable[tuple[str, bytes]]:
    whole = zipped([(CARD, text(1))])
    yield "a gigabyte of card", swelling(CARD, 2**30)
    yield "another way of packing", zipped([(CARD, text(1))], packed=zipfile.ZIP_LZMA)
    entries = zipped((f"{n}", b"") for n in range(60_000))
    yield "many entries", entries
    at = whole.rfind(b"PK\x05\x06")
    yield "a list of four gigabytes", whole[: at + 12] + b"\xff" * 8 + whole[at + 20 :]
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, 2**63, 1)
    yield "a list beyond the end", whole[:at] + locator + whole[at:]
    record = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, 2**60, 2**60, 2**60, 0)
    yield "a list of 2^60 bytes", record + b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1) + whole[at:]


def keras_bombs() -> Iterable[tuple[str, bytes]]:
    yield from zip_bombs()
    yield "a gigabyte of weights", swelling(keras_file.WEIGHTS, 2**30, fairtrial_json=text(1))
    yield (
        "fewer weights than none",
        swelling(keras_file.WEIGHTS, 2**30, fairtrial_json=text(1, parameters=-(2**40))),
    )
    packed = io.BytesIO()
    with h5py.File(packed, "w") as file:
        chunk = {"chunks": (1, 2**20), "compression": "gzip", "fillvalue": 1.0}
        file.create_dataset("layers/conv2d/vars/0", shape=(2**20, 2**20), dtype="f4", **chunk)
    yield "a weight of a terabyte", keras(text(1), packed.getvalue())
    deep = io.BytesIO()
    with h5py.File(deep, "w") as file:
        file["layers/conv2d/vars/0"] = h5py.SoftLink("/layers/conv2d/vars/0")
        file["layers/conv2d/vars/1"] = h5py.ExternalLink("/dev/zero", "/x")
    yield "links to themselves and elsewhere", keras(text(1), deep.getvalue())
    yield from ((name, keras(one, hdf5(1))) for name, one in card_bombs())


def listed(*seeds: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The list of weights of an exported program, and each of them."""
    about: dict[str, Any] = {}
    content: dict[str, bytes] = {}
    for number, (name, one) in enumerate(classifier(model(*seeds)).state_dict().items()):
        about[name] = {
            "path_name": f"weight_{number}", "is_param": True, "use_pickle": False,
            "tensor_meta": {
                "dtype": 7, "sizes": [{"as_int": size} for size in one.shape], "requires_grad": False, "device": {"type": "cpu", "index": None},
                "strides": [{"as_int": step} for step in one.contiguous().stride()], "storage_offset": {"as_int": 0}, "layout": 7,
            },
        }  # fmt: skip
        content[f"weight_{number}"] = one.contiguous().numpy().tobytes()
    return {"config": about}, content


def program(
    said: bytes, about: bytes, weights: dict[str, bytes], *, packed: int = zipfile.ZIP_STORED
) -> bytes:
    return zipped(
        (
            ("it/archive_format", b"pt2"),
            (f"it/extra/{CARD}", said),
            ("it/data/weights/model_weights_config.json", about),
            *((f"it/data/weights/{name}", one) for name, one in weights.items()),
        ),
        packed=packed,
    )


def program_files(folder: Path) -> list[bytes]:
    del folder
    found: list[bytes] = []
    for seeds in ((1,), (1, 2)):
        about, weights = listed(*seeds)
        found.append(program(text(*seeds), json.dumps(about).encode(), weights))
    return found


def program_bombs() -> Iterable[tuple[str, bytes]]:
    yield from zip_bombs()
    about, weights = listed(1)
    first = next(iter(about["config"].values()))
    huge = json.loads(json.dumps(first))
    huge["path_name"] = "large"
    huge["tensor_meta"]["sizes"] = [{"as_int": 2**20}, {"as_int": 2**8}]
    huge["tensor_meta"]["strides"] = [{"as_int": 2**8}, {"as_int": 1}]
    said = json.dumps({"config": {"a": huge}}).encode()
    beside = {"extra__fairtrial_json": text(1), "data__weights__model_weights_config_json": said}
    yield "a gigabyte of weights", swelling("data/weights/large", 2**30, **beside)
    many = {f"{n}": first for n in range(30_000)}
    yield "one weight again and again", program(text(1), json.dumps({"config": many}).encode(), weights)
    none = {f"{n}": {**first, "tensor_meta": {**first["tensor_meta"], "sizes": []}} for n in range(30_000)}
    yield "many numbers", program(text(1), json.dumps({"config": none}).encode(), weights)
    axes = {
        **first,
        "tensor_meta": {"dtype": 7, "sizes": [{"as_int": 1}] * 90, "strides": [{"as_int": 1}] * 90},
    }
    yield "ninety axes", program(text(1), json.dumps({"config": {"a": axes}}).encode(), weights)


# --- what is beneath the checksums of a zip file


def beneath_keras(content: bytes) -> bytes:
    return keras(text(1), content)


def beneath_program(content: bytes) -> bytes:
    said, _, about = content.partition(BETWEEN)
    return program(said, about, listed(1)[1])


def content_of_keras(folder: Path) -> list[bytes]:
    del folder
    return [hdf5(1)]


def content_of_program(folder: Path) -> list[bytes]:
    del folder
    return [text(1) + BETWEEN + json.dumps(listed(1)[0]).encode()]


def opener(name: str, put: Callable[[Path, bytes], None], made: Callable[[bytes], bytes] = bytes) -> Any:
    """What reads an input as a file of this name, of what `made` makes of it."""

    def read(content: bytes, folder: Path) -> None:
        put(folder / name, made(content))
        reading.open_file(folder / name)

    return read
