"""Which number format a trial's matrix products use: decided by the processor alone."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from fairtrial.study.schema import Arm, Precision
from fairtrial.trial import ResolvedPrecision

_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})


def resolve(requested: Precision) -> ResolvedPrecision:
    """The precision a trial runs in. `auto` never looks at the model.

    Otherwise a question could compare two precisions without anybody having asked for it.
    """
    if requested == "auto":
        return "bfloat16" if has_bfloat16() else "float32"
    return requested


def precision_of(arm: Arm) -> ResolvedPrecision:
    """The precision of an arm's trials: float32 wherever the user's own code computes, unless it is said otherwise."""
    if arm.is_command or arm.is_module:
        return "bfloat16" if arm.settings.precision == "bfloat16" else "float32"
    return resolve(arm.settings.precision)


@functools.cache
def has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 matrices in hardware (AVX512_BF16 or AMX).

    Without it PyTorch emulates the format, correctly but far slower than float32.
    """
    return not _BF16_FLAGS.isdisjoint(cpu_flags())


@functools.cache
def cpu_flags() -> frozenset[str]:
    """The processor's feature flags where the system tells them (Linux on x86), else none."""
    if platform.machine() not in {"x86_64", "AMD64"}:
        return frozenset()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        if line.startswith("flags"):
            return frozenset(line.split(":", 1)[1].split())
    return frozenset()
