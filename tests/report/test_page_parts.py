"""The parts of the page: pictures, curves, charts, lotteries. Known answers, not today's output."""

from __future__ import annotations

import base64
import itertools
import re
import struct
import zlib
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_trials import ERRORS, STUDY, fill, from_text
from safetensors.numpy import save_file

import fairtrial as ft
from fairtrial.analysis.contrast import Contrast
from fairtrial.engine.saved_weights import fingerprint
from fairtrial.errors import FairtrialError
from fairtrial.report import javascript, png, specs, svg
from fairtrial.report.curve_charts import curve_chart
from fairtrial.report.filters import filters
from fairtrial.report.javascript import Bundle
from fairtrial.report.learning import curves, learning_charts
from fairtrial.report.mistakes import mistakes
from fairtrial.report.models_chart import Model, frontier, models_charts
from fairtrial.report.pairs import pairs
from fairtrial.report.spread import Spread
from fairtrial.report.strip import reach, strip
from fairtrial.report.summary import headline
from fairtrial.store import Store
from fairtrial.trial import Predictions


def decoded(address: str) -> tuple[np.ndarray, list[tuple[int, ...]]]:
    """Pixels and palette of a PNG without filters, by the format's own rules."""
    file = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    parts: dict[bytes, bytes] = {}
    place = 8
    while place < len(file):
        (length,) = struct.unpack(">I", file[place : place + 4])
        kind, content = file[place + 4 : place + 8], file[place + 8 : place + 8 + length]
        (check,) = struct.unpack(">I", file[place + 8 + length : place + 12 + length])
        assert check == zlib.crc32(kind + content)
        parts[kind] = content
        place += 12 + length
    width, height, depth, *_ = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), dtype=np.uint8).reshape(height, -1)
    assert not rows[:, 0].any()
    pixels = rows[:, 1:]
    if depth == 4:
        pixels = np.stack([pixels >> 4, pixels & 15], axis=2).reshape(height, -1)[:, :width]
    palette = [
        tuple(parts[b"PLTE"][3 * one : 3 * one + 3]) for one in range(len(parts.get(b"PLTE", b"")) // 3)
    ]
    return pixels, palette


def test_a_picture_holds_the_pixels_it_was_given():
    """A digit shown wrongly would be the reader's, not the network's, mistake."""
    pixels = np.arange(28 * 28, dtype=np.uint16).reshape(28, 28).astype(np.uint8)
    assert np.array_equal(decoded(png.gray(pixels))[0], pixels)


def test_signs_of_weights_are_mirror_images_around_white():
    """Blue adds and orange takes away: zero must be neither."""
    pixels, palette = decoded(png.signed(np.array([[-1.0, 0.0, 1.0], [np.nan, 0.5, -0.5]])))
    colours = [[palette[one] for one in row] for row in pixels]
    assert colours[0][1] == colours[1][0] == (255, 255, 255)
    (red, _, blue), (other_red, _, other_blue) = colours[0][2], colours[0][0]
    assert blue > red
    assert other_red > other_blue
    assert len(palette) == 15


def test_mistakes_are_counted_over_all_trials_and_ranked_by_all_of_them():
    """An image that one seed is sure about must not stand before one that all seeds get wrong."""
    labels = np.array([0, 1, 2], dtype=np.uint8)

    def one(classes: list[int], probabilities: list[float]) -> Predictions:
        return Predictions(
            classes=np.array(classes, dtype=np.uint8),
            probabilities=np.array(probabilities, dtype=np.float32),
            right=np.zeros(3, dtype=np.uint8),
            evaluations=5,
        )

    found = mistakes(
        [one([1, 1, 0], [0.9, 0.8, 0.5]), one([0, 1, 0], [0.9, 0.9, 0.7])], labels, classes=3, worst=5
    )
    assert found is not None
    assert found.confusion.tolist() == [[1, 1, 0], [0, 2, 0], [2, 0, 0]]
    assert found.wrong == 3
    assert [(one.image, one.label, one.said, one.times) for one in found.worst] == [
        (2, 2, 0, 2),
        (0, 0, 1, 1),
    ]
    assert found.worst[0].probability == pytest.approx(0.6)
    assert mistakes([], labels, classes=3, worst=5) is None


def test_the_strongest_units_come_first_and_keep_their_shape(tmp_path):
    """A transposed kernel would show digits that no unit ever looked for."""
    study = from_text(STUDY, tmp_path)
    fill(study, tmp_path / "some.db", seeds=1, errors={"narrow": 0.03}, predictions=False)
    with Store.open(tmp_path / "some.db") as store:
        arm = next(one for one in ft.answers(study, store=store.path).arms if one.arm.name == "narrow")
        path = store.weights_path(arm.trials[0].key)
        kernel = np.zeros((784, 50), dtype=np.float32)
        kernel[28 * 3 + 5, 7] = 2.0  # unit 7 looks at row 3, column 5
        kernel[:, 1] = 0.01
        save_file({"dense-1/kernel": kernel}, path)
        assert filters(arm.arm, arm.trials, store) is None, "these are not the weights that were trained"
        trained = replace(arm.trials[0].outcome, weights_sha256=fingerprint({"dense-1/kernel": kernel}))
        trials = (replace(arm.trials[0], outcome=trained),)
        found = filters(arm.arm, trials, store)
        assert found is not None
        assert (found.shown, found.of, found.kind, found.seed) == (18, 50, "units", 1)
        pixels, _ = decoded(found.address)
        assert pixels[3, 5] == 14
        assert (pixels[:28, :28] != 7).sum() == 1
        path.write_bytes(path.read_bytes()[:-1])
        assert filters(arm.arm, trials, store) is None
        path.unlink()
        assert filters(arm.arm, trials, store) is None


def test_arms_along_one_number_carry_their_statement_and_every_seed(tmp_path):
    """The curve is the picture of a statement; without it the eye makes up one of its own."""
    study, found = answers_of(tmp_path, seeds=4)
    arms = {arm.arm.name: arm for arm in found.arms}
    chart = curve_chart(found.curves[0], arms)
    assert chart is not None
    assert chart.lead == found.curves[0].sentence
    assert "error guarantee" in chart.caption
    assert [part.shared["arm"] for part in chart.data["levels"]] == ["narrow", "wide", "wider"]
    assert [len(part.columns["value"]) for part in chart.data["levels"]] == [4, 4, 4]
    fewer = {name: replace(arm, trials=() if name == "wider" else arm.trials) for name, arm in arms.items()}
    rest = curve_chart(found.curves[0], fewer)
    assert rest is not None
    assert "Not trained yet: wider." in rest.caption
    none = {name: replace(arm, trials=()) for name, arm in arms.items()}
    assert curve_chart(found.curves[0], none) is None
    assert study.arms


def model(name: str, accuracy: float, seconds: float, *, leaked: bool = False) -> Model:
    return Model(
        arm=name, title=name, accuracy=Spread(mean=accuracy, sd=0.1, n=3), seconds=seconds, parameters=1000,
        leaked=leaked,
    )  # fmt: skip


def test_the_frontier_is_what_nothing_cheaper_beats_and_leaks_are_out_of_it():
    """An accuracy on images that were trained on would head every frontier."""
    models = [
        model("a", 97, 2),
        model("b", 96, 1),
        model("c", 96.5, 3),
        model("d", 99, 4),
        model("leak", 99.9, 2, leaked=True),
    ]
    assert [one.arm for one in frontier(models, "seconds")] == ["b", "a", "d"]
    chart, _ = models_charts(models, accuracy="validation")
    assert "not compared: leak" in chart.caption
    assert models_charts(models[:1], accuracy="validation") == ()


def test_arms_beside_the_frontier_are_named_where_nothing_stands_in_the_way():
    """A mark without a name is a riddle; a name on top of other marks is one for two."""
    crowd = [model(f"crowded-{number}", 95 + 0.01 * number, 20) for number in range(5)]
    models = [model("best", 99, 4), model("alone", 90, 1.2), model("cheap", 96, 1), *crowd]
    (columns,) = (part.columns for part in models_charts(models, accuracy="validation")[0].data["models"])
    named = {one for side in ("label", "label_left") for one in columns[side] if one}
    assert named >= {"best", "cheap", "alone"}
    assert len(named & {one.arm for one in crowd}) == 1


@pytest.mark.parametrize(
    "spec",
    [
        specs.curves("accuracy"),
        specs.curves("loss"),
        specs.contrasts("pp", margin=True, interval=True),
        specs.contrasts("", margin=False, interval=False),
        specs.seconds(),
        specs.models("seconds", "Test", (1.0, 2.0)),
        specs.levels("network.mlp.width", (50.0, 200.0), "Accuracy (%)", fitted=True, margin=True),
        specs.levels("network.mlp.width", (50.0, 200.0), "Loss", fitted=False, margin=False),
    ],
)
def test_vega_lite_allows_every_kind_of_chart_and_it_holds_no_address(spec):
    """Pages do not check their specifications; nothing in them may ask for data elsewhere."""
    import altair as alt

    alt.Chart.from_dict(dict(spec), validate=True)
    assert "http" not in str(spec)
    assert "url" not in str(spec)
    assert {param["name"] for param in spec["params"]} >= {"hidden", "accent", "muted", "zoom"}


def answers_of(folder, *, seeds: int, errors: dict[str, float] | None = None):
    study = from_text(STUDY, folder)
    fill(study, folder / "some.db", seeds=seeds, errors=errors or ERRORS, predictions=False, weights=False)
    return study, ft.answers(study, store=folder / "some.db")


def test_a_summary_of_many_epochs_keeps_mean_lowest_and_highest(tmp_path):
    """A page of a large study leaves seeds out and must not change what is left."""
    _, found = answers_of(tmp_path, seeds=5)
    arm = found.arms[0]
    every, summed = curves(arm, each_seed=True), curves(arm, each_seed=False)
    assert every is not None
    assert summed is not None
    assert summed.values["va"].shape == (3, 4)
    assert summed.values["va"][0] == pytest.approx(every.values["va"].min(axis=0))
    assert summed.values["va"][1] == pytest.approx(every.values["va"].mean(axis=0))
    assert summed.values["va"][2] == pytest.approx(every.values["va"].max(axis=0))
    assert "every seed thin" in learning_charts([every])[0].caption
    assert "every seed thin" not in learning_charts([summed])[0].caption
    assert every.epochs == summed.epochs == (1, 2, 3, 4)
    assert curves(replace(arm, trials=()), each_seed=True) is None


def test_a_summary_of_very_many_epochs_keeps_the_first_and_the_last_of_them(tmp_path):
    """Two hundred arms of a hundred epochs must open; the values that are drawn stay those of their epochs."""
    _, found = answers_of(tmp_path, seeds=2)
    arm = found.arms[0]
    (record, *_) = arm.trials[0].outcome.history
    long = tuple(record._replace(epoch=epoch, train_accuracy=epoch / 100) for epoch in range(1, 101))
    trials = tuple(replace(one, outcome=replace(one.outcome, history=long)) for one in arm.trials)
    summed = curves(replace(arm, trials=trials), each_seed=False)
    assert summed is not None
    assert (len(summed.epochs), summed.epochs[0], summed.epochs[-1]) == (30, 1, 100)
    assert summed.mean("ta") == pytest.approx(np.array(summed.epochs))
    assert summed.columns["epoch"] == list(summed.epochs) * 3
    every = curves(replace(arm, trials=trials), each_seed=True)
    assert every is not None
    assert len(every.epochs) == 100


def test_a_summary_draws_the_same_mean_and_the_same_band(tmp_path):
    """Lowest, mean and highest are three rows, and their average is something else than the mean."""
    _, found = answers_of(tmp_path, seeds=5)
    drawings: list[str] = []
    for each_seed in (True, False):
        shown = curves(found.arms[0], each_seed=each_seed)
        assert shown is not None
        drawings.append(learning_charts([shown])[0].drawing)
        edges = shown.columns.get("edge", [False] * 20)
        means = [value for value, edge in zip(shown.columns["va"], edges, strict=True) if not edge]
        assert np.mean(means) == pytest.approx(shown.mean("va").mean(), abs=0.005)
    for role in ("mean variant validation", "band variant train"):
        every, summed = (one(rf'class="{role}" d="([^"]+)"', drawing) for drawing in drawings)
        assert every == summed


def one(pattern: str, text: str) -> str:
    """What the pattern's group found, which must be there."""
    found = re.search(pattern, text)
    assert found is not None, pattern
    return found[1]


def compared(variant: list[float], baseline: list[float]) -> Contrast:
    seeds = tuple(range(1, len(variant) + 1))
    return Contrast(
        metric="accuracy",
        seeds=seeds,
        variant=np.array(variant),
        baseline=np.array(baseline),
        looked_at=seeds,
    )


def answer_of(tmp_path, **changed):
    _, found = answers_of(tmp_path, seeds=3)
    return replace(found["Q1"].accuracy, **changed)


@pytest.mark.parametrize(
    ("verdict", "share", "big", "says"),
    [
        ("increase that matters", 0.25, "25 %", "the opposite"),
        ("decrease that matters", 0.75, "75 %", "the opposite"),
        ("no difference that matters", 1.0, "100 %", "a difference that matters"),
        ("not worse", 0.25, "25 %", "worse by more than the margin"),
        ("undecided", 0.75, "3 of 4", "have wide higher, 1 lower"),
    ],
)
def test_the_lottery_draws_the_share_that_it_tells(tmp_path, verdict, share, big, says):
    """The dark part of the square is read as a probability, so it must be one."""
    answer = answer_of(tmp_path, verdict=verdict, margin=0.001)
    found = pairs(answer, compared([0.97, 0.98], [0.96, 0.975]))
    assert found is not None
    assert (found.share, found.big) == (share, big)
    assert says in found.says
    dark = one(r'class="dark[^"]*" d="([^"]+)"', found.drawing)
    boxes = re.findall(r"h([\d.]+)v([\d.]+)h", dark)
    assert sum(float(width) * float(height) for width, height in boxes) == pytest.approx(
        share * 96**2, rel=0.01
    )


def test_no_runs_have_no_lottery(tmp_path):
    """An empty square would read as nought per cent."""
    assert pairs(answer_of(tmp_path), compared([], [])) is None


def places(drawing: str) -> tuple[float, float, float]:
    """Where the interval begins and ends, and where its estimate is."""
    interval = one(r'class="interval [^"]*" ([^/]*)/', drawing)
    return (
        float(one(r'x1="([\d.]+)"', interval)),
        float(one(r'x2="([\d.]+)"', interval)),
        float(one(r'cx="([\d.]+)"', drawing)),
    )


def test_an_interval_stands_on_its_own_side_of_zero_and_the_margin(tmp_path):
    """The small picture is looked at first; a sentence is read by half of those who look."""
    answer = answer_of(
        tmp_path, verdict="increase that matters", estimate=0.01, low=0.005, high=0.02, margin=0.001
    )
    mirrored = replace(answer, verdict="decrease that matters", estimate=-0.01, low=-0.02, high=-0.005)
    wide = reach([answer, mirrored])
    right, left = places(strip(answer, reach=wide)), places(strip(mirrored, reach=wide))
    band = re.search(r'class="band" x="([\d.]+)" y="14" width="([\d.]+)"', strip(answer, reach=wide))
    assert band is not None
    edge = float(band[1]) + float(band[2])
    assert 150 < edge < right[0] < right[2] < right[1] < 300
    assert left == pytest.approx((300 - right[1], 300 - right[0], 300 - right[2]), abs=0.11)
    inside = replace(answer, estimate=0.0, low=-0.0005, high=0.0005)
    low, high, middle = places(strip(inside, reach=wide))
    assert float(band[1]) < low < middle == 150 < high < edge


def test_a_time_is_drawn_as_a_ratio(tmp_path):
    """Twice as long is as far from one as half as long."""
    answer = answer_of(tmp_path, metric="time", on=None, estimate=2.0, low=1.5, high=2.7, margin=0.05)
    slower, faster = (
        strip(answer, reach=30),
        strip(replace(answer, estimate=0.5, low=1 / 2.7, high=1 / 1.5), reach=30),
    )
    assert places(slower)[2] - 150 == pytest.approx(150 - places(faster)[2], abs=0.11)
    assert "×1<" in slower
    assert "pp" not in re.sub(r'aria-label="[^"]*"', "", slower)


def test_the_small_picture_says_its_number_inside_its_frame(tmp_path):
    """A scale that opens out is read by its number; one at the edge must not be cut off."""
    far = answer_of(
        tmp_path, verdict="decrease that matters", estimate=-0.9, low=-0.95, high=-0.8, margin=0.001
    )
    drawn = strip(far, reach=reach([far]))
    assert one(r'class="value middle" x="[\d.]+" y="10">([^<]+)<', drawn) == "−90.00 pp"
    assert float(one(r'class="value middle" x="([\d.]+)"', drawn)) >= 36


def test_intervals_beyond_all_accuracies_end_where_these_end_and_the_scale_can_be_read(tmp_path):
    """Three seeds that scatter: an interval of a thousand points would squeeze everything else together."""
    wild = answer_of(tmp_path, estimate=0.05, low=-30.0, high=31.0, margin=0.001)
    assert reach([wild]) == pytest.approx(1000 * 1.15)
    drawn = strip(wild, reach=reach([wild]))
    ticks = [
        (float(x), text) for x, text in re.findall(r'class="tick middle" x="([\d.]+)" y="60">([^<]+)<', drawn)
    ]
    assert {"−100", "0 pp", "+100"} <= {text for _, text in ticks}
    for (left, one_text), (right, other) in itertools.pairwise(sorted(ticks)):
        assert right - left >= 3 * (len(one_text) + len(other))


def test_what_is_not_known_yet_is_not_drawn(tmp_path):
    """A dot at zero would be read as no change."""
    drawn = strip(answer_of(tmp_path, estimate=None, low=None, high=None), reach=3)
    assert "circle" not in drawn
    assert "nothing to draw yet" in drawn


def test_text_in_drawings_is_escaped_wherever_it_stands():
    """Arm names are on axes, in labels and in hints."""
    bad = "<script>\"'&"
    for drawn in (
        svg.text(1, 1, bad),
        svg.mark(1, 1, hint=bad),
        svg.drawing([], width=1, height=1, label=bad),
        svg.frame(*[svg.Scale(low=0, high=1, start=0, end=1)] * 2, across=bad, up=bad)[-1],
    ):
        assert "<script>" not in drawn
        assert "\"'&<" not in drawn
        assert "&lt;script&gt;" in drawn


def test_the_first_line_counts_in_words_that_fit(tmp_path):
    """ "1 stand" is read once and the page is closed."""
    _, found = answers_of(tmp_path, seeds=3)
    one = SimpleNamespace(verdict="holds")
    assert headline(replace(found, answers=(replace(found.answers[0], claims=(one,)),))) == (  # pyright: ignore
        "Of 1 claim 1 stands, 0 are contradicted."
    )
    bare = tuple(replace(answer, claims=()) for answer in found.answers)
    assert re.fullmatch(
        r"\d of 7 verdicts (is|are) settled\.|None of 7 verdicts is settled yet\.",
        headline(replace(found, answers=bare)),
    )
    assert "asks no questions" in headline(replace(found, answers=()))


def test_the_charts_script_is_joined_once_and_half_a_file_is_not_used(tmp_path, monkeypatch):
    """Joining takes seconds; a page with half a script would have no charts at all."""
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path))
    whole = "let a=1;window.fairtrialEmbed=a;"
    monkeypatch.setattr(javascript, "_PROGRAM", f"print({whole!r}, end='')")
    assert Bundle().text() == whole
    (kept,) = tmp_path.glob("vega-*.js")
    monkeypatch.setattr(javascript, "_PROGRAM", "raise SystemExit('not again')")
    assert Bundle().text() == whole
    kept.write_text(whole[:12])
    with pytest.raises(FairtrialError, match="not again"):
        Bundle().text()


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path, monkeypatch):
    """Homes are read-only in many places where reports are made."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("FAIRTRIAL_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(javascript, "_PROGRAM", "print('window.fairtrialEmbed=1', end='')")
    assert Bundle().text() == "window.fairtrialEmbed=1"


def test_time_is_shown_from_pairs_timed_in_turn_where_there_are_any(tmp_path):
    """Trials run side by side: a lottery of their clocks would be one of the machine's load."""
    from fairtrial.engine.machine import machine, processor
    from fairtrial.engine.precision import resolve
    from fairtrial.pair import ArmTimes, PairTimes
    from fairtrial.trial import Trial

    study, found = answers_of(tmp_path, seeds=3)
    before = ft.write_report(found, tmp_path / "before.html").read_text(encoding="utf-8")
    assert "no verdict rests on these clocks" in before
    trials = [
        Trial(arm=study.arms[name], seed=1, precision=resolve(study.arms[name].settings.precision))
        for name in ("wide", "narrow")
    ]
    with Store.open(tmp_path / "some.db") as store:
        for number in range(1, 5):
            sides = [
                ArmTimes(
                    arm_key=trial.arm_key, arm_name=trial.arm.name, train_seconds=seconds + 0.01 * number,
                    fit_seconds=seconds + 1, process_seconds=seconds, timed_steps=200, timed_seconds=0.5,
                )
                for trial, seconds in zip(trials, (7.0, 3.0), strict=True)
            ]  # fmt: skip
            times = PairTimes(
                seed=number, first=sides[0], second=sides[1], machine=machine(), processor=processor(), device="cpu",
                load_average=0.1, other_load=0.0, seconds=20.0, provenance={},
            )  # fmt: skip
            store.record_pair(times, first=trials[0], second=trials[1])
    after = ft.write_report(ft.answers(study, store=tmp_path / "some.db"), tmp_path / "after.html").read_text(
        encoding="utf-8"
    )
    assert "the two arms in turn and nothing of ours beside them" in after
    assert "Training seconds, on average wide 7.02 s and narrow 3.02 s." in after
    assert "Pairs timed" in after
    assert "narrow, with validation" in after
