"""Answers in words that can be read aloud. Percent and pp appear here and nowhere below."""

from __future__ import annotations

import math

from fairtrial.analysis.contrast import Contrast, Over
from fairtrial.analysis.judgement import Judgement, better_of
from fairtrial.stats.forecast import Forecast
from fairtrial.stats.intervals import Interval
from fairtrial.stats.signs import signs
from fairtrial.stats.verdict import Verdict
from fairtrial.study.schema import Metric, On

OVER = {"last_epoch": "mean over the last epoch", "end": "at the end of training"}


def sentence(
    contrast: Contrast,
    judged: Judgement,
    *,
    variant: str,
    baseline: str,
    on: On | None,
    over: Over | None,
    margin: float | None,
    horizon: int,
    trouble: str,
    fresh: Interval | None = None,
) -> str:
    """What happened, by how much (interval, seeds), and what that settles.

    `margin` is in the unit the answer shows; `trouble` says which runs diverged or failed, or is empty;
    `fresh` is the interval for fresh test images, if there is one.
    """
    if not contrast.seeds:
        if trouble:
            return f"{subject(contrast, on)} cannot be compared; {judged.verdict}: {trouble}."
        missing = f"{variant} and {baseline} have no finished seed in common"
        return f"{subject(contrast, on)}: nothing to compare yet; {missing}."
    happened = _difference(contrast, judged, on=on, over=over)
    if trouble:
        return f"{happened}, counting the seeds where both trained: {judged.verdict}, for {trouble}."
    said = _settled(contrast, judged, variant, margin) or _undecided(contrast, judged, margin, horizon)
    return f"{happened}: {said}{_on_fresh_images(fresh)}.{_lopsided(contrast, variant)}"


def subject(contrast: Contrast, on: On | None) -> str:
    return "Training time" if on is None else f"{on.capitalize()} {contrast.metric}"


def count_of(number: int, noun: str) -> str:
    """A number of things in words.

    >>> count_of(1, "seed"), count_of(2, "seed")
    ('1 seed', '2 seeds')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def amount(value: float, metric: Metric) -> str:
    """A margin in the metric's unit: of an accuracy in points, of a time in percent.

    >>> amount(0.001, "accuracy"), amount(0.05, "time"), amount(0.0023, "loss")
    ('0.1 pp', '5 %', '0.0023')
    """
    match metric:
        case "accuracy":
            return f"{100 * value:.4g} pp"
        case "time":
            return f"{100 * value:.4g} %"
        case "loss":
            return f"{value:.3g}"


def _settled(contrast: Contrast, judged: Judgement, variant: str, margin: float | None) -> str | None:
    look = judged.look
    if judged.verdict is Verdict.UNDECIDED or look is None or margin is None:
        return None
    words = judged.verdict.value
    if judged.verdict.direction:
        words = f"{'an' if words.startswith('i') else 'a'} {words}"
    elif judged.verdict is Verdict.NOT_WORSE:
        words = f"{variant} is {words}"
    # What was settled stays settled, although the interval of a later look may be a wider one.
    stands = "" if look.verdict is look.standing else f", as settled by seed {look.settled_at}"
    return f"{words} (margin {amount(margin, contrast.metric)}){stands}"


def _undecided(contrast: Contrast, judged: Judgement, margin: float | None, horizon: int) -> str:
    parts = [judged.verdict.value]
    if judged.interval is not None and margin is not None:
        says = _bounded(judged.interval, contrast.metric)
        parts.append(f"{says} (margin {amount(margin, contrast.metric)})")
    if judged.because:
        parts.append(judged.because)
    elif judged.look is not None and judged.forecast is not None:
        parts.append(_outlook(judged.forecast, seen=judged.look.n, horizon=horizon))
    return "; ".join(parts)


def _on_fresh_images(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = 100 * interval.low, 100 * interval.high
    digits = _digits(low, high, least=2)
    return f"; on fresh images: {low:.{digits}f} to {high:.{digits}f} pp, approximate"


def _outlook(needed: Forecast, *, seen: int, horizon: int) -> str:
    if seen >= horizon:
        return f"the {horizon} seeds of this study are used up"
    if needed.within_horizon and needed.more is not None:
        are = "is" if needed.more == 1 else "are"
        return f"about {count_of(needed.more, 'more seed')} {are} likely to settle it"
    wanted = "" if needed.seeds is None else f", about {needed.seeds} would be needed"
    return f"the {horizon} seeds of this study are unlikely to settle it{wanted}"


def _bounded(interval: Interval, metric: Metric) -> str:
    """What the interval rules out, rounded upwards, so that it stays true.

    >>> _bounded(Interval(-0.001, 0.00211), "accuracy"), _bounded(Interval(-0.3, 1.3), "accuracy")
    ('any change is smaller than 0.22 pp', 'any change is possible')
    """
    if metric == "accuracy" and interval.bound >= 1:
        return "any change is possible"
    if metric == "accuracy":
        return f"any change is smaller than {math.ceil(1e4 * interval.bound) / 100:.2f} pp"
    return f"any change is smaller than {math.ceil(1e4 * interval.bound) / 1e4:.4f}"


def _difference(contrast: Contrast, judged: Judgement, *, on: On | None, over: Over | None) -> str:
    scale, digits, unit, apart = (
        (100.0, 2, " %", " pp") if contrast.metric == "accuracy" else (1.0, 4, "", "")
    )
    before, after = (
        f"{scale * float(values.mean()):.{digits}f}" for values in (contrast.baseline, contrast.variant)
    )
    by = scale * float(contrast.differences.mean())
    seeds = count_of(len(contrast.seeds), "seed")
    known = f" ({seeds})"
    interval = None if judged.verdict is Verdict.UNSTABLE else judged.interval
    if interval is not None:
        low, high = scale * interval.low, scale * interval.high
        digits = _digits(low, high, least=digits)
        if low <= 0 <= high:
            known = f" (a change of {signed(low, digits)} to {signed(high, digits)}{apart}, {seeds})"
        else:
            near, far = sorted((abs(low), abs(high)))
            known = f" ({near:.{digits}f} to {far:.{digits}f}, {seeds})"
    how = OVER[over or "end"]
    size = f"{abs(by):.{digits}f}"
    if float(size) == 0:
        return f"{subject(contrast, on)} stayed at {after}{unit} ({how}){known}"
    verb = "rose" if by > 0 else "fell"
    return f"{subject(contrast, on)} {verb} from {before} to {after}{unit} ({how}), by {size}{apart}{known}"


def signed(value: float, digits: int) -> str:
    """A change with its sign; without one where it is shown as zero.

    >>> signed(0.0123, 2), signed(-0.001, 2)
    ('+0.01', '0.00')
    """
    return f"{value:+.{digits}f}" if round(value, digits) else f"{0:.{digits}f}"


def _digits(low: float, high: float, *, least: int) -> int:
    """As many decimals as it takes to show that an end which is not zero is not, within reason.

    >>> _digits(-0.00004, 0.0007, least=4), _digits(0.0, 0.5, least=2)
    (5, 2)
    """
    nearest = min(abs(low), abs(high))
    if nearest == 0:
        return least
    return min(max(least, math.ceil(-math.log10(nearest))), least + 3)


def _lopsided(contrast: Contrast, variant: str) -> str:
    """What holds whatever the contrasts' distribution, where it is nothing like a bell."""
    found = signs(contrast.differences)
    if not found.skewed:
        return ""
    better, worse = found.higher, found.lower
    if better_of(contrast.metric) == "lower":
        better, worse = worse, better
    word, count = ("better", better) if better >= worse else ("worse", worse)
    return (
        f" The contrasts are lopsided; seed by seed, {variant} was {word} on {count} of "
        f"{count_of(len(contrast.seeds), 'seed')}."
    )
