"""Methods of models, scalers and searches: what they learn from which rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from fairtrial.audit.tracing.events import Judged, Training
from fairtrial.audit.tracing.learners import IGNORED, LABELLED, PLAIN, STOCHASTIC
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Lesson, Value, carrying, flat

KERAS_WORDS = {"epochs", "callbacks", "validation_data", "validation_split", "steps_per_epoch", "nb_epoch"}
BOOSTING = {"xgboost", "lightgbm", "xgb", "lgb"}
JUDGES = {"evaluate", "score", "evaluate_generator"}
PREDICTS = {
    "predict",
    "predict_proba",
    "predict_classes",
    "decision_function",
    "predict_generator",
    "predict_on_batch",
    "predict_log_proba",
    "forward",
}
SAME = {
    "to",
    "cuda",
    "cpu",
    "train",
    "eval",
    "double",
    "half",
    "float",
    "requires_grad_",
    "named_steps",
    "compile",
}


def words(value: Value) -> set[str]:
    """The last words of the classes that an object is made of, its own among them."""
    found = {value.name.rpartition(".")[2]}
    for item in value.items:
        for inner in flat(item):
            if inner.kind == "object":
                found |= words(inner)
    return found


def on_object(trace: Trace, request: Request) -> Value | None:
    last, base = request.last, request.base
    own = base.name.rpartition(".")[2]
    if last in ("fit", "fit_transform", "fit_resample", "fit_sample", "adapt", "fit_on_texts"):
        if own in IGNORED:
            return request.values[0] if request.values and last != "fit" else base
        if last != "fit" or own in PLAIN | LABELLED:
            return _learnt(trace, request)
    if last in ("fit", "fit_generator", "partial_fit", "train_on_batch", "search"):
        return _trained(trace, request)
    if last in ("transform", "texts_to_sequences", "texts_to_matrix", "inverse_transform") and request.values:
        return _transformed(trace, request)
    if last in JUDGES and request.every:
        return _judged(trace, request, "score")
    if last in PREDICTS and request.every:
        return _judged(trace, request, "prediction")
    if last in ("parameters", "named_parameters"):
        return Value("parameters", model=base.ident, model_created=base.created)
    if last in ("backward", "step", "apply_gradients", "minimize"):
        return _stepped(trace, request)
    if last == "test" and request.every:
        return _judged(trace, request, "score")
    return base if last in SAME and base.kind == "object" else None


def _learnt(trace: Trace, request: Request) -> Value:
    """A scaler fitted to rows, and for fit_transform the rows with what it learnt."""
    base, data = request.base, request.values[0] if request.values else UNKNOWN
    if not data.rows and data.kind != "sequence":
        data = replace(data, kind="data", rows=trace.rows(("named", request.source(0, "X"))))
    data = carrying("data", *flat(data)) if data.kind == "sequence" else data
    parts = words(base)
    name = base.name.rpartition(".")[2]
    if parts & (PLAIN | LABELLED) or request.last in ("adapt", "fit_on_texts", "fit_resample", "fit_sample"):
        labels = bool(parts & LABELLED)
        lesson = Lesson(request.line, name, data.rows, labels)
        if request.last == "adapt":
            trace.log.adapted.append(lesson)
        learnt = frozenset((lesson,))
        trace.lessons[base.ident] = Value(lessons=learnt)
        if request.last in ("fit", "adapt", "fit_on_texts"):
            return base
        made = replace(data, lessons=data.lessons | learnt)
        trace.carry(made.rows, Value(lessons=learnt))
        if request.last in ("fit_resample", "fit_sample"):
            return Value("sequence", items=(made, made))
        return made
    if request.last == "fit_transform":
        return data
    return _trained(trace, request)


def _transformed(trace: Trace, request: Request) -> Value:
    data = request.values[0]
    learnt = trace.lessons.get(request.base.ident, UNKNOWN)
    made = replace(data, lessons=data.lessons | learnt.lessons)
    trace.carry(made.rows, learnt)
    return made


def _trained(trace: Trace, request: Request) -> Value:
    base, last = request.base, request.last
    own = words(base)
    searches = last == "search" or any(word.endswith("SearchCV") for word in own)
    keras = bool(KERAS_WORDS & set(request.named)) or bool(own & {"Sequential", "Model", "Functional"})
    library: Literal["keras", "torch", "sklearn", "unknown"] = "keras" if keras else "unknown"
    first = request.argument(0, "X")
    if not keras and len(request.every) and (first.rows or len(request.values) > 1):
        library = "sklearn"
    if last in ("train_on_batch", "partial_fit"):
        library = "torch"  # a training loop written by hand, whatever the library
    validation, line = _validation(trace, request)
    if own & {"Trainer"}:
        library, keras = "torch", True
        base = next((value for value in request.values if value.kind == "object"), base)
    held = carrying("data", *validation)
    trace.note(
        Training(
            request.line,
            base.ident,
            base.created,
            trace.loops,
            library,
            stochastic=keras or any(word.startswith(STOCHASTIC) for word in own),
            rows=first.rows,
            validation=held.rows,
            validation_line=line,
            selects=_selecting(trace, request, searches=searches),
            same_target=bool(request.source(0, "x")) and request.source(0, "x") == request.source(1, "y"),
            inner_split="validation_split" in request.named,
            searches=searches,
            labelled=keras or len(request.values) > 1 or "y" in request.named,
        )
    )
    if library == "keras" and last != "search":
        rows = held.rows or (first.rows if "validation_split" in request.named else frozenset[int]())
        return Value("history", model=base.ident, model_created=base.created, rows=rows, created=trace.loops)
    return base


def boosted(trace: Trace, request: Request) -> Value | None:
    """`xgb.train(parameters, rows, evals=...)` and `lgb.train(..., valid_sets=...)`."""
    given = next((name for name in ("evals", "valid_sets") if name in request.named), None)
    if request.last != "train" or (given is None and request.function.name.partition(".")[0] not in BOOSTING):
        return None
    made = trace.made("Booster", request.line)
    sets = request.named[given].items if given else ()
    pairs = [value.items[0] if value.items else value for value in sets]
    held = carrying("data", *pairs) if pairs else UNKNOWN
    selects = _selecting(trace, request, searches=False)
    rows = request.argument(1, "dtrain").rows
    line = next((each.value.lineno for each in request.node.keywords if each.arg == given), request.line)
    trace.note(
        Training(
            request.line, made.ident, made.created, trace.loops, "sklearn", False,
            rows=rows, validation=held.rows, validation_line=line, selects=selects,
        )
    )  # fmt: skip
    return made


def trainer(trace: Trace, request: Request, made: Value) -> Value:
    """A trainer that is given its rows when it is made; what it keeps by them is said in its arguments."""
    given = trace.attribute(request.named.get("args", UNKNOWN), "load_best_model_at_end")
    line = next(each.value.lineno for each in request.node.keywords if each.arg == "eval_dataset")
    trace.note(
        Training(
            request.line, made.ident, made.created, trace.loops, "torch", True,
            rows=request.named.get("train_dataset", UNKNOWN).rows,
            validation=request.named["eval_dataset"].rows,
            validation_line=line,
            selects="the checkpoint kept" if given.constant else "",
        )
    )  # fmt: skip
    return made


def _validation(trace: Trace, request: Request) -> tuple[list[Value], int]:
    """What a fit is validated on, and the line that says so."""
    own = words(request.base)
    for name, position in (
        ("validation_data", 7),
        ("eval_set", -1),
        ("val_dataloaders", 2),
        ("eval_dataset", -1),
    ):
        if (name == "val_dataloaders" and "Trainer" not in own) or (
            name == "validation_data"
            and not (own & {"Sequential", "Model", "Functional"} or name in request.named)
        ):
            continue
        value = request.argument(position, name)
        if value is UNKNOWN:
            continue
        line = next((each.value.lineno for each in request.node.keywords if each.arg == name), request.line)
        if value.kind == "sequence" and value.items and name != "eval_set":
            return [value.items[0]], line
        pairs = [item.items[0] if item.items else item for item in value.items] or [value]
        return [pair for pair in pairs if pair.rows], line
    return [], 0


def _selecting(trace: Trace, request: Request, *, searches: bool) -> str:
    if searches:
        return "a search for the best settings"
    for value in flat(request.named.get("callbacks", UNKNOWN)):
        word = value.name.rpartition(".")[2]
        monitor = trace.attribute(value, "monitor").constant
        watches = monitor is None or str(monitor).startswith("val")
        if watches and word in ("EarlyStopping", "early_stopping", "ModelCheckpoint", "ReduceLROnPlateau"):
            return {"ModelCheckpoint": "the checkpoint kept", "ReduceLROnPlateau": "the learning rate"}.get(
                word, "early stopping"
            )
    rounds = "early_stopping_rounds"
    if rounds in request.named or trace.attribute(request.base, rounds).kind != "unknown":
        return "early stopping"
    return ""


def _judged(trace: Trace, request: Request, kind: Literal["score", "prediction"]) -> Value:
    base = request.base
    data = [inner for value in request.every for inner in flat(value) if inner.rows]
    first = data[:1]
    if not first:
        return replace(UNKNOWN, ident=trace.identity())
    trace.note(Judged(request.line, first[0].rows, trace.loops))
    made = carrying(kind, *first)
    return replace(made, model=base.ident, model_created=base.created, line=request.line, lessons=frozenset())


def _stepped(trace: Trace, request: Request) -> Value | None:
    """One step of a training loop written by hand."""
    base = request.base
    given = next((value for value in request.every if value.kind == "object" and value.model), None)
    model = base if base.model else given
    score = next((value for value in request.every if value.kind == "score"), None)
    if request.last == "step" and (score is not None or model is None):
        return None
    trace.note(
        Training(
            request.line,
            model.model if model else 0,
            model.model_created if model else (),
            trace.loops,
            "torch",
            stochastic=True,
        )
    )
    return UNKNOWN
