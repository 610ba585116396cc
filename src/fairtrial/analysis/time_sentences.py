"""Answers on training time, in words that can be read aloud."""

from __future__ import annotations

import math

from fairtrial.analysis.contrast import Contrast
from fairtrial.analysis.judgement import Judgement
from fairtrial.analysis.sentences import amount, count_of
from fairtrial.durations import duration
from fairtrial.stats.forecast import Forecast
from fairtrial.stats.intervals import Interval
from fairtrial.stats.verdict import Verdict

NOT_TIMED = (
    "not timed yet on this machine: `fairtrial run` times the two arms in turn once their trials are done, "
    "as its budget allows"
)


def time_sentence(
    contrast: Contrast,
    judged: Judgement,
    *,
    variant: str,
    fit: tuple[float | None, float | None],
    margin: float,
    horizon: int,
    trouble: str,
    beside: int,
    unknown: int,
) -> str:
    """Both arms' seconds, how many times as long, what that settles, and the same with validations.

    `fit` holds the seconds of variant and baseline with one validation after each epoch; of the pairs
    `beside` were timed beside other work, and of `unknown` nobody can tell.
    """
    if not contrast.seeds:
        if trouble:
            return f"Training time cannot be compared; {judged.verdict}: {trouble}."
        return f"Training time: {judged.verdict}; {judged.because}."
    happened = f"{_seconds(contrast)} ({_known(judged, _pairs(len(contrast.seeds), beside, unknown))})"
    if trouble:
        return f"{happened}: {judged.verdict}, for {trouble}."
    said = _settled(judged, variant, margin) or _undecided(judged, margin, horizon)
    return f"{happened}: {said}.{_fit(fit)}"


def _seconds(contrast: Contrast) -> str:
    """`Training took 3.10 s instead of 1.20 s: 2.58 times as long`"""
    before, after = (
        duration(math.exp(sum(map(math.log, values.tolist())) / values.size))
        for values in (contrast.baseline, contrast.variant)
    )
    times = _times(contrast.estimate or 1.0)
    took = f"{after} instead of {before}" if after != before else f"{after} in both arms"
    return f"Training took {took}: {times} times as long"


def _pairs(count: int, beside: int, unknown: int) -> str:
    pairs = count_of(count, "pair")
    if beside:
        which = "it" if count == 1 else "all of them" if beside == count else f"{beside} of them"
        return f"{pairs}, {which} timed beside other work"
    if unknown:
        return f"{pairs}, timed in turn"
    return f"{pairs}, timed alone"


def _known(judged: Judgement, pairs: str) -> str:
    if judged.interval is None or judged.verdict is Verdict.UNSTABLE:
        return pairs
    ratio = judged.interval.exp()
    digits = _digits(ratio)
    return f"{ratio.low:.{digits}f} to {ratio.high:.{digits}f}, {pairs}"


def _digits(ratio: Interval) -> int:
    """As many decimals as it takes to show that an end which is not 1 is not, and to tell the two apart."""
    nearest = min(abs(ratio.low - 1), abs(ratio.high - 1), ratio.high - ratio.low)
    return min(max(2, math.ceil(-math.log10(nearest))), 5) if nearest > 0 else 2


def _times(ratio: float) -> str:
    """A ratio with three significant digits, two decimals at least where it is small.

    >>> _times(2.583), _times(0.0412), _times(58.31)
    ('2.58', '0.041', '58.3')
    """
    if ratio < 0.095:
        return f"{ratio:.2g}"
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}"


def _settled(judged: Judgement, variant: str, margin: float) -> str | None:
    look = judged.look
    if judged.verdict is Verdict.UNDECIDED or look is None:
        return None
    words = judged.verdict.value
    if judged.verdict.direction:
        words = f"{'an' if words.startswith('i') else 'a'} {words}"
    elif judged.verdict is Verdict.NOT_WORSE:
        words = f"{variant} is {words}"
    # What was settled stays settled, although the interval of a later look may be a wider one.
    stands = "" if look.verdict is look.standing else f", as settled by pair {look.settled_at}"
    return f"{words} (margin {amount(margin, 'time')}){stands}"


def _undecided(judged: Judgement, margin: float, horizon: int) -> str:
    parts = [judged.verdict.value]
    if judged.interval is not None:
        parts.append(
            f"any change is smaller than {_bound(judged.interval)} (margin {amount(margin, 'time')})"
        )
    if judged.because:
        parts.append(judged.because)
    elif judged.look is not None and judged.forecast is not None:
        parts.append(_outlook(judged.forecast, seen=judged.look.n, horizon=horizon))
    return "; ".join(parts)


def _bound(interval: Interval) -> str:
    """The largest change the interval allows, rounded upwards, so that what is said stays true.

    >>> _bound(Interval(-0.02, 0.0612)), _bound(Interval(-1.2, 0.3))
    ('6.4 %', 'a factor of 3.33')
    """
    factor = math.exp(min(interval.bound, 700.0))
    if factor < 1.5:
        return f"{math.ceil(1000 * (factor - 1)) / 10:.1f} %"
    return f"a factor of {math.ceil(100 * factor) / 100:.2f}"


def _outlook(needed: Forecast, *, seen: int, horizon: int) -> str:
    if seen >= horizon:
        return f"the {horizon} pairs of this study are used up"
    if needed.within_horizon and needed.more is not None:
        are = "is" if needed.more == 1 else "are"
        return f"about {count_of(needed.more, 'more pair')} {are} likely to settle it"
    wanted = "" if needed.seeds is None else f", about {needed.seeds} would be needed"
    return f"the {horizon} pairs of this study are unlikely to settle it{wanted}"


def _fit(fit: tuple[float | None, float | None]) -> str:
    variant, baseline = fit
    if variant is None or baseline is None:
        return ""
    return (
        f" With a validation after each epoch (`fit`), {duration(variant)} instead of {duration(baseline)}: "
        f"{_times(variant / baseline)} times as long."
    )
