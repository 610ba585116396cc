"""What was measured on the rows of the course, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.comparing import AT_LEAST, MEAN_AT_LEAST, Compared, compared, geometric_mean
from benchmarks.contenders import KERAS, OURS, PEERS, TITLES
from benchmarks.results import Results, Run

NOTHING = "Nothing has been measured yet."

Cells = Sequence[str]


def rows_block(results: Results, *, picture: str) -> list[str]:
    """All there is to say of the rows: machine, picture, ratios, steady state, bounds, accuracies."""
    found = compared(results)
    if not found:
        return [NOTHING]
    return [
        "",
        *machines([results.runs[date] for date in sorted({one.result.run for one in found})]),
        *libraries(found),
        "",
        f"![How many times as long each peer takes as one of our trials, row by row]({picture})",
        "",
        "### Whole fits",
        "",
        *ratios(found),
        "",
        *judged(found),
        "",
        "### Steady state",
        "",
        *steady(found),
        "",
        "### Share of what the machine can do",
        "",
        *shares(found),
        "",
        *learnt(found),
    ]


def machines(runs: Sequence[Run]) -> Iterator[str]:
    """When, where and how, one line for each run."""
    for run in runs:
        versions = ", ".join(f"{name} {value}" for name, value in run.versions.items() if value)
        line = (
            f"- {run.date}: `{run.command}` on {run.cores} cores of {run.processor}, "
            f"{run.memory_bytes / 2**30:.0f} GiB (machine {run.machine}); load average before it {run.load_before:.1f}; {versions}."
        )
        if run.ceilings:
            peaks = "; ".join(
                f"{precision} products "
                + ", ".join(f"{flops / 1e9:.0f} GFLOP/s by {library}" for library, flops in by.items())
                for precision, by in run.ceilings.flops.items()
            )
            line += f" At most: {peaks}; copies {run.ceilings.bandwidth / 1e9:.0f} GB/s."
        yield line


def libraries(found: Sequence[Compared]) -> Iterator[str]:
    """What each peer said it ran on; a line for every set of versions."""
    for peer in PEERS:
        sets = {tuple(one.result.versions.get(peer, {}).items()): None for one in found}
        for versions in filter(None, sets):
            yield f"- {TITLES[peer]}: {', '.join(f'{name} {value}' for name, value in versions)}."


def table(head: Cells, body: Sequence[Cells]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for cells in body:
        yield f"| {' | '.join(cells)} |"


def ratios(found: Sequence[Compared]) -> Iterator[str]:
    """Seconds of whole fits, and each peer's over ours."""
    head = ["row", "fairtrial: s per trial", "with all its evaluations"]
    for peer in PEERS:
        head += [f"{TITLES[peer]}: s", "ratio", *(["at least"] if peer == KERAS else [])]
    body: list[Cells] = []
    for one in found:
        cells = [one.name, _marked(one, OURS), number(one.ours.whole_seconds)]
        for peer in PEERS:
            asked = [number(AT_LEAST[one.name])] if peer == KERAS else []
            cells += [_marked(one, peer), _ratio(one, peer), *asked]
        body.append(cells)
    yield from table(head, body)
    if partly := list(scaled(found)):
        yield ""
        yield f"\\* scaled: {'; '.join(partly)}."


def scaled(found: Sequence[Compared]) -> Iterator[str]:
    """What was measured instead of the whole, and of which rows: of all that ran in them, or of those named."""
    of_text: dict[str, dict[str, list[str]]] = {}
    for one in found:
        for name, median in one.medians.items():
            if median.way != "whole":
                of_text.setdefault(median.measured, {}).setdefault(one.name, []).append(name)
    sizes = {one.name: len(one.medians) for one in found}
    for text, of_row in of_text.items():
        rows = [
            row if len(names) == sizes[row] > 1 else f"{row} ({', '.join(TITLES[name] for name in names)})"
            for row, names in of_row.items()
        ]
        yield f"{text} of {', '.join(rows)}"


def judged(found: Sequence[Compared]) -> Iterator[str]:
    """What the ratios come to, held against what is asked of them."""
    for peer in PEERS:
        known = [ratio for one in found if (ratio := one.ratio(peer)) is not None]
        if known:
            asked = f", at least {MEAN_AT_LEAST} asked of all {len(AT_LEAST)}" if peer == KERAS else ""
            mean = geometric_mean(known)
            rows = count(len(known), "row")
            yield f"- Geometric mean of the ratios to {TITLES[peer]}, {rows}: {mean:.2f}{asked}."
    short = [f"{one.name} ({_ratio(one, KERAS)})" for one in found if one.short]
    yield f"- Rows below what is asked: {', '.join(short) or 'none'}."
    slower = [
        f"{one.name} ({TITLES[peer]}, {_ratio(one, peer)})"
        for one in found
        for peer in PEERS
        if (one.ratio(peer) or 1.0) < 1.0
    ]
    yield f"- Rows in which a peer is faster: {', '.join(slower) or 'none'}."
    for rounds in sorted({one.rounds for one in found}, reverse=True):
        these = [one.name for one in found if one.rounds == rounds]
        yield f"- {count(rounds, 'round')} of {'all rows' if len(these) == len(found) else ', '.join(these)}."


def steady(found: Sequence[Compared]) -> Iterator[str]:
    """Seconds of a steady epoch and, after the plus, what the fit takes once."""
    yield from table(
        ["row", "epochs", *(f"{title}: s" for title in TITLES.values())],
        [[one.name, str(one.result.epochs), *(_steady(one, name) for name in TITLES)] for one in found],
    )


def shares(found: Sequence[Compared]) -> Iterator[str]:
    """Work of an epoch, the least it can take, and what each contender makes of it."""
    head = ["row", "GFLOP", "GB", "least s, ours", "least s, float32"]
    body: list[Cells] = []
    for one in found:
        work, mine, theirs = one.result.work, one.bound(OURS), one.bound(KERAS)
        cells = [
            one.name,
            number(work.flops / 1e9),
            number(work.bytes / 1e9),
            f"{number(mine.seconds)} ({one.result.precision}, {mine.by})",
            f"{number(theirs.seconds)} ({theirs.by})",
        ]
        body.append([*cells, *(_share(one, name) for name in TITLES)])
    yield from table([*head, *(f"{title}: GFLOP/s, share" for title in TITLES.values())], body)


def learnt(found: Sequence[Compared]) -> Iterator[str]:
    """Test accuracy in per cent of what was trained whole; nothing where all rows were cut short."""
    if all(run.test_accuracy is None for one in found for run in one.medians.values()):
        return
    yield from ("### What was learnt meanwhile", "")

    def cell(one: Compared, name: str) -> str:
        accuracy = one.medians[name].test_accuracy if name in one.medians else None
        return "" if accuracy is None else f"{100 * accuracy:.2f}"

    yield from table(
        ["row, test accuracy in %", *TITLES.values()],
        [[one.name, *(cell(one, name) for name in TITLES)] for one in found],
    )
    yield ""


def count(many: int, noun: str) -> str:
    """
    >>> count(1, "row"), count(3, "row")
    ('1 row', '3 rows')
    """
    return f"{many} {noun}" + ("" if many == 1 else "s")


def number(value: float | None) -> str:
    """Three digits that count; nothing for None.

    >>> number(0.04321), number(4.321), number(432.1), number(43210.0), number(None)
    ('0.0432', '4.32', '432', '43210', '')
    """
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _marked(one: Compared, name: str) -> str:
    """Seconds of the fit, with a star where less than all of it was run."""
    there = one.medians.get(name)
    if there is None:
        return ""
    return number(there.fit_seconds) + ("" if there.way == "whole" else " \\*")


def _ratio(one: Compared, peer: str) -> str:
    ratio = one.ratio(peer)
    return "" if ratio is None else f"{ratio:.2f}"


def _steady(one: Compared, name: str) -> str:
    there = one.medians.get(name)
    if there is None:
        return ""
    return f"{number(there.epoch_seconds)} + {number(there.start_seconds(one.result.epochs))}"


def _share(one: Compared, name: str) -> str:
    if name not in one.medians:
        return ""
    return f"{number(one.flops_a_second(name) / 1e9)}, {100 * one.share(name):.0f} %"
