"""`fairtrial compare` on files: known answers, symmetry, and a refusal for every broken file."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from scipy import stats
from typer.testing import CliRunner, Result

from fairtrial.cli.app import app
from fairtrial.stats.verdict import Verdict, mirrored

Run = Callable[..., Result]

# Contrasts, verdict and 95 % interval at horizon 30 and margin 0.1.
KNOWN: list[tuple[list[float], str, tuple[float, float] | None]] = [
    (
        [0.12, 0.31, 0.05, 0.22, 0.18, 0.27, 0.09, 0.15],
        "increase, size not settled",
        (0.052191, 0.295309),
    ),
    (
        [0.02, -0.03, 0.01, 0.04, -0.02, 0, 0.03, -0.01, 0.01, -0.02],
        "no difference that matters",
        (-0.022904, 0.028904),
    ),
    (
        [0.05, 0.04, 0.06, 0.05, 0.045, 0.055, 0.05, 0.048, 0.052, 0.05],
        "increase, smaller than matters",
        (0.044001, 0.055999),
    ),
    ([0.9, 1.1, 1.0, 0.95], "increase that matters", (0.693621, 1.281379)),
    ([-0.5, -0.7, -0.6, -0.65, -0.55], "decrease that matters", (-0.785745, -0.414255)),
    ([0.2, -0.1, 0.3], "undecided", (-1.375935, 1.642602)),
    ([0.1, 0.1, 0.1], "undecided", None),
]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """`run("A.csv", "B.csv")` is `fairtrial compare A.csv B.csv` in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda *words, **given: CliRunner().invoke(app, ["compare", *words], **given)


def write(name: str, values: Sequence[float | str], *, seeds: Sequence[int] | None = None) -> None:
    rows = zip(seeds or range(1, len(values) + 1), values, strict=True)
    Path(name).write_text("seed,acc\n" + "".join(f"{seed},{value}\n" for seed, value in rows))


def found(run: Run, *words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(("contrasts", "verdict", "interval"), KNOWN)
def test_known_contrasts_get_their_known_answers(
    run: Run, contrasts: list[float], verdict: str, interval: tuple[float, float] | None
) -> None:
    """The figures were worked out independently, to six decimals."""
    write("A.csv", contrasts)
    write("B.csv", [0.0] * len(contrasts))
    one = found(run, "A.csv", "B.csv", "--margin", "0.1", "--horizon", "30")
    assert one["verdict"] == verdict
    if interval is None:
        assert one["low"] is None and one["high"] is None
    else:
        assert (one["low"], one["high"]) == pytest.approx(interval, abs=2e-6, rel=5e-6)
    assert (one["n"], one["variant"], one["baseline"]) == (len(contrasts), "A.csv", "B.csv")


@pytest.mark.parametrize(("contrasts", "verdict", "interval"), KNOWN)
def test_swapping_the_files_mirrors_the_answer(
    run: Run, contrasts: list[float], verdict: str, interval: tuple[float, float] | None
) -> None:
    """Which file is called the baseline must not decide what is found."""
    write("A.csv", [0.5 + value for value in contrasts])
    write("B.csv", [0.5] * len(contrasts))
    there, back = (
        found(run, *files, "--margin", "0.1") for files in (("A.csv", "B.csv"), ("B.csv", "A.csv"))
    )
    assert back["verdict"] == mirrored(Verdict(there["verdict"]))
    assert back["estimate"] == pytest.approx(-there["estimate"])
    if interval is not None:
        assert (back["low"], back["high"]) == pytest.approx((-there["high"], -there["low"]))


def test_rows_are_paired_by_seed_not_by_line(run: Run) -> None:
    """Two programs write their runs in whatever order these finished."""
    write("A.csv", [0.91, 0.95, 0.93], seeds=[1, 3, 2])
    write("B.csv", [0.90, 0.92, 0.94], seeds=[1, 2, 3])
    assert found(run, "A.csv", "B.csv")["verdict"] == "undecided"
    assert "the same on every seed" in found(run, "A.csv", "B.csv")["sentence"]


def test_no_common_seed_is_refused(run: Run) -> None:
    """Pairing line by line would be a guess."""
    write("A.csv", [0.9, 0.91, 0.92], seeds=[1, 2, 3])
    write("B.csv", [0.9, 0.91, 0.92], seeds=[4, 5, 6])
    done = run("A.csv", "B.csv")
    assert done.exit_code == 2
    assert "share no seed (seeds 1 to 3 against seeds 4 to 6)" in done.stderr
    assert "--unpaired" in done.stderr


def test_seeds_of_one_file_alone_are_left_out_and_named(run: Run) -> None:
    """Half of the data must not vanish without a word."""
    write("A.csv", [0.9, 0.91, 0.93, 0.95], seeds=[1, 2, 3, 4])
    write("B.csv", [0.8, 0.82, 0.81, 0.9, 0.9], seeds=[2, 3, 4, 8, 9])
    one = found(run, "A.csv", "B.csv")
    assert one["n"] == 3
    assert one["caveats"] == [
        "left out: 1 seed of A.csv (1) and 2 seeds of B.csv (8, 9), which the other does not have"
    ]


def test_a_plan_gets_the_plain_t_interval_and_only_if_it_was_kept(run: Run) -> None:
    """A number of seeds fixed beforehand is one look; one that was not kept is no plan."""
    a, b = [0.92, 0.95, 0.9, 0.93, 0.97], [0.9, 0.91, 0.89, 0.92, 0.9]
    write("A.csv", a)
    write("B.csv", b)
    one = found(run, "A.csv", "B.csv", "--planned", "5")
    theirs = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx((theirs.low, theirs.high))
    unplanned = found(run, "A.csv", "B.csv")
    assert unplanned["low"] < one["low"] and unplanned["high"] > one["high"]
    for planned in ("4", "6"):
        done = run("A.csv", "B.csv", "--planned", planned)
        assert done.exit_code == 2
        assert f"{planned} seeds were planned but A.csv has 5" in done.stderr


def test_a_plan_covers_all_rows_not_the_shared_ones_alone(run: Run) -> None:
    """Three of four rows chosen by what the other file holds is not the plan of three."""
    write("A.csv", [0.9, 0.91, 0.93, 0.95], seeds=[1, 2, 3, 4])
    write("B.csv", [0.8, 0.82, 0.81], seeds=[1, 2, 3])
    assert run("A.csv", "B.csv", "--planned", "3").exit_code == 2


def test_unpaired_runs_are_compared_after_welch(run: Run) -> None:
    """Runs from elsewhere often have no seeds at all."""
    a, b = [0.92, 0.95, 0.9, 0.93], [0.8, 0.82, 0.79, 0.81]
    Path("A.csv").write_text("acc\n" + "\n".join(map(str, a)))
    Path("B.csv").write_text("acc\n" + "\n".join(map(str, b)))
    one = found(run, "A.csv", "B.csv", "--unpaired", "--planned", "4")
    theirs = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert (one["low"], one["high"]) == pytest.approx((theirs.low, theirs.high))
    assert (one["paired"], one["seeds"], one["n_variant"]) == (False, None, 4)
    refused = run("A.csv", "B.csv")
    assert refused.exit_code == 2
    assert "no column 'seed'" in refused.stderr and "--unpaired" in refused.stderr


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-inf"])
@pytest.mark.parametrize("unpaired", [[], ["--unpaired"]])
def test_a_failed_run_makes_the_verdict_unstable(run: Run, value: str, unpaired: list[str]) -> None:
    """A mean over the survivors hides what mattered most."""
    write("A.csv", [0.9, value, 0.93, 0.95])
    write("B.csv", [0.1, 0.11, 0.12, 0.12])
    one = found(run, "A.csv", "B.csv", *unpaired)
    assert one["verdict"] == "unstable"
    assert one["low"] is None
    assert "1 of 4 runs of A.csv failed" in one["sentence"]
    assert "failed: 1 of 4 runs of A.csv failed" in one["caveats"]


def test_a_file_of_failed_runs_alone_is_unstable(run: Run) -> None:
    """Nothing but nan is a result, and the plainest of all."""
    write("A.csv", ["nan", "inf", "nan"])
    write("B.csv", [0.9, 0.91, 0.93])
    for files in (("A.csv", "B.csv"), ("B.csv", "A.csv"), ("A.csv", "A.csv")):
        one = found(run, *files)
        assert (one["verdict"], one["metric"], one["estimate"]) == ("unstable", "acc", None)
        assert "3 of 3 runs of A.csv failed" in one["sentence"]


def test_a_run_that_failed_counts_although_the_other_file_lacks_its_seed(run: Run) -> None:
    """Leaving the partner of a failed run out must not make the failure go away."""
    write("A.csv", [0.9, 0.91, 0.93, "nan"])
    write("B.csv", [0.1, 0.11, 0.12])
    one = found(run, "A.csv", "B.csv")
    assert (one["verdict"], one["low"]) == ("unstable", None)
    assert (
        "(over the 3 of 3 seeds where both finished): unstable, 1 of 4 runs of A.csv failed"
        in one["sentence"]
    )


@pytest.mark.parametrize("index", ["", "Unnamed: 0"])
def test_the_row_numbers_that_pandas_writes_are_no_metric(run: Run, index: str) -> None:
    """`frame.to_csv("A.csv")` is how most such files come about."""
    Path("A.csv").write_text(f"{index},seed,acc\n0,1,0.90\n1,2,0.91\n2,3,0.95\n")
    write("B.csv", [0.5, 0.52, 0.51])
    assert found(run, "A.csv", "B.csv")["metric"] == "acc"


def write_groups() -> None:
    rows = {"0.1": [0.9, 0.91, 0.92], "1": [0.5, 0.55, 0.52], "3": [0.91, 0.9, 0.915]}
    lines = [f"{lr},{seed},{acc},0.1" for lr, accs in rows.items() for seed, acc in enumerate(accs)]
    Path("runs.csv").write_text("\n".join(["lr,seed,acc,loss", *lines]))


def test_by_compares_every_group_with_the_baseline_and_shares_the_error(run: Run) -> None:
    """Two chances to be wrong at 5 % each would be nearly 10 %."""
    write_groups()
    both = found(run, "runs.csv", "--by", "lr", "--baseline", "0.10", "--metric", "acc")
    assert (both["by"], both["baseline"], both["metric"]) == ("lr", "lr=0.1", "acc")
    assert [one["variant"] for one in both["comparisons"]] == ["lr=1", "lr=3"]
    alone = found(
        run, "runs.csv", "--by", "lr", "--baseline", "0.1", "--variant", "1.0", "--metric", "acc",
        "--confidence", "0.975",
    )["comparisons"]  # fmt: skip
    assert [one["variant"] for one in alone] == ["lr=1"]
    assert both["comparisons"][0]["low"] == pytest.approx(alone[0]["low"])
    said = run("runs.csv", "--by", "lr", "--baseline", "0.1", "--metric", "acc").stdout
    assert "shared equally by 2 comparisons" in said


def test_margins_are_read_as_people_write_them(run: Run) -> None:
    """0.1pp of an accuracy, 2 % of a loss, 0.5 of anything."""
    write("A.csv", [0.4, 0.41, 0.43, 0.4])
    write("B.csv", [0.5, 0.4, 0.6, 7.0])
    assert found(run, "A.csv", "B.csv", "--margin", "0.5")["margin"] == 0.5
    assert found(run, "A.csv", "B.csv", "--margin", "2%")["margin"] == pytest.approx(0.01)
    assert found(run, "A.csv", "B.csv")["margin"] == 0.001
    assert any("margin" in caveat for caveat in found(run, "A.csv", "B.csv")["caveats"])
    assert "above 1, but these run from 0.4 to 7" in run("A.csv", "B.csv", "--margin", "0.1pp").stderr
    assert found(run, "A.csv", "A.csv", "--margin", "0.7pp")["margin"] == 0.007


def test_a_margin_in_percentage_points_fits_shares_and_percentages(run: Run) -> None:
    """Half of all programs print 0.978 and the other half 97.8."""
    a, b = [0.978, 0.976, 0.979, 0.977], [0.967, 0.966, 0.968, 0.969]
    write("A.csv", a)
    write("B.csv", b)
    write("A100.csv", [round(100 * value, 1) for value in a])
    write("B100.csv", [round(100 * value, 1) for value in b])
    shares = found(run, "A.csv", "B.csv", "--margin", "0.7pp")
    percents = found(run, "A100.csv", "B100.csv", "--margin", "0.7pp")
    assert (shares["margin"], percents["margin"]) == (0.007, 0.7)
    assert percents["verdict"] == shares["verdict"] == "increase, size not settled"
    assert (percents["low"], percents["high"]) == pytest.approx((100 * shares["low"], 100 * shares["high"]))
    assert percents["sentence"] == shares["sentence"].replace("A.csv", "A100.csv").replace(
        "B.csv", "B100.csv"
    )
    assert run("A.csv", "B100.csv", "--margin", "0.7pp").exit_code == 2
    (caveat,) = found(run, "A.csv", "B100.csv", "--margin", "0.01")["caveats"]
    assert caveat.startswith(
        "units: A.csv has numbers up to 0.979, B100.csv from 96.6 on: if these are shares"
    )


@pytest.mark.parametrize("margin", ["0", "-1", "nan", "inf", "lots", "1pq", "", "0pp"])
def test_a_margin_that_is_none_is_refused(run: Run, margin: str) -> None:
    """Without a smallest difference that matters there is no equivalence."""
    write("A.csv", [0.4, 0.41, 0.43])
    done = run("A.csv", "A.csv", f"--margin={margin}")
    assert done.exit_code == 2
    assert "above 0 such as 0.1pp, 2% or 0.001" in done.stderr


def test_not_worse_needs_to_know_which_way_is_good(run: Run) -> None:
    """A lower loss is not worse; a lower accuracy may be."""
    write("A.csv", [0.30, 0.31, 0.29, 0.30, 0.32])
    write("B.csv", [0.50, 0.52, 0.51, 0.49, 0.50])
    goal = ("A.csv", "B.csv", "--margin", "0.01", "--goal", "not_worse")
    assert found(run, *goal)["verdict"] == "decrease that matters"
    assert found(run, *goal, "--better", "lower")["verdict"] == "not worse"


def test_one_file_may_come_from_a_pipe(run: Run) -> None:
    """`grep adam runs.csv | fairtrial compare - B.csv`; both cannot."""
    write("B.csv", [0.5, 0.52, 0.51])
    done = run("-", "B.csv", "--json", input="\ufeffseed;acc\n1;0.9\n2;0.93\n3;0.91\n")
    assert json.loads(done.stdout)["verdict"] == "increase that matters"
    assert run("-", "-", input="").exit_code == 2


BROKEN = {
    "empty": ("", r"A\.csv:1: empty"),
    "header alone": ("seed,acc\n", r"A\.csv: no rows"),
    "no header": ("1,0.9\n2,0.8\n", r"A\.csv:1: numbers only"),
    "no seed": ("run,acc\nx,0.9\n", r"A\.csv:1: no column 'seed'"),
    "two metrics": ("seed,acc,loss\n1,0.9,0.1\n", r"more than one \(acc, loss\): say which with --metric"),
    "no metric": ("seed,acc\n1,good\n", r"A\.csv:1: expected one column of numbers .* none"),
    "a seed twice": ("seed,acc\n1,0.9\n2,0.8\n1,0.7\n", r"A\.csv:4: seed 1 is in line 2 already"),
    "an empty cell": ("seed,acc\n1,0.9\n2,\n", r"A\.csv:3: a value is missing; write nan"),
    "no number": ("seed,acc\n1,0.9\n2,n/a\n", r"A\.csv:3: 'n/a' is not a number"),
    "percent": ("seed,acc\n1,0.9\n2,97%\n", r"A\.csv:3: '97%' is not a number"),
    "decimal comma": ('seed;acc\n1;0.9\n2;"0,8"\n', r"A\.csv:3: '0,8' is not a number; write it as 0\.97"),
    "seed no number": ("seed,acc\none,0.9\n2,0.8\n", r"A\.csv:2: a seed is a whole number, got 'one'"),
    "half a seed": ("seed,acc\n1.5,0.9\n", r"A\.csv:2: a seed is a whole number, got '1\.5'"),
    "seed missing": ("seed,acc\n,0.9\n", r"A\.csv:2: a seed is a whole number, it is missing"),
    "ragged": ("seed,acc\n1,0.9\n2,0.9,7\n", r"A\.csv:3: 3 cells, but the header names 2 columns"),
    "a column twice": ("seed,acc,acc\n1,0.9,0.8\n", r"A\.csv:1: column 'acc' is there twice"),
    "open quote": ('seed,acc\n1,"0.9\n', r"A\.csv:\d+: not CSV"),
    "another metric": ("seed,accuracy\n1,0.9\n", r"'accuracy' and B\.csv has 'acc'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_with_its_line(run: Run, name: str) -> None:
    """What was given, what is allowed and where; never a traceback, never a silent guess."""
    text, message = BROKEN[name]
    Path("A.csv").write_text(text)
    write("B.csv", [0.5, 0.52, 0.51])
    done = run("A.csv", "B.csv")
    assert done.exit_code == 2, done.output
    assert re.search(message, done.stderr), done.stderr
    assert not done.stdout
    assert isinstance(done.exception, SystemExit)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(run: Run) -> None:
    """A spreadsheet saved as it is, a mistyped name, a folder."""
    write("B.csv", [0.5, 0.52, 0.51])
    Path("A.csv").write_bytes("seed,acc\n1,0.9".encode("utf-16"))
    Path("folder").mkdir()
    for given, message in (("A.csv", "UTF-8"), ("no.csv", "cannot be read"), ("folder", "cannot be read")):
        done = run(given, "B.csv")
        assert done.exit_code == 2
        assert message in done.stderr


def test_every_bad_cell_is_named_at_once(run: Run) -> None:
    """Mending a file one refusal at a time is a chore."""
    write("A.csv", ["0.9", "x", "y"])
    done = run("A.csv", "A.csv")
    assert "A.csv:3" in done.stderr and "A.csv:4" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["A.csv"], "give two files"),
        (["A.csv", "A.csv", "A.csv"], "give two files"),
        (["A.csv", "A.csv", "--by", "lr"], "give one"),
        (["A.csv", "A.csv", "--baseline", "1"], "go with --by"),
        (["A.csv", "A.csv", "--metric", "seed"], "which runs belong together"),
        (["A.csv", "A.csv", "--metric", "loss"], "no column 'loss'; its columns: seed, acc"),
        (["A.csv", "A.csv", "--confidence", "95"], "between 0.5 and 1"),
        (["A.csv", "A.csv", "--confidence", "nan"], "between 0.5 and 1"),
        (["A.csv", "A.csv", "--horizon", "2"], "3 to 999"),
        (["A.csv", "A.csv", "--planned", "1"], "at least 2 seeds"),
        (["runs.csv", "--by", "lr", "--metric", "acc"], "--baseline, one of: 0.1, 1, 3"),
        (["runs.csv", "--by", "lr", "--metric", "acc", "--baseline", "7"], "has: 0.1, 1, 3"),
        (["runs.csv", "--by", "depth", "--baseline", "7"], "no column 'depth'"),
        (["runs.csv", "--by", "lr", "--metric", "acc", "--baseline", "1", "--variant", "1"], "is the baseline"),
        (["runs.csv", "--by", "seed", "--metric", "acc", "--baseline", "1"], "--by seed: seeds pair the runs"),
    ],
)  # fmt: skip
def test_wrong_use_says_what_to_give_instead(run: Run, words: list[str], message: str) -> None:
    """Exit 2, one message, and nothing on standard output that could be taken for a result."""
    write("A.csv", [0.5, 0.52, 0.51])
    write_groups()
    done = run(*words)
    assert done.exit_code == 2
    assert message in re.sub(r"[\s│]+", " ", done.stderr)
    assert not done.stdout


def test_the_example_of_the_documents_prints_what_they_say(run: Run) -> None:
    """The first thing a reader does is to copy it."""
    page = (Path(__file__).parents[2] / "docs" / "compare.md").read_text(encoding="utf-8")
    files = re.findall(r"^```csv\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    for name, text in zip(("A.csv", "B.csv"), files, strict=True):
        Path(name).write_text(text)
    (command, printed) = re.search(
        r"^```sh\nfairtrial compare (.*?)\n```\n\n```\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL
    ).groups()  # pyright: ignore[reportOptionalMemberAccess]
    done = run(*shlex.split(command))
    assert done.stdout.split() == printed.split()
    (program,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["found"].sentence.split("by 1.08")[1] in " ".join(done.stdout.split())
