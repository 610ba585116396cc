"""What the libraries' functions and methods give back, and what they do that the rules ask about."""

from __future__ import annotations

from dataclasses import replace

from fairtrial.audit.tracing.assigning import report
from fairtrial.audit.tracing.choosing import best_of, chosen
from fairtrial.audit.tracing.datasets import drawn, on_data
from fairtrial.audit.tracing.events import Chosen, CrossValidated, Judged, Training
from fairtrial.audit.tracing.fitting import boosted, on_object, trainer
from fairtrial.audit.tracing.inlining import bound_body
from fairtrial.audit.tracing.loading import loaded
from fairtrial.audit.tracing.request import Request
from fairtrial.audit.tracing.seeding import seeding
from fairtrial.audit.tracing.splitting import divided
from fairtrial.audit.tracing.state import Trace
from fairtrial.audit.tracing.values import UNKNOWN, Lesson, Value, carrying, flat

SHOWING = {
    "print",
    "display",
    "append",
    "info",
    "log",
    "write",
    "format",
    "add_row",
    "add_scalar",
    "debug",
    "echo",
}
METRIC = [
    "accuracy",
    "score",
    "loss",
    "entropy",
    "error",
    "mse",
    "mae",
    "rmse",
    "f1",
    "auc",
    "precision",
    "recall",
    "metric",
    "report",
    "matrix",
    "r2",
    "kappa",
]
STATISTICS = {"mean", "std", "var", "median", "nanmean", "nanstd", "quantile", "percentile", "average", "min"}
COUNTS = {"mean", "sum", "item", "float", "count_nonzero", "average", "count"}
WRAPPING = {"enumerate", "zip", "tqdm", "list", "tuple", "iter", "reversed", "track", "items", "values"}
RESCALING = {"scale", "minmax_scale", "robust_scale", "quantile_transform", "power_transform", "zscore"}
RESAMPLING = {"resample"}
PIPELINES = {"make_pipeline", "make_union", "make_column_transformer", "make_imb_pipeline"}
CROSS_VALIDATION = {
    "cross_val_score",
    "cross_validate",
    "cross_val_predict",
    "learning_curve",
    "validation_curve",
}


def called(trace: Trace, request: Request) -> Value:
    seeding(trace, request)
    last, base, function = request.last, request.base, request.function
    if last in SHOWING:
        report(trace, *request.every)
    best = best_of(trace, request)
    if best is not None:
        return best
    if function.kind == "object" or (function.kind == "unknown" and function.ident):
        return _applied(trace, request)
    if base.kind == "unknown" and not base.rows and last in ("shuffle", "take", "skip"):
        # Only a data set has these; where it came from is not known, but it is one.
        base = replace(base, kind="data", rows=trace.rows(("nameless", base.ident or request.source(-1, ""))))
        request = replace(request, base=base)
    if last == "next" and request.values:
        drawn(trace, request.values[0], request.line)
    if base.kind == "splits":
        return base  # map, filter, with_format: of all splits at once
    if last in WRAPPING and base.kind not in ("data", "object"):
        return _wrapped(request)
    if last in CROSS_VALIDATION:
        for value in request.every:
            if value.kind in ("data", "unknown") and value.rows:
                trace.note(CrossValidated(request.line, value.rows, value.lessons))
        return Value("scores", ident=trace.identity(), name="cross-validated")
    if (
        last in ("DataFrame", "Series")
        and request.values
        and request.values[0].kind in ("history", "scores", "epoch scores")
    ):
        return request.values[0]
    for known in (divided, loaded, boosted):
        value = known(trace, request)
        if value is not None:
            return value
    if base.kind == "object" or (base.kind == "unknown" and base.ident):
        value = on_object(trace, request)
        if value is not None:
            return value
    if last == "optimize" and request.values:
        return _optimised(trace, request)
    computed = _computed(trace, request)
    if computed is not None:
        return computed
    if base.kind in ("data", "unknown", "statistic", "order") and base.rows:
        return on_data(trace, request)
    return _other(trace, request)


def _wrapped(request: Request) -> Value:
    """`enumerate(loader)`, `tqdm(loader)`, `zip(a, b)`, `table.items()`: still what they go through."""
    last, base = request.last, request.base
    if last in ("items", "values"):
        if base.kind == "mapping":
            keys = [Value("constant", constant=key) for key in base.keys]
            pairs = zip(keys, base.items, strict=False)
            items = base.items if last == "values" else tuple(Value("sequence", items=pair) for pair in pairs)
            return Value("sequence", items=items, ident=base.ident, created=base.created)
        return base
    if not request.values:
        return Value("sequence", ident=0) if last in ("list", "tuple") else UNKNOWN
    if last == "enumerate":
        return _pairs(UNKNOWN, request.values[0])
    if last == "zip":
        return _pairs(*request.values)
    return request.values[0]


def _pairs(*values: Value) -> Value:
    """Lists gone through side by side; short ones pair by pair."""
    known = [value for value in values if value.kind == "sequence" and value.items]
    if known and all(value.kind == "sequence" or not value.rows for value in values):
        length = min(len(value.items) for value in known)
        rows = [
            Value(
                "sequence", items=tuple(v.items[i] if v.kind == "sequence" and v.items else v for v in values)
            )
            for i in range(length)
        ]
        return Value("sequence", items=tuple(rows))
    return Value("numbered", items=values)


def _applied(trace: Trace, request: Request) -> Value:
    """A model, layer or loss called with data."""
    function = request.function
    predictions = [value for value in request.values if value.kind == "prediction"]
    scores = [value for value in request.values if value.kind == "score"]
    called = trace.method(function, "__call__")
    if scores and (called is not None or "stop" in function.name.lower()):
        trace.note(Chosen(request.line, scores[0], "stopped", "epochs", trace.identity()))
        return UNKNOWN
    if predictions:
        loss = len(request.values) > 1 or "loss" in function.name.lower()
        if loss:
            return _judged(trace, carrying("score", *request.values), request.line)
        return carrying("prediction", *request.values)
    data = [value for value in request.values if value.rows]
    if not data:
        return UNKNOWN
    made = carrying("prediction", *data)
    return replace(made, model=function.ident, model_created=function.created)


def _judged(trace: Trace, score: Value, line: int) -> Value:
    if score.rows:
        trace.note(Judged(line, score.rows, trace.loops))
    return replace(score, line=line)


def _computed(trace: Trace, request: Request) -> Value | None:
    """A score from predictions, a statistic from data."""
    last = request.last
    every = (request.base, *request.every)
    kinds = {value.kind for value in every}
    if "hits" in kinds:
        made = carrying("score" if last in COUNTS else "hits", *every)
        return _judged(trace, made, request.line) if made.kind == "score" else made
    if "prediction" in kinds:
        words = last.lower()
        if last in ("eq", "equal", "eq_"):
            return carrying("hits", *every)
        if request.base.kind != "prediction" and any(word in words for word in METRIC):
            return _judged(trace, carrying("score", *every), request.line)
        if last in ("item", "float") or (last == "mean" and not request.values):
            return _judged(trace, carrying("score", *every), request.line)
        return carrying("prediction", *every)
    for kind in ("best", "best epoch", "scores", "epoch scores", "score"):
        found = next((value for value in every if value.kind == kind), None)
        if found is not None:
            if kind in ("best", "best epoch"):
                return found
            if kind in ("scores", "epoch scores"):
                return replace(found, kind="score") if last in COUNTS | STATISTICS else found
            return _scheduled(trace, request) or found
    known = request.function.name.startswith(("sklearn.", "scipy.stats.", "preprocessing.", "stats."))
    if known and last in RESCALING | RESAMPLING and any(value.rows for value in request.values):
        return _relearnt(request)
    if last in STATISTICS and request.base.kind in ("data", "name", "unknown") and any(v.rows for v in every):
        from_rows = carrying("statistic", *every)
        return replace(from_rows, lessons=from_rows.lessons | learnt(request, from_rows))
    return None


def learnt(request: Request, value: Value) -> frozenset[Lesson]:
    return frozenset((Lesson(request.line, f"the {request.last} of the data", value.rows, labels=False),))


def _relearnt(request: Request) -> Value:
    """Functions that scale or repeat rows by what they see in all of them."""
    data = carrying("data", *(value for value in request.values if value.rows))
    lesson = Lesson(request.line, f"{request.last}()", data.rows, labels=request.last in RESAMPLING)
    return replace(data, lessons=data.lessons | {lesson})


def _scheduled(trace: Trace, request: Request) -> Value | None:
    """`scheduler.step(loss)`: the loss steers training."""
    score = next((value for value in request.values if value.kind == "score"), None)
    if request.last == "step" and score is not None:
        trace.note(Chosen(request.line, score, "steered", "epochs", trace.identity()))
        return UNKNOWN
    return None


def _optimised(trace: Trace, request: Request) -> Value:
    """`study.optimize(objective)`: what the objective returns decides."""
    score = next(
        (inner for value in request.values for inner in flat(value) if inner.kind == "function"), None
    )
    if score is not None:
        trial = replace(
            request, function=score, values=(Value("object", name="trial", ident=trace.identity()),), named={}
        )
        value = bound_body(trace, trial)
        trace.note(Training(request.line, 0, (), trace.loops, "unknown", False, searches=True))
        if value.kind == "score":
            chosen(trace, replace(value, kind="scores"), request.line, which=True)
    return trace.made("study", request.line)


def _other(trace: Trace, request: Request) -> Value:
    """A function that nothing is known of: a new object for a class, else whatever its arguments hold."""
    last = request.last
    if last[:1].isupper() and request.function.kind == "name" and request.base.kind in ("unknown", "name"):
        data = [value for value in request.every if value.kind == "data"]
        if data and not last.endswith("Trainer"):
            return carrying("data", *data)
        made = trace.made(request.function.name, request.line, items=request.every)
        for name, value in request.named.items():
            trace.attributes[made.ident, name] = value
        if last.endswith("Trainer") and "eval_dataset" in request.named:
            return trainer(trace, request, made)
        optimised = next(
            (inner for value in request.every for inner in flat(value) if inner.kind == "parameters"), None
        )
        return (
            replace(made, model=optimised.model, model_created=optimised.model_created) if optimised else made
        )
    every = [inner for value in (request.base, *request.every) for inner in flat(value)]
    if last == "len":
        return carrying("unknown", *every)
    if last == "join" and request.values and all(isinstance(value.constant, str) for value in request.values):
        return Value("constant", constant="/".join(str(value.constant) for value in request.values))
    if last in PIPELINES:
        return trace.made(request.function.name, request.line, items=request.every)
    data = [value for value in every if value.kind in ("data", "order", "mask")]
    made = carrying(data[0].kind if data else "unknown", *every)
    shared = data[0].order if data else None
    return replace(
        made,
        name=request.function.name,
        ident=trace.identity(),
        created=trace.loops,
        line=request.line,
        order=shared,
        model=made.model if request.base.kind != "object" else request.base.ident,
    )
