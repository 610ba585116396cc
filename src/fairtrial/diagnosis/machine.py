"""The processor, memory and disk: what they mean for what is trained here."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

from fairtrial.diagnosis.finding import Finding, State
from fairtrial.engine.machine import machine, processor
from fairtrial.engine.precision import cpu_flags, has_bfloat16
from fairtrial.engine.process import available_memory, machine_memory
from fairtrial.executors.local import available_cores

WORKER_BYTES = 450 * 2**20
"""What a worker of a small network takes at most: Python, torch and the images (measured: 405 MiB)."""

LEAST_DISK_BYTES, LOW_DISK_BYTES = 100 * 2**20, 2**30

_VECTORS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def findings(store: Path) -> Iterator[Finding]:
    yield _processor()
    yield _bfloat16()
    yield _memory()
    yield _disk(store)


def _processor() -> Finding:
    cores = len(available_cores())
    has = [flag for flag in _VECTORS if flag in cpu_flags()]
    said = (
        ", ".join(has)
        if has
        else "this system does not tell its features"
        if not cpu_flags()
        else "none of AVX2 and AVX-512"
    )
    return Finding(
        area="machine",
        name="processor",
        state="ok",
        text=f"{processor()}, {cores} core{'' if cores == 1 else 's'} for as many trials at once; {said}.",
        facts={"processor": processor(), "machine": machine(), "cores": cores, "features": has},
    )


def _bfloat16() -> Finding:
    if has_bfloat16():
        text = "The processor multiplies bfloat16 matrices itself: `precision: auto` means bfloat16 here."
    elif cpu_flags():
        text = (
            "The processor does not multiply bfloat16 matrices itself: `precision: auto` means float32 here. Trials that "
            "a processor with bfloat16 trained are other trials; `--set precision=bfloat16` shows them."
        )
    else:
        text = (
            f"This system ({platform.system()} on {platform.machine()}) does not tell whether the processor multiplies "
            "bfloat16 matrices: `precision: auto` means float32 here."
        )
    return Finding(
        area="machine",
        name="precision",
        state="ok",
        text=text,
        facts={"bfloat16": has_bfloat16(), "auto": "bfloat16" if has_bfloat16() else "float32"},
    )


def _memory() -> Finding:
    total, free, cores = machine_memory(), available_memory(), len(available_cores())
    facts = {"total_bytes": total, "available_bytes": free, "cores": cores}
    if free is None:
        return Finding(
            area="machine",
            name="memory",
            state="ok",
            text="This system does not tell how much is free.",
            facts=facts,
        )
    fits = free // WORKER_BYTES
    text = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free; a worker takes about {WORKER_BYTES / 2**30:.1f}."
    state: State = "problem" if fits < 1 else "warning" if fits < cores else "ok"
    advice = {
        "problem": "That is too little for one worker: close other programs.",
        "warning": f"That is too little for {cores} workers: run with -j {fits}, or close other programs.",
        "ok": "",
    }[state]
    return Finding(area="machine", name="memory", state=state, text=text, advice=advice, facts=facts)


def _disk(store: Path) -> Finding:
    folder = store.absolute().parent
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return Finding(
            area="machine",
            name="disk",
            state="problem",
            text=f"{folder}: {error.strerror}.",
            advice="Make the folder, or choose another --store.",
        )
    return Finding(
        area="machine",
        name="disk",
        state=disk_state(usage.free),
        text=f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.1f} GiB free in {folder}.",
        advice=""
        if disk_state(usage.free) == "ok"
        else "A trial takes about 25 kB, and its weights 4 bytes per parameter: free some space, or choose another --store.",
        facts={"folder": str(folder), "total_bytes": usage.total, "free_bytes": usage.free},
    )


def disk_state(free: int) -> State:
    """
    >>> [disk_state(free) for free in (0, 200 * 2**20, 2**40)]
    ['problem', 'warning', 'ok']
    """
    return "problem" if free < LEAST_DISK_BYTES else "warning" if free < LOW_DISK_BYTES else "ok"
