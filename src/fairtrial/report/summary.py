"""A study in a line or two: what was found, what is missing, what that would cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fairtrial.analysis.outstanding import Outstanding
from fairtrial.analysis.searched_text import state_of_searches
from fairtrial.analysis.sentences import count_of
from fairtrial.analysis.values import Answer, Answers
from fairtrial.durations import duration
from fairtrial.study.schema import Study


def headline(answers: Answers) -> str:
    """One sentence: the fate of the claims where there are any, else of the questions."""
    claims = Counter(one.verdict for answer in answers for one in answer.claims)
    if total := claims.total():
        if claims["not settled"] == total:
            return f"None of {count_of(total, 'claim')} is settled yet."
        stand = claims["holds"]
        parts = [f"{claims['contradicted']} {'is' if claims['contradicted'] == 1 else 'are'} contradicted"]
        if claims["not settled"]:
            parts.append(f"{claims['not settled']} not settled yet")
        verb = "stands" if stand == 1 else "stand"
        return f"Of {count_of(total, 'claim')} {stand} {verb}, {' and '.join(parts)}."
    if not len(answers):
        states = [one for one in (state_of_searches(answers), state_of_selections(answers)) if one]
        if states:
            return " ".join(states)
        return "This study asks no questions; its arms are below."
    settled = sum(answer.settled for answer in answers)
    if not settled:
        return f"None of {count_of(len(answers), 'verdict')} is settled yet."
    return f"{settled} of {count_of(len(answers), 'verdict')} {'is' if settled == 1 else 'are'} settled."


def state_of_selections(answers: Answers) -> str:
    """How far the questions are that tune or combine first, in a sentence; empty for a study without any."""
    settled = [one.settled for one in (*answers.retuned, *answers.combined)]
    if not settled:
        return ""
    asked = f"{count_of(len(settled), 'question')} on arms tuned anew or improvements put together"
    if all(settled) or not any(settled):
        return f"{asked}, {'settled' if settled[0] else 'not settled yet'}."
    return f"{asked}: {sum(settled)} settled, {len(settled) - sum(settled)} not settled yet."


def own_promise(study: Study) -> str:
    """What the verdicts on a selection are worth, beside those of the ordinary questions."""
    return (
        f"Each of these questions has a promise of its own: with probability at least {100 * study.confidence:g} % all its "
        "verdicts are true, apart from those of the questions above."
    )


def tally(answers: Answers) -> tuple[tuple[int, str], ...]:
    """How many verdicts of each kind, in the order of their weight."""
    kinds = Counter(_kind(answer.verdict) for answer in answers)
    return tuple((kinds[kind], kind) for kind in KINDS if kinds[kind])


KINDS = ("increase", "decrease", "no difference that matters", "not worse", "undecided", "unstable")


def missing(answers: Answers, lacks: Outstanding) -> tuple[str, ...]:
    """What an unfinished study still lacks, in sentences; empty for one that is settled."""
    return tuple(_missing(answers, lacks))


def _missing(answers: Answers, lacks: Outstanding) -> Iterator[str]:
    if lacks.trials:
        how = (
            "; the time is a guess, nothing of this study was timed on this machine" if lacks.guessed else ""
        )
        yield (
            f"{lacks.trials} of the {count_of(lacks.wanted, 'trial')} that the least number of seeds takes are missing: "
            f"about {duration(lacks.seconds)} of one core{how}."
        )
    untrained = [arm.arm.name for arm in answers.arms if not arm.trials]
    if untrained:
        named = ", ".join(untrained[:8]) + (f" and {len(untrained) - 8} more" if len(untrained) > 8 else "")
        yield f"Not trained at all yet: {named}."
    untried = [found.search.id for found in answers.searches if not found.points]
    if untried:
        yield f"Not searched yet: {', '.join(untried)}."
    undecided = sum(answer.verdict == "undecided" for answer in answers)
    if undecided:
        yield (
            f"{count_of(undecided, 'verdict')} {'is' if undecided == 1 else 'are'} undecided; each says below what it "
            "is likely to need."
        )


def needs(answer: Answer, lacks: Outstanding, *, least: int) -> str:
    """What an undecided answer is likely to take, in a sentence; empty where that is not known or nothing."""
    if answer.verdict != "undecided":
        return ""
    if answer.more_seeds is not None:
        found = next(
            (
                one
                for one in lacks.open
                if (one.question, one.metric, one.on) == (answer.question, answer.metric, answer.on)
            ),
            None,
        )
        cost = (
            "" if found is None or found.seconds is None else f", about {duration(found.seconds)} of one core"
        )
        guess = " (a guess for this machine)" if cost and lacks.guessed else ""
        of = "" if answer.metric == "time" else " of both arms"
        more = count_of(answer.more_seeds, "more pair" if answer.metric == "time" else "more seed")
        return f"Likely to be settled by {more}{of}{cost}{guess}."
    if answer.metric != "time" and answer.seeds < least:
        return f"A verdict takes {least} seeds of both arms."
    return ""


def _kind(verdict: str) -> str:
    return (
        verdict.split(",")[0].removesuffix(" that matters")
        if verdict.startswith(("increase", "decrease"))
        else verdict
    )
