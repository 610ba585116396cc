"""How the answers came about, in ten lines, with the study's own numbers."""

from __future__ import annotations

from fairtrial.analysis.sentences import amount, count_of
from fairtrial.study.check import verdicts_by_place
from fairtrial.study.schema import Study


def method(study: Study) -> tuple[str, ...]:
    """Ten sentences; the guarantee is the last but one, where anything is asked. One more of a study that searches."""
    verdicts = verdicts_by_place(study)
    count = sum(verdicts.values())
    margins = ", ".join(
        (
            f"{amount(study.margins.accuracy, 'accuracy')} of accuracy",
            f"{100 * study.margins.loss:g} % of the baseline's loss",
            f"{100 * study.margins.time:g} % of time",
        )
    )
    promise = f"{100 * study.confidence:g} %"
    return (
        "Arms, questions, margins, confidence and the largest number of seeds were fixed before anything was trained.",
        "Each trial trains one network from scratch; its seed fixes initial weights, order of images and split, each "
        "by a stream of its own, so that layers two arms share start alike.",
        "Validation images are drawn once per seed and never trained on, unless an arm says otherwise; every trial "
        "counts those it touched.",
        "Test images are evaluated in the last epoch alone and steer nothing.",
        "Questions are decided on the mean of several evaluations during the last epoch, which needs a fraction of the "
        "seeds that the very end does.",
        "Variant and baseline are compared seed by seed; the contrast is variant minus baseline, for times the "
        "logarithm of their ratio.",
        f"After every seed from {study.seeds.min} to {study.seeds.max} a repeated confidence interval is computed "
        "(Student's t at a level that counts all looks; Jennison and Turnbull 2000, chapter 9).",
        f"A change matters from the margin on: {margins}. The interval's place against zero and the margin is the "
        "verdict.",
        *(
            [
                f"With probability at least {promise} every verdict of this study is true: the allowed error is shared "
                f"by all {count_of(count, 'verdict')} it declares (Bonferroni), however early the training stopped."
            ]
            if count or not study.search
            else []
        ),
        *((_SEARCHES.format(promise=promise),) if study.search else ()),
        "The promise covers seeds, not data: other images, other machines and settings tuned anew are not spoken of. A "
        "diverged or failed run makes a comparison unstable.",
    )


_SEARCHES = (
    "A search selects on validation images and on seeds of its own and proves nothing; its one frozen candidate is judged on "
    "test images and fresh seeds, true with probability at least {promise} for each search by itself."
)
