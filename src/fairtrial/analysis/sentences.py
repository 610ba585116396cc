"""Answers in words that can be read aloud. Percent and pp appear here and nowhere below."""

from __future__ import annotations

from fairtrial.analysis.contrast import Contrast, Over
from fairtrial.durations import duration
from fairtrial.study.schema import On

OVER = {"last_epoch": "mean over the last epoch", "end": "at the end of training"}


def sentence(
    contrast: Contrast,
    *,
    variant: str,
    baseline: str,
    on: On | None,
    over: Over | None,
    verdict: str,
    because: str,
    trouble: str,
) -> str:
    """What happened, over how many seeds, and what it is worth.

    `because` says why the verdict is what it is; `trouble` names seeds that diverged, or is empty.
    """
    if not contrast.looked_at:
        return f"Nothing to compare yet: {variant} and {baseline} have no finished seed in common."
    parts = [f"{verdict}: {because}" if because else verdict]
    if trouble:
        parts = [f"{verdict}: {trouble}"]
    if not contrast.seeds:
        return f"{subject(contrast, on)} cannot be compared; {parts[0]}."
    happened = _time(contrast) if contrast.metric == "time" else _difference(contrast, on=on, over=over)
    where = ", counting the seeds where both trained" if trouble else ""
    return f"{happened} over {seeds(len(contrast.seeds))}{where}; {parts[0]}."


def subject(contrast: Contrast, on: On | None) -> str:
    return "Training time" if on is None else f"{on.capitalize()} {contrast.metric}"


def seeds(count: int) -> str:
    return f"{count} seed" if count == 1 else f"{count} seeds"


def _difference(contrast: Contrast, *, on: On | None, over: Over | None) -> str:
    scale, digits, unit, apart = (
        (100.0, 2, " %", " pp") if contrast.metric == "accuracy" else (1.0, 4, "", "")
    )
    before, after = (
        f"{scale * float(values.mean()):.{digits}f}" for values in (contrast.baseline, contrast.variant)
    )
    by = scale * float(contrast.differences.mean())
    how = OVER[over or "end"]
    size = f"{abs(by):.{digits}f}"
    if float(size) == 0:
        return f"{subject(contrast, on)} stayed at {after}{unit} ({how})"
    verb = "rose" if by > 0 else "fell"
    return f"{subject(contrast, on)} {verb} from {before} to {after}{unit} ({how}), by {size}{apart}"


def _time(contrast: Contrast) -> str:
    before, after = (duration(float(values.mean())) for values in (contrast.baseline, contrast.variant))
    ratio = contrast.estimate or 1.0
    if f"{ratio:.2f}" == "1.00":
        return f"Training took as long as before ({after} against {before})"
    return f"Training took {ratio:.2f} times as long ({after} against {before})"
