"""The documents that are made from the course's evidence: what scripts/course-page and scripts/course-report run.

They look at a copy of the store, since an older one is brought up to date when it is opened and evidence
is not theirs to change; and they show what the evidence holds, in the precision it was computed in.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import fairtrial as ft
from fairtrial.analysis.gather import gather
from fairtrial.report.precisions import settings_for
from fairtrial.store import Store
from fairtrial.trial import ENGINE_VERSION

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
MOST_BYTES = 3_000_000
MOST_PICTURE_BYTES = 400_000
VIEWS = (
    ("desktop", {"width": 1280, "height": 1180}, "light", ""),
    ("phone", {"width": 390, "height": 1180}, "light", ""),
    ("dark", {"width": 1280, "height": 1180}, "dark", "article.question"),
)
RUNS = {
    "width": "`fairtrial run width`, to its end: every question on accuracy settled, or 50 seeds of both its arms",
    "course": "`fairtrial run course --budget 30m` with `--arm` for each of width-50, width-200, width-1000, sigmoid-2, tanh-2, "
    "depth-3 and batch-10000; `--seeds 3` with `--arm` for each of sigmoid, tanh, lr-0.0001, lr-0.0001-batch-100, lr-0.02, "
    "cnn-1-relu, width-2000 and combined; `--seeds 1` for the others; `fairtrial run precision`, whose arms of depth 5 and of cnn-1 are the "
    "course's; and two of its searches, `fairtrial search course --search Q10-mlp` and `--search Q10-any`, each once",
}
KERAS = """
## Held against Keras

The study `notebook` (the notebook's protocol, leaking split and all) against runs of the notebook's own tf.keras program,
accuracies in percent. Beside each pair: the difference, and how far apart the two may be, 0.4
percentage points or the 99.9 % Welch interval, whichever is wider. Made by
`scripts/keras-agreement --store docs/evidence/course.db docs/evidence/keras.json`; the runs, their versions, machines
and dates are in [evidence/keras.json](evidence/keras.json).
"""


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("what", choices=["page", "report"])
    given.add_argument("--store", type=Path, default=DOCS / "evidence" / "course.db")
    given.add_argument("--pictures-only", action="store_true")
    asked = given.parse_args()
    if not asked.store.exists():
        sys.exit(f"no store {asked.store}")
    if asked.what == "page":
        return write_models(asked.store)
    if not asked.pictures_only:
        write_report(asked.store)
    return photograph(DOCS / "report-course.html")


@contextmanager
def copy_of(store: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """A copy of the store with its weights beside it, and what to set for the course to show what it holds."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / store.name
        # The library's own way of copying waits for whoever is writing, and brings what is in the log along.
        with closing(sqlite3.connect(store)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        weights = store.with_suffix(".weights")
        if weights.is_dir():
            copy.with_suffix(".weights").symlink_to(weights.resolve(), target_is_directory=True)
        with Store.open(copy) as opened:
            sets = settings_for(ft.load("course"), opened)
            arms = list(ft.load("course", sets=sets).arms.values())
            if not any(arm.trials for arm in gather(arms, opened).values()):
                sys.exit(
                    f"{store} holds no trial of the course by engine version {ENGINE_VERSION}: nothing was written"
                )
        yield copy, sets


def write_models(store: Path) -> int:
    """docs/course.md, and the table of docs/statistics.md. Exit status 0 even where Keras is apart: the table says it."""
    page = DOCS / "course.md"
    with copy_of(store) as (copy, sets):
        words = ["--store", str(copy), *(word for one in sets for word in ("--set", one))]
        models = said("-m", "fairtrial", "show", "course", "--markdown", *words)
        told = "".join(answers_of(study, words, beside=copy) for study in RUNS)
        keras = said(
            str(ROOT / "scripts" / "keras-agreement"), *words, str(DOCS / "evidence" / "keras.json"), bad=1
        )
        page.write_text(f"{models}{KERAS}\n{keras}{told}", encoding="utf-8")
        said(str(ROOT / "scripts" / "last-epoch-gain"), *words, "--write", str(DOCS / "statistics.md"))
    said(str(ROOT / "scripts" / "tutorial_answers.py"), silent=True)
    print(f"{page.relative_to(ROOT)}, the answers in docs/tutorial.md, and the table of docs/statistics.md")
    return 0


def answers_of(study: str, words: list[str], *, beside: Path) -> str:
    """The study's report as Markdown, a level deeper, under what was run for it."""
    written = beside.with_name(f"{study}.md")
    command = [sys.executable, "-m", "fairtrial", "report", study, "--markdown", str(written), *words]
    subprocess.run(command, check=True)
    report = "\n".join(
        f"#{line}" if line.startswith("#") else line
        for line in written.read_text(encoding="utf-8").splitlines()
    )
    return f"\n{report}\n\nWhat was run: {RUNS[study]}.\n"


def said(*words: str, bad: int = 0, silent: bool = False) -> str:
    """What a program of this repository prints; `bad` is an exit status that says something is wrong with numbers."""
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, bad) or not (done.stdout or silent):
        sys.exit(f"{' '.join(words)} failed")
    if done.returncode:
        print("some cells are apart", file=sys.stderr)
    return done.stdout


def write_report(store: Path) -> None:
    page = DOCS / "report-course.html"
    part = page.with_name("report-course.part.html")
    with copy_of(store) as (copy, sets):
        ft.write_report(ft.answers(ft.load("course", sets=sets), store=copy), part)
    size = part.stat().st_size
    if size >= MOST_BYTES:
        part.unlink()
        sys.exit(
            f"the page has {size / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.0f} MB go into the repository"
        )
    part.replace(page)
    print(f"{page.relative_to(ROOT)}: {size / 1e6:.2f} MB")


def photograph(page: Path) -> int:
    """Pictures of the page as readers see it. Exit status 1 if one is too large to be kept."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("Chromium is not installed, so there are no pictures (Debian: apt install chromium)")
    images = DOCS / "images"
    images.mkdir(exist_ok=True)
    large = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, viewport, scheme, place in VIEWS:
            shown = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True).new_page()
            shown.goto(page.as_uri())
            if place:
                shown.evaluate("place => document.querySelector(place).scrollIntoView()", place)
                shown.locator(f"{place} svg.marks").first.wait_for()
                shown.wait_for_timeout(1500)
            picture = images / f"report-{name}.png"
            shown.screenshot(path=picture)
            size = picture.stat().st_size
            large += size >= MOST_PICTURE_BYTES
            print(f"{picture.relative_to(ROOT)}: {size / 1e3:.0f} kB")
        browser.close()
    return int(large > 0)


if __name__ == "__main__":
    sys.exit(main())
