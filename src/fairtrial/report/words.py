"""How the page says and marks things: verdicts, metrics, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fairtrial.analysis.values import Answer
from fairtrial.durations import duration
from fairtrial.study.schema import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Badge:
    """A word with a sign of its own, so that it reads without colours; `role` is its class of style."""

    sign: str
    word: str
    role: str


def verdict_badge(verdict: str) -> Badge:
    """
    >>> verdict_badge("increase, size not settled").sign, verdict_badge("undecided").role
    ('▲', 'open')
    """
    if verdict.startswith("increase"):
        return Badge(sign="▲", word=verdict, role="up")
    if verdict.startswith("decrease"):
        return Badge(sign="▼", word=verdict, role="down")
    if verdict in ("no difference that matters", "not worse"):
        return Badge(sign="=", word=verdict, role="same")
    if verdict == "unstable":
        return Badge(sign="!", word=verdict, role="alarm")
    return Badge(sign="?", word=verdict, role="open")


def claim_badge(verdict: str) -> Badge:
    signs = {"holds": ("✓", "holds"), "contradicted": ("✗", "broken")}
    sign, role = signs.get(verdict, ("…", "open"))
    return Badge(sign=sign, word=verdict, role=role)


def about(answer: Answer) -> str:
    """What an answer is about, as a heading."""
    if answer.on is None:
        return "Training time"
    return f"{answer.on.capitalize()} {answer.metric}"


def shown(value: float | None, metric: Metric) -> str:
    """A mean in its unit; a dash where there is none.

    >>> shown(0.97812, "accuracy"), shown(None, "loss"), shown(12.34, "time")
    ('97.81 %', '–', '12.3 s')
    """
    if value is None:
        return "–"
    if metric == "accuracy":
        return f"{100 * value:.2f} %"
    return duration(value) if metric == "time" else f"{value:.4f}"


def apart(value: float | None, metric: Metric) -> str:
    """A contrast, or for time a ratio.

    >>> apart(0.0105, "accuracy"), apart(1.5, "time"), apart(-0.02, "loss")
    ('+1.05 pp', '× 1.50', '−0.0200')
    """
    if value is None:
        return "–"
    if metric == "time":
        return f"× {value:.2f}"
    text = f"{100 * value:+.2f} pp" if metric == "accuracy" else f"{value:+.4f}"
    return text.replace("-", "−")


def between(low: float | None, high: float | None, metric: Metric) -> str:
    """An interval with its unit once.

    >>> between(0.0105, 0.02, "accuracy"), between(0.5, 1.5, "time"), between(None, None, "loss")
    ('+1.05 to +2.00 pp', '× 0.50 to 1.50', '–')
    """
    if low is None or high is None:
        return "–"
    first, last = apart(low, metric), apart(high, metric)
    return f"{first.removesuffix(' pp')} to {last.removeprefix('× ')}"


def facts(answer: Answer) -> tuple[tuple[str, str], ...]:
    """Everything an answer says in figures, in the order in which it is read."""
    return (
        (answer.baseline, shown(answer.baseline_mean, answer.metric)),
        (answer.variant, shown(answer.variant_mean, answer.metric)),
        ("Change", apart(answer.estimate, answer.metric)),
        ("Interval", between(answer.low, answer.high, answer.metric)),
        ("Margin", margin(answer)),
        ("Pairs timed" if answer.metric == "time" else "Seeds", str(answer.seeds)),
        ("Pairing correlation", _plain(answer.pairing_correlation)),
        *_more(answer),
    )


def _more(answer: Answer) -> Iterator[tuple[str, str]]:
    """What only some answers have."""
    if answer.fresh_images is not None:
        fresh = answer.fresh_images
        yield "On fresh images (approximate)", between(fresh.low, fresh.high, answer.metric)
    if answer.baseline_fit_seconds is not None and answer.variant_fit_seconds is not None:
        yield f"{answer.baseline}, with validation", shown(answer.baseline_fit_seconds, "time")
        yield f"{answer.variant}, with validation", shown(answer.variant_fit_seconds, "time")


def margin(answer: Answer) -> str:
    if answer.margin is None:
        return "–"
    units = {"accuracy": f"{100 * answer.margin:.4g} pp", "time": f"{100 * answer.margin:.4g} %"}
    return units.get(answer.metric, f"{answer.margin:.4g}")


def _plain(value: Any) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def anchors(prefix: str, names: list[str]) -> dict[str, str]:
    """An address within the page for each name, readable where the name allows it, unique in any case.

    >>> anchors("arm", ["width-50", "<i>", "[i]"])
    {'width-50': 'arm-width-50', '<i>': 'arm-i', '[i]': 'arm-i-3'}
    """
    taken: set[str] = set()
    found: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        plain = re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.")[:60]
        anchor = (
            f"{prefix}-{plain}"
            if plain and f"{prefix}-{plain}" not in taken
            else f"{prefix}-{plain or 'n'}-{place}"
        )
        taken.add(anchor)
        found[name] = anchor
    return found
