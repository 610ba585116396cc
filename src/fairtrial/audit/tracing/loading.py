"""Where data comes from, and what the source says of its part."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.audit.tracing.request import Request, source_of
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.subscripts import part_of, split_named
from fairtrial.audit.tracing.values import UNKNOWN, Part, Shuffle, Value, carrying, part_in

READS = {
    "read_csv",
    "read_table",
    "read_excel",
    "read_parquet",
    "read_json",
    "read_feather",
    "read_pickle",
    "loadtxt",
    "genfromtxt",
    "load",
    "loadmat",
    "make_csv_dataset",
    "imread",
    "open",
    "list_files",
    "TFRecordDataset",
    "TextLineDataset",
}
FOLDERS = {
    "flow_from_directory",
    "image_dataset_from_directory",
    "text_dataset_from_directory",
    "ImageFolder",
}
# Classes that hold the data they are given, or a part of it.
HOLDING = {
    "DataLoader",
    "TensorDataset",
    "Subset",
    "from_tensor_slices",
    "from_tensors",
    "from_generator",
    "Dataset",
    "NumpyArrayIterator",
}


def loaded(trace: Trace, request: Request) -> Value | None:
    """The data that a call reads; None where it reads none."""
    last, named = request.last, request.named
    if last in FOLDERS:
        return _folder(trace, request)
    if last == "load_data" and request.base.kind == "name":
        return _keras(trace, request)
    if last in ("load", "load_dataset", "builder") and request.function.name.startswith(
        ("tensorflow_datasets", "tfds", "datasets.")
    ):
        return _splits(trace, request)
    if "train" in named and named["train"].kind == "constant" and last[:1].isupper():
        return _torchvision(trace, request, bool(named["train"].constant))
    if (last[:1].isupper() and request.function.name.startswith("torchvision.datasets")) or _is_dataset(
        request
    ):
        return _torchvision(trace, request, bool(request.argument(1, "train").constant is not False))
    if last in HOLDING and request.every:
        return _held(trace, request)
    if last in READS or (
        last.startswith(("load_", "fetch_", "make_"))
        and not last.startswith(
            (
                "load_model",
                "load_weights",
                "load_state",
                "load_img",
                "make_pipeline",
                "make_column",
                "make_scorer",
                "make_grid",
                "make_subplots",
                "make_union",
            )
        )
    ):
        if request.base.kind not in ("name", "unknown") or any(value.rows for value in request.every):
            return None
        return _read(trace, request)
    return None


def _is_dataset(request: Request) -> bool:
    """`datasets.MNIST("data", False)`: the second argument says whether it is the training set."""
    known = {
        "MNIST",
        "FashionMNIST",
        "KMNIST",
        "QMNIST",
        "CIFAR10",
        "CIFAR100",
        "USPS",
        "EMNIST",
        "SVHN",
        "STL10",
    }
    return request.last in known and request.function.kind == "name"


def _keras(trace: Trace, request: Request) -> Value:
    dataset = request.function.name
    train = trace.source(("library", dataset, "train"), "train", official=True)
    test = trace.source(("library", dataset, "test"), "test", official=True)
    pairs = [Value("sequence", items=(part, part)) for part in (train, test)]
    return Value("sequence", items=tuple(pairs))


def _splits(trace: Trace, request: Request) -> Value:
    """tfds.load and datasets.load_dataset: a split, several of them, or all under their names."""
    dataset = str(request.argument(0, "name").constant)
    split = request.named.get("split", UNKNOWN)
    if split.kind == "constant" and split.constant:
        value = split_named(trace, dataset, str(split.constant))
    elif split.kind == "sequence":
        value = Value(
            "sequence", items=tuple(split_named(trace, dataset, str(item.constant)) for item in split.items)
        )
    else:
        value = Value("splits", name=dataset)
    if request.named.get("with_info", UNKNOWN).constant:
        return Value("sequence", items=(value, Value("object", name="info", ident=trace.identity())))
    return value


def _torchvision(trace: Trace, request: Request, train: bool) -> Value:
    split = request.named.get("split", UNKNOWN).constant
    part: Part = "train" if train else "test"
    if isinstance(split, str):
        part = part_in(split) or part
    return trace.source(("library", request.last, part), part, official=True)


def _folder(trace: Trace, request: Request) -> Value:
    """Pictures from a folder, whose name often is that of a part; Keras shuffles them anew in each pass."""
    subset = request.named.get("subset", UNKNOWN).constant
    known = next((str(value.constant) for value in request.values[:1] if value.constant), "")
    where = known or request.source(0, "directory") or request.source(0, "root")
    part = _part_of_path(request)
    if isinstance(subset, str) and part_in(subset):
        whole = trace.source(("folder", where), "unknown")
        value = trace.named(subset, trace.piece(whole, ("subset", subset)))
    else:
        value = trace.source(("folder", where), part or "unknown", official=part == "test")
    if request.last.endswith("dataset_from_directory") and not request.is_false(-1, "shuffle"):
        return replace(value, shuffles=frozenset((Shuffle(request.line, fixed=False),)))
    return value


def _part_of_path(request: Request) -> Part | None:
    for node in (*request.node.args[:1], *(each.value for each in request.node.keywords[:3])):
        if part := part_in(source_of(node)):
            return part
    for value in request.every:
        if isinstance(value.constant, str) and (part := part_in(value.constant)):
            return part
    return None


def _read(trace: Trace, request: Request) -> Value:
    part = _part_of_path(request)
    key = ("file", source_of(request.node))
    return trace.source(key, part or "unknown", official=part == "test")


def _held(trace: Trace, request: Request) -> Value | None:
    """Loaders and data sets made of arrays: the rows of what they hold."""
    holding = [value for value in request.every if value.rows or value.items]
    if request.last == "Subset" and len(request.values) > 1 and request.values[1].kind == "order":
        return part_of(trace, request.values[0], request.values[1], request.source(1, "indices"))
    rows = [
        inner
        for value in holding
        for inner in (value, *value.items, *(i for v in value.items for i in v.items))
        if inner.rows
    ]
    if not rows:
        return trace.source(("held", source_of(request.node))) if request.last != "Dataset" else None
    made = carrying("data", *rows)
    return replace(made, order=rows[0].order)
