"""Randomness that nobody fixed, and settings compared by a single run each."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fairtrial.audit.document import Place
from fairtrial.audit.experiment import Experiments
from fairtrial.audit.finding import Finding
from fairtrial.audit.program import Program
from fairtrial.audit.rules.copies import cell_of, copied_cells
from fairtrial.audit.tracing.events import CrossValidated, Divided, Log, Loop, Seeded, Training
from fairtrial.audit.tracing.seeding import KEYWORDS

REPEATS = ("seed", "run", "rep", "trial", "fold", "restart", "replicate", "attempt", "iteration")
TARGETS = {"y", "label", "labels", "target", "targets"}
"""What a loop binds when each of its rounds has a task of its own."""
SHOWS = ("predict", "score", "evaluat", "report", "metric", "accuracy", "error", "confusion", "test")
REPEATED_CALLS = {
    "cross_val_score",
    "cross_validate",
    "cross_val_predict",
    "GridSearchCV",
    "RandomizedSearchCV",
    "HalvingGridSearchCV",
    "BayesSearchCV",
    "learning_curve",
    "validation_curve",
}


def unseeded(program: Program, log: Log) -> Iterator[Finding]:
    """Training with random numbers, and nothing in the file that sets a seed."""
    random = [
        event
        for event in log.events
        if (isinstance(event, Training) and event.stochastic)
        or (isinstance(event, Divided) and not event.fixed)
    ]
    if not random or any(isinstance(event, Seeded) for event in log.events) or _seeds(program.statements):
        return
    trainings = [event for event in random if isinstance(event, Training)]
    line = (trainings or random)[0].line
    yield Finding(
        "no-seed",
        program.place(line),
        program.said(line),
        "Nothing in the file sets a seed, so that its numbers cannot be had again.",
        "Nobody can tell a difference between two settings from a difference between two runs of one.",
        "Set a seed before anything random happens, such as keras.utils.set_random_seed(1), torch.manual_seed(1) or"
        " random_state=1, and repeat with others.",
        "certain",
        serious=False,
    )


def _seeds(statements: Sequence[ast.stmt]) -> bool:
    """Whether a dictionary of settings holds a seed, wherever it goes."""
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    named = isinstance(key, ast.Constant) and key.value in KEYWORDS
                    if named and not (isinstance(value, ast.Constant) and value.value is None):
                        return True
    return False


def once_each(program: Program, log: Log, experiments: Experiments) -> Iterator[Finding]:
    """Several settings on the same data, each trained once."""
    trainings = [event for event in log.events if isinstance(event, Training) and not event.same_target]
    # Only a conclusion can be false: a text that asks and does not answer has none.
    serious = any(asked.statements for asked in experiments.asked)
    if not trainings:
        yield from _printed(experiments, serious=serious)
        return
    if _repeated(program, log, trainings) or not _shown(program, trainings):
        return
    copies = copied_cells(program)
    alone = _alone(log, [event for event in trainings if cell_of(program, event.line) not in copies])
    if len(alone) > 1:
        lines = [event.line for event in alone]
        how = "several" if len(set(lines)) < len(lines) else str(len(lines))
        yield _once(
            program.place(lines[0]),
            program.said(lines[0]),
            f"{how} settings",
            serious=serious,
            random=any(event.stochastic or event.library != "sklearn" for event in alone),
        )


def _shown(program: Program, trainings: list[Training]) -> bool:
    """Whether anything tells how the models do; networks say it while they train."""
    if any(event.library in ("keras", "torch") for event in trainings):
        return True
    calls = (node for each in program.statements for node in ast.walk(each) if isinstance(node, ast.Call))
    names = (getattr(call.func, "attr", getattr(call.func, "id", "")).lower() for call in calls)
    return any(word in name for name in names if name != "train_test_split" for word in SHOWS)


def _repeated(program: Program, log: Log, trainings: list[Training]) -> bool:
    """Whether anything here is repeated over seeds or folds."""
    if any(isinstance(event, CrossValidated) for event in log.events) or any(e.searches for e in trainings):
        return True
    for statement in program.statements:
        for node in ast.walk(statement):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
            if name in REPEATED_CALLS and isinstance(getattr(node, "ctx", None), ast.Load):
                return True
    seeded = [event for event in log.events if isinstance(event, Seeded)]
    return any(
        loop in event.created and _repeats(log.loops[loop], loop, seeded)
        for event in trainings
        for loop in event.loops
    )


def _repeats(loop: Loop, ident: int, seeded: list[Seeded]) -> bool:
    """Whether a loop trains the same again: over folds, over seeds, or over a number it makes no use of."""
    if loop.over == "folds" or any(word in target.lower() for target in loop.targets for word in REPEATS):
        return True
    if any(
        ident in event.rounds or (ident in event.loops and event.names & set(loop.targets))
        for event in seeded
    ):
        return True
    return loop.over == "range" and not loop.used & set(loop.targets)


def _alone(log: Log, trainings: list[Training]) -> list[Training]:
    """The largest group of trainings on the same rows; one in a loop over settings stands there twice."""
    groups: dict[object, dict[object, list[Training]]] = {}
    for event in trainings:
        phases = [loop for loop in event.loops if loop not in event.created]
        # Two models that learn in one loop, such as a generator and its judge, are one experiment.
        run = (
            (event.model, event.created)
            if event.library != "torch"
            else (phases[0] if phases else event.model)
        )
        if event.library == "torch" and not event.model:
            continue
        if not event.labelled:
            continue
        rows = event.rows if event.library != "torch" else frozenset[int]()
        anew = any(loop in event.created and _varies(log.loops[loop]) for loop in event.loops)
        groups.setdefault(rows, {})[run] = [event] * (2 if anew else 1)
    together = [[event for events in group.values() for event in events] for group in groups.values()]
    return max(together, key=len) if together else []


def _varies(loop: Loop) -> bool:
    """Whether its rounds may be settings of one task, and not tasks."""
    return loop.over != "data" and not TARGETS & {target.lower() for target in loop.targets}


def _printed(experiments: Experiments, *, serious: bool) -> Iterator[Finding]:
    """An export without the code: each model's figures are printed once."""
    shown = [model for model in experiments.models if model.trained and model.figures]
    if len(shown) > 1 and any(asked.variant or asked.statements for asked in experiments.asked):
        yield _once(shown[0].place, shown[0].title, f"{len(shown)} models", serious=serious)


def _once(place: Place, said: str, what: str, *, serious: bool, random: bool = True) -> Finding:
    """`random` says whether two runs of one setting can differ; k-NN and its like differ by the rows alone."""
    what = f"{what[:1].upper()}{what[1:]} are compared"
    return Finding(
        "one-run",
        place,
        said,
        f"{what}, each trained once."
        if random
        else f"{what} on one division of the rows, each trained once.",
        "Two runs of one setting differ by chance as well; a difference smaller than that says nothing."
        if random
        else "Other rows give other scores by chance as well; a difference smaller than that says nothing.",
        "Train each setting with several seeds and compare their means; fairtrial run does so until the answer stands."
        if random
        else "Compare the settings by cross-validation over the same folds, or over several divisions of the rows.",
        "likely",
        serious=serious,
    )
