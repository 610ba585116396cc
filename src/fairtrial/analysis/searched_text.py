"""What came of a search, in words: the confirmation first, what the search saw after it and marked as no evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from fairtrial.analysis.clocks import clock_of, seconds_of
from fairtrial.analysis.html import table
from fairtrial.analysis.markdown import escaped
from fairtrial.analysis.points import in_words
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.tradeoffs import shown_result
from fairtrial.analysis.values import Answers, ArmTrials
from fairtrial.durations import duration
from fairtrial.trial import SEARCH, StoredTrial

if TYPE_CHECKING:
    from fairtrial.analysis.searched import Searched

NO_EVIDENCE = "optimistic by selection, no evidence"


def asked(found: Searched) -> str:
    """The question in the asker's words, or in ours where nothing was said."""
    return found.search.ask or f"Does anything do better than {found.search.baseline}?"


def seeds_named(numbers: Iterable[int]) -> str:
    """Seeds by their numbers, those in a row together.

    >>> seeds_named([3001, 3002, 3003, 3007]), seeds_named([5]), seeds_named([])
    ('3001 to 3003, 3007', '5', 'none yet')
    """
    runs: list[str] = []
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda one: one[1] - one[0]):
        members = [number for _, number in run]
        runs.append(f"{members[0]} to {members[-1]}" if len(members) > 1 else f"{members[0]}")
    return ", ".join(runs) or "none yet"


def candidate_facts(found: Searched) -> tuple[tuple[str, str], ...]:
    """What was frozen, what it changes and costs, and on which seeds it is judged; empty before there is a candidate."""
    if found.candidate is None or found.confirmation is None:
        return ()
    return tuple(_facts(found, found.confirmation))


def _facts(found: Searched, confirmed: Answers) -> Iterator[tuple[str, str]]:
    chosen = found.candidate
    assert chosen is not None
    arms = {arm.arm.name: arm for arm in confirmed.arms}
    baseline, variant = arms[found.search.baseline], arms[chosen.arm.name]
    yield "Candidate", f"{chosen.arm.name}, of {count_of(len(found.points), 'proposal')}"
    yield "What it changes", in_words(found.search, chosen)
    if chosen.parameters and baseline.parameters is not None:
        yield "Parameters", f"{chosen.parameters:,} ({baseline.arm.name}: {baseline.parameters:,})"
    clock = clock_of((*variant.trials, *baseline.trials))
    times = [_seconds(arm, clock) for arm in (variant, baseline)]
    if None not in times:
        yield "Training time of a trial", f"{times[0]} ({baseline.arm.name}: {times[1]}), as trials ran"
    block = variant.arm.block
    yield "Fresh seeds", _fresh(confirmed, block)
    metric = f"validation_{found.search.metric}_last_epoch"
    one, other = _mean(variant, metric), _mean(baseline, metric)
    if one is not None and other is not None:
        over = f"{one[1]}" if one[1] == other[1] else f"{one[1]} and {other[1]}"
        yield (
            f"Validation {found.search.metric}, no verdict",
            f"{shown_result(found.search, one[0])} ({baseline.arm.name}: {shown_result(found.search, other[0])}), "
            f"means over {over} fresh seeds",
        )
    yield "Chosen on seeds", seeds_named(range(SEARCH + 1, SEARCH + chosen.seeds + 1))


def _fresh(confirmed: Answers, block: int) -> str:
    seeds = [block + seed for seed, _ in confirmed.answers[0].contrasts]
    return seeds_named(seeds) if seeds else f"from {block + 1} on; no one that both have yet"


def _seconds(arm: ArmTrials, clock: str) -> str | None:
    taken = seconds_of(arm.trials, "train", clock=clock)
    return duration(sum(taken) / len(taken)) if taken else None


def _mean(arm: ArmTrials, metric: str) -> tuple[float, int] | None:
    values = [
        one.outcome.metrics[metric]
        for one in arm.trials
        if one.outcome.state == "finished" and metric in one.outcome.metrics
    ]
    return (sum(values) / len(values), len(values)) if values else None


def estimates(found: Searched) -> tuple[str, ...]:
    """What the search itself saw, sentence by sentence: none of it is evidence."""
    plateau = () if found.plateau is None else (found.plateau.sentence,)
    return (found.search_sentence, *(one.sentence for one in found.cheapest), *plateau)


def caveats(found: Searched) -> tuple[str, ...]:
    """Reasons to trust its confirmation less."""
    answer = found.answer
    return () if answer is None else tuple(dict.fromkeys(map(str, answer.caveats)))


def searched_lines(found: Searched) -> Iterator[str]:
    """All of it as plain text, a line each."""
    yield f"{found.search.id}: {found.sentence}"
    yield from (f"caveat: {one}" for one in caveats(found))
    yield f"{NO_EVIDENCE}: {' '.join(estimates(found))}"


def searched_html(found: Searched) -> str:
    """For a notebook: the question, the confirmation, the facts of the candidate, and greyed what the search saw."""
    parts = [
        f"<p><strong>{escape(found.search.id)}</strong> {escape(asked(found))}</p>",
        f"<p>{escape(found.sentence)}</p>",
    ]
    facts = candidate_facts(found)
    if facts:
        parts.append(table(("confirmation", ""), [(escape(name), escape(value)) for name, value in facts]))
    if said := caveats(found):
        parts.append(f"<ul>{''.join(f'<li>caveat: {escape(one)}</li>' for one in said)}</ul>")
    seen = "".join(f"<li><small>{escape(one)}</small></li>" for one in estimates(found))
    parts.append(f"<p><small>The search itself: {NO_EVIDENCE}.</small></p><ul>{seen}</ul>")
    return "".join(parts)


def searched_markdown(found: Searched) -> str:
    return "\n".join(markdown_lines(found))


def markdown_lines(found: Searched) -> Iterator[str]:
    """The same as a list, without a heading."""
    yield from (f"> {escaped(asked(found))}", "", f"**{escaped(found.sentence)}**", "")
    facts = [f"- {escaped(name)}: {escaped(value)}" for name, value in candidate_facts(found)]
    facts += [f"- *caveat: {escaped(one)}*" for one in caveats(found)]
    if facts:
        yield from (*facts, "")
    yield from (f"*The search itself: {NO_EVIDENCE}.*", "")
    yield from (f"- *{escaped(one)}*" for one in estimates(found))


def begun(answers: Answers) -> tuple[Searched, ...]:
    """The searches that have proposed anything."""
    return tuple(found for found in answers.searches if found.points)


def every_trial(answers: Answers) -> list[StoredTrial]:
    """The stored trials of the study's arms, of its searches and of their confirmations, each once."""
    arms = [arm.trials for arm in answers.arms]
    for found in answers.searches:
        arms += [found.baseline.trials, *(point.trials for point in found.points)]
        arms += [] if found.confirmation is None else [arm.trials for arm in found.confirmation.arms]
    return list({trial.key: trial for trials in arms for trial in trials}.values())


def state_of_searches(answers: Answers) -> str:
    """How far the searches are, in a sentence; empty for a study without any."""
    if not answers.searches:
        return ""
    judged = [found.answer for found in answers.searches if found.answer is not None]
    settled = sum(answer.settled for answer in judged)
    untried = len(answers.searches) - len(begun(answers))
    counts = {
        "with a settled candidate": settled,
        "with a candidate not settled yet": len(judged) - settled,
        "without a candidate yet": len(begun(answers)) - len(judged),
        "not begun": untried,
    }
    total = len(answers.searches)
    known = [(count, what) for what, count in counts.items() if count]
    if len(known) == 1:
        return f"{total} {'search' if total == 1 else 'searches'}, {known[0][1]}."
    return f"{total} searches: {', '.join(f'{count} {what}' for count, what in known)}."
