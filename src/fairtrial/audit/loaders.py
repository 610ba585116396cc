"""The names under which libraries load data sets."""

from __future__ import annotations

from fairtrial.audit.values import Value


def dataset_loaded(path: str, arguments: list[Value], keywords: dict[str, Value]) -> str | None:
    """The name of the data set that a loader loads."""
    parts = path.split(".")
    if path.startswith("keras.datasets.") and parts[-1] == "load_data":
        return parts[2]
    if path in (
        "tensorflow_datasets.load",
        "tensorflow_datasets.builder",
        "sklearn.datasets.fetch_openml",
        "datasets.load_dataset",
    ):
        name = arguments[0] if arguments else keywords.get("name")
        return name if isinstance(name, str) else None
    if path.startswith("torchvision.datasets.") and len(parts) == 3:
        return parts[2].lower()
    if path.startswith("sklearn.datasets.load_"):
        return parts[-1].removeprefix("load_")
    return None
