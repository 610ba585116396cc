"""What an arm must have measured for the questions of its study to be answered."""

from __future__ import annotations

from fairtrial.study.schema import Study


def needed(study: Study, arm: str) -> tuple[str, ...]:
    """Metrics, by the names of an outcome, that some question asks of this arm; times are measured apart."""
    wanted = [
        f"{place}_{metric}" + ("_last_epoch" if question.over == "last_epoch" else "")
        for question in (*study.questions, *study.retuned)
        if arm in (question.variant, question.baseline)
        for metric in question.metrics
        if metric != "time"
        for place in question.on
    ]
    wanted += [f"validation_{search.metric}_last_epoch" for search in study.search if arm == search.baseline]
    return tuple(dict.fromkeys(wanted))
