"""What may befall the disk, the store's folder and the files of weights in it."""

from __future__ import annotations

import os
import signal
import time

from reliability import places
from reliability.case import Case, signal_all
from reliability.small import TRIALS, Command, new_study, run


def full_disk(case: Case) -> None:
    """The disk fills up while trials are trained."""
    with places.small_disk(case.folder, megabytes=8):
        case.found.way = "a disk of 8 MB in memory, filled to the last byte after the first trial"
        new_study(case.folder)
        with run(case.folder) as command:
            command.wait_for_finished(1)
            spare = places.fill(case.folder)
            command.wait()
        case.expect(command, "the disk is full; free some space and run again", status=2)
        spare.unlink()
        case.finish(command)


def failing_disk(case: Case) -> None:
    """The disk fails and is read-only from then on; afterwards the machine starts again."""
    image = case.folder.with_name("disk.img")
    with places.failing_disk(image, case.folder):
        case.found.way = f"an ext4 disk that the kernel gives up {LASTING:.0f} s after a trial, and never writes to again; mounted anew"
        new_study(case.folder)
        os.sync()
        with run(case.folder) as command:
            command.wait_for_finished(4)
            workers = command.workers()
            signal_all(workers, signal.SIGSTOP)  # so that none is stored within the second before
            time.sleep(LASTING)
            places.fail(case.folder)
            signal_all(workers, signal.SIGCONT)
            command.wait()
        case.expect(command, "has become read-only", status=2)
    with places.failing_disk(image, case.folder):
        case.finish(command)


LASTING = 2.0
"""Seconds after which an outcome must be on the disk, whatever comes then; a second is promised."""


def read_only_folder(case: Case) -> None:
    """The store's folder can be read and not be written when a run starts."""
    new_study(case.folder)
    with run(case.folder) as first:
        first.wait_for_finished(2)
        first.send(signal.SIGINT)
        first.wait()
    case.look(first)
    with places.read_only(case.folder) as way:
        case.found.way = way
        with run(case.folder) as command:
            command.wait()
        case.expect(command, "cannot be written; choose a --store in a place of your own", status=2)
        answers = Command(case.folder, "answers", "study.yaml", "--store", "store.db")
        if answers.wait():
            case.found.complaints.append(f"its answers could not be read: {answers.lines[-2:]}")
    case.finish(first)


def weights_not_saved(case: Case) -> None:
    """The files beside the store cannot be written, though the store can."""
    new_study(case.folder)
    (case.folder / "store.weights").write_text("a file where a folder should be")
    case.found.way = "a file stands where the folder of the weights would be"
    with run(case.folder) as command:
        code = command.wait()
    case.expect(command, "its weights could not be saved", status=0)
    case.look(command)
    if code or case.before.done != TRIALS:
        case.found.complaints.append(f"{case.before.done} of {TRIALS} outcomes were kept")
    case.finish(command)


def damaged_weights(case: Case) -> None:
    """A file of weights is cut short, another is gone, another has a wrong byte."""
    new_study(case.folder)
    with run(case.folder) as command:
        command.wait()
    case.look(command)
    files = sorted((case.folder / "store.weights").iterdir())
    saved = {path: path.read_bytes() for path in files}
    case.found.way = f"{len(files)} files: one cut in half, one deleted, the others with a wrong byte"
    for number, (path, content) in enumerate(saved.items()):
        if number == 0:
            path.write_bytes(content[: len(content) // 2])
        elif number == 1:
            path.unlink()
        else:
            path.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    report = Command(case.folder, "report", "study.yaml", "--store", "store.db", "--html", "page.html")
    code = report.wait()
    page = (case.folder / "page.html").read_text(encoding="utf-8") if not code else ""
    sentence = "The final weights of this arm are not beside the store, or their files are damaged"
    if page.count(sentence) != 2:
        case.found.complaints.append(f"the page does not say so of both arms: {report.lines[-2:]}")
    if 'class="filters"' in page:
        case.found.complaints.append("the page shows a picture of damaged weights")
    case.found.told = f"(on the page) {sentence}, so its first layer cannot be shown."
    for path, content in saved.items():
        path.write_bytes(content)
    case.finish(command)
