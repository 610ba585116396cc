"""Stores with real trials of small networks, trained once for all tests here."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import fairtrial as ft
from fairtrial.study.schema import Study
from fairtrial.study.spelling import flow

# Tests are imported one by one and would not find the module beside them.
sys.path.insert(0, str(Path(__file__).parent))

STUDY = {
    "schema": "fairtrial/1",
    "name": "small",
    "data": {"train": 2000, "validation": 1000},
    "base": {"epochs": 1, "network": {"mlp": {"width": 16, "depth": 1}}},
    "arms": {"mlp": {}, "single images": {"batch_size": 1, "data.train": 300}},
}


@dataclass(frozen=True)
class Trained:
    study: Study
    store: Path
    file: Path
    """The study as a file."""


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Four seeds of each arm; the weights of the first three are kept."""
    study = ft.load(STUDY)
    store = tmp_path_factory.mktemp("models") / "some.db"
    ft.run(study, seeds=4, store=store, workers=1)
    file = store.with_name("study.yaml")
    file.write_text("\n".join(f"{key}: {flow(value)}" for key, value in STUDY.items()), encoding="utf-8")
    return Trained(study=study, store=store, file=file)
