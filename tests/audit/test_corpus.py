"""The corpus of planted faults: what it holds, what the audit finds in it, and that docs/audit.md says the same."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fairtrial.audit.auditing import audited
from fairtrial.audit.kinds import TITLES
from fairtrial.audit.reading import read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_corpus", ROOT / "scripts" / "audit_corpus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit_corpus"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def tallies(corpus: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, Any]]:
    folder = tmp_path_factory.mktemp("corpus")
    told: list[tuple[Any, Any]] = []
    for item in corpus.items():
        document = read(item.write(folder))
        told.append((item, corpus.compared(item, document, audited(document).findings)))
    return told


def test_the_corpus_holds_every_kind_in_every_form_and_as_much_that_is_clean(corpus):
    """Precision means something only where there is much to be wrongly reported."""
    items = list(corpus.items())
    planted = Counter(fault.kind for item in items for fault in item.planted)
    clean = sum(not item.planted for item in items)
    assert len(items) >= 150 and clean >= 60
    assert set(planted) == set(TITLES)
    assert {item.form for item in items} == {"notebook", "script", "text", "html"}
    assert len({item.name for item in items}) == len(items)


def test_every_planted_line_is_in_its_file_once(corpus):
    """A text that stands nowhere could never be found, one that stands twice could be found by chance."""
    for item in corpus.items():
        lines = [line for _, source in item.cells for line in source.split("\n")]
        for fault in item.planted:
            if fault.text:
                assert sum(fault.text in line for line in lines) == 1, (item.name, fault)


def test_a_finding_on_another_line_does_not_count(corpus, tmp_path):
    """Whoever is sent to the wrong line does not find the fault."""
    item = next(item for item in corpus.items() if item.name == "test-keras-tuple")
    document = read(item.write(tmp_path))
    (finding,) = audited(document).findings
    assert corpus.compared(item, document, (finding,)).missed == ()
    place = type(finding.place)(finding.place.cell + 1, finding.place.line)
    moved = type(finding)(**{**vars(finding), "place": place})
    tally = corpus.compared(item, document, (moved,))
    assert (len(tally.missed), len(tally.false)) == (1, 1)


def test_findings_are_true_and_most_faults_are_found(tallies):
    """The promise of docs/audit.md; whoever is accused wrongly does not ask again."""
    found = sum(len(each.found) for _, each in tallies)
    false = [(item.name, one.kind) for item, each in tallies for one in each.false]
    missed = [(item.name, one.kind) for item, each in tallies for one in each.missed]
    assert found >= 0.95 * (found + len(false)), false
    assert found >= 0.95 * (found + len(missed)), missed


def test_the_page_shows_what_the_script_counts():
    """A table that nobody renews is believed for years."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "audit-corpus"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- audit-corpus: begin -->\n(.*?)\n\n\(", page, flags=re.DOTALL)
    assert block is not None
    assert block[1] == done.stdout.strip()
