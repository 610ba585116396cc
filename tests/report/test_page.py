"""The page: what it says, that it is safe, that it is honest while a study is incomplete."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from made_trials import ERRORS, HOSTILE, STUDY, fill, from_text
from reading import Parsed, words

import fairtrial as ft


@pytest.fixture(scope="module")
def small(small_page: Path) -> Parsed:
    return Parsed(small_page.read_text(encoding="utf-8"))


def test_every_answer_is_on_the_page_with_its_sentence(small, small_page):
    """The page replaces the terminal's answers; a sentence left out is an answer withheld."""
    study = from_text(STUDY, small_page.parent)
    found = ft.answers(study, store=small_page.parent / "some.db")
    assert len(found) == 7
    for answer in found:
        # What stands between backticks looks like code instead.
        assert answer.sentence.replace("`", "") in words(small)
        assert answer.verdict in words(small)


def test_the_first_line_tells_the_fate_of_the_claims(small):
    """Whoever reads one line should have read the sum."""
    assert re.search(r"Of 3 claims \d stands?, \d (is|are) contradicted", words(small))
    tiles = [
        attributes["class"]
        for attributes in small.of("a")
        if attributes.get("class") in {"holds", "broken", "open"}
    ]
    assert sorted(tiles) == ["broken", "holds", "open"]


def test_an_arm_has_all_that_a_notebook_shows(small):
    """Layer table, hyperparameters, six figures beside the printed ones, program, configuration."""
    told = words(small)
    for piece in (
        "flatten (Flatten)", "conv2d (Conv2D)", "42,310", "NUM_EPOCHS = 4", "Test Loss", "Reproduced, leak and all",
        "Done right, at the end (4 seeds)", "Printed", "At the end (4 seeds)",
        "import keras", '"learning_rate": 0.001', "It has a note.", "Most confidently wrong", "strongest of 8 filters",
    ):  # fmt: skip
        assert piece in told, piece


def test_every_claim_stands_with_its_question_and_in_the_ledger(small):
    """A row of ticks says nothing unless it says of what; the same fate is told wherever the claim is."""
    roles = {"holds", "broken", "open"}
    fates = [one["class"] for one in small.of("a") if one.get("class") in roles]
    ledger = [one["class"] for one in small.of("tr") if one.get("class") in roles]
    assert fates == ledger
    assert len(fates) == 3
    lines = [text for text in small.text["p"] if "disagree" in text]
    assert lines == ["1 of 1 statement of direction disagrees with their author's own tables."] * 2


def test_what_was_held_fixed_is_folded_behind_its_count(small):
    """Twenty settings that did not differ are asked for by few and must not stand before the next question."""
    folded = [text for text in small.text["details"] if "settings held fixed" in text]
    assert len(folded) == 3
    assert "optimizer.learning_rate" in folded[0]
    open_tables = [text for text in small.text["table"] if "Part it plays" in text]
    assert len(open_tables) == 3
    assert "network.mlp.width" in open_tables[0]
    assert "optimizer.learning_rate" not in open_tables[0]


def test_an_arm_that_leaks_is_itself_what_is_reproduced(make_page: Callable[..., Path]):
    """Its own figures under the heading "done right" would praise the leak."""
    page = make_page(
        STUDY.replace("base:", "data: {split: reshuffled}\nbase:"), errors={"narrow": 0.03}, weights=False
    )
    told = words(Parsed(page.read_text(encoding="utf-8")))
    assert "Reproduced, leak and all, at the end (4 seeds)" in told
    assert "Done right, at the end" not in told


def test_trials_of_another_kind_of_processor_are_named_and_not_shown(tmp_path):
    """A store from elsewhere can hold a whole study of which `auto` shows nothing here."""
    from fairtrial.engine.precision import resolve
    from fairtrial.report.precisions import settings_for
    from fairtrial.store import Store

    study = from_text(STUDY, tmp_path)
    here = resolve("auto")
    other = "float32" if here == "bfloat16" else "bfloat16"
    elsewhere = from_text(STUDY.replace("batch_size", f"precision: {other}\n  batch_size"), tmp_path)
    fill(elsewhere, tmp_path / "some.db", seeds=2, errors=ERRORS, predictions=False, weights=False)
    page = ft.write_report(ft.answers(study, store=tmp_path / "some.db"), tmp_path / "page.html")
    told = words(Parsed(page.read_text(encoding="utf-8")))
    assert f"8 trials of these arms are stored in {other} and not shown: precision: auto means {here}" in told
    with Store.open(tmp_path / "some.db") as store:
        assert settings_for(study, store) == (f"precision={other}",)
        assert settings_for(elsewhere, store) == ()
    fill(study, tmp_path / "some.db", seeds=2, errors=ERRORS, predictions=False, weights=False)
    with Store.open(tmp_path / "some.db") as store:
        assert settings_for(study, store) == ()


def test_confusions_add_up_to_every_test_image(small_page):
    """A matrix that loses images flatters the network."""
    tables = re.findall(
        r'<table class="confusion">.*?</table>', small_page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(tables) == 4
    for table in tables:
        assert "Summed over 4 trials" in table
        assert sum(map(int, re.findall(r'<td class="s\d[^"]*">(\d+)</td>', table))) == 40_000


def test_scripts_and_styles_are_exactly_those_the_policy_allows(small):
    """Without hashes the policy would have to allow anything that stands in the page."""
    (policy,) = [
        one["content"] for one in small.of("meta") if one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for tag, kind in (("script", "script-src"), ("style", "style-src")):
        # The last script is the program; the other one is data and never run.
        text = small.text[tag][-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert [one["type"] for one in small.of("script")] == ["application/json", "module"]


def test_nothing_in_the_page_leads_out_of_it(small):
    """A report is opened on trains and behind firewalls, and tells nobody that it was."""
    for tag, attributes in small.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in {"src", "href", "xlink:href", "action", "data"}:
                assert value.startswith(("#", "data:image/png;base64,")), (tag, value)


def test_every_link_within_the_page_leads_somewhere(small):
    """Questions on the first screen are entrances to their evidence."""
    ids = [attributes["id"] for _, attributes in small.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {one["href"].removeprefix("#") for one in small.of("a")}
    assert len(targets) > 10
    assert targets <= set(ids)


def test_headings_go_down_one_step_at_a_time(small):
    """A screen reader's table of contents is made of them."""
    levels = [int(tag[1]) for tag, _ in small.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_pictures_have_words_and_tables_have_scopes(small):
    """What is only drawn does not exist for a reader who does not see it."""
    for one in small.of("img"):
        assert one["alt"]
    for one in small.of("svg"):
        assert (one["role"], bool(one["aria-label"])) == ("img", True)
    assert all(one.get("scope") in {"row", "col"} for one in small.of("th"))


def test_every_chart_is_drawn_without_javascript(small, small_page):
    """Mail programs and archives run no scripts."""
    text = small_page.read_text(encoding="utf-8")
    places = re.findall(
        r'<div class="plot-place" id="(chart-\d+)" data-label="[^"]+">(<svg.*?</svg>)</div>', text
    )
    assert len(places) == len(json.loads(small.text["script"][0])["charts"]) > 15
    for name, drawing in places:
        assert re.search(r'class="(dot|mean|stem)', drawing), name
        assert 'class="title' in drawing, name


def test_a_table_of_data_shown_twice_stands_there_once(small):
    """Learning curves are shown with their arm and with each of its questions."""
    data = json.loads(small.text["script"][0])
    used = [part["table"] for chart in data["charts"] for parts in chart["data"].values() for part in parts]
    assert len(set(used)) == len(data["tables"]) < len(used)
    assert len(data["specs"]) < len(data["charts"])
    for table in data["tables"]:
        assert len({len(column) for column in table.values()}) == 1


def test_what_a_study_says_is_text_and_never_part_of_the_page(hostile_page, small):
    """Studies are mailed around; opening somebody's report must not run somebody's script."""
    parsed = Parsed(hostile_page.read_text(encoding="utf-8"))
    assert {tag for tag, _ in parsed.elements} <= {tag for tag, _ in small.elements} | {"blockquote"}
    assert [one["type"] for one in parsed.of("script")] == ["application/json", "module"]
    assert all(one["src"].startswith("data:image/png;base64,") for one in parsed.of("img"))
    attributes = {name for _, found in parsed.elements for name in found}
    assert not {name for name in attributes if name.startswith("on")}
    assert "style" not in attributes
    assert attributes <= {name for _, found in small.elements for name in found}
    data = json.loads(parsed.text["script"][0])
    shared = {
        part["shared"]["arm"]
        for chart in data["charts"]
        for parts in chart["data"].values()
        for part in parts
        if "arm" in part.get("shared", {})
    }
    assert shared == {f"{HOSTILE}{number}" for number in range(4)}
    assert parsed.text["h1"][0] == f"study {HOSTILE}"
    assert "49" not in parsed.text["h1"][0]


def test_an_untrained_study_renders_and_says_what_it_lacks(tmp_path):
    """The page is made before the first trial as well, and must not look like a result."""
    study = from_text(STUDY, tmp_path)
    page = ft.write_report(ft.answers(study, store=tmp_path / "none.db"), tmp_path / "page.html")
    told = words(Parsed(page.read_text(encoding="utf-8")))
    assert "12 of the 12 trials that the least number of seeds takes are missing" in told
    assert "Not trained at all yet: narrow, wide, wider, conv." in told
    assert "nothing to draw yet" in told
    assert "A verdict takes 3 seeds of both arms" in told
    assert "not beside the store" in told
    assert "No predictions are stored" in told
    assert not (tmp_path / "none.db").exists()


def test_an_undecided_answer_says_what_it_is_likely_to_take(make_page: Callable[..., Path]):
    """Undecided is a bill, not a shrug."""
    page = make_page(seeds=3, errors={"narrow": 0.030, "wide": 0.0285}, weights=False)
    told = words(Parsed(page.read_text(encoding="utf-8")))
    assert re.search(r"Likely to be settled by \d+ more seeds? of both arms, about .* of one core", told)
    assert "6 of the 12 trials that the least number of seeds takes are missing" in told


def test_an_arm_that_diverged_makes_no_figures(tmp_path):
    """NaN is no number of JSON's, and a diverged run has no curve to its end."""
    from fairtrial.engine.precision import resolve
    from fairtrial.store import Claim, Store
    from fairtrial.trial import EpochRecord, Outcome, Trial

    study = from_text(STUDY, tmp_path)
    nan = float("nan")
    record = EpochRecord(
        epoch=1, train_accuracy=0.1, train_loss=nan, validation_accuracy=0.1, validation_loss=nan,
        train_seconds=1.0, validation_seconds=0.1,
    )  # fmt: skip
    with Store.open(tmp_path / "some.db") as store:
        for name in ("narrow", "wide"):
            for seed in (1, 2, 3):
                arm = study.arms[name]
                trial = Trial(arm=arm, seed=seed, precision=resolve(arm.settings.precision))
                claim = store.claim(trial)
                assert isinstance(claim, Claim)
                outcome = Outcome(
                    key=trial.key, state="diverged", epochs=1, metrics={}, seconds={"setup": 0.1, "train": 1.0},
                    history=(record,), provenance={}, reason="training loss became nan in epoch 2",
                )  # fmt: skip
                store.record(claim, outcome, trial=trial, weights=False)
    page = ft.write_report(ft.answers(study, store=tmp_path / "some.db"), tmp_path / "page.html")
    told = words(Parsed(page.read_text(encoding="utf-8")))
    assert "3 of 3 trials diverged." in told
    assert "unstable" in told
    assert (
        "NaN" not in page.read_text(encoding="utf-8").partition('id="charts">')[2].partition("</script>")[0]
    )


def test_the_page_names_what_makes_it_again(tmp_path, small, small_page):
    """Without the command a report is a picture of numbers."""
    path = small_page.parent / "study.yaml"
    assert f"fairtrial run {path}" in words(small)
    study = replace(from_text(STUDY, tmp_path), source="")
    page = ft.write_report(ft.answers(study, store=tmp_path / "none.db"), tmp_path / "page.html")
    assert "answers = fairtrial.run(study)" in words(Parsed(page.read_text(encoding="utf-8")))


def test_a_report_goes_to_a_page_or_nowhere(tmp_path, small_page):
    """Another suffix is another wish, and a silent HTML file under it would not open."""
    found = ft.answers(from_text(STUDY, tmp_path), store=small_page.parent / "some.db")
    with pytest.raises(ft.FairtrialError, match=r"\.html, \.ipynb"):
        ft.write_report(found, tmp_path / "report.txt")
    with pytest.raises(ft.FairtrialError, match="cannot be written"):
        ft.write_report(found, tmp_path / "no" / "folder" / "report.html")
    with pytest.raises(ft.FairtrialError, match=r"fairtrial\.answers"):
        ft.write_report(replace(found, asked=None), tmp_path / "report.html")


def test_a_study_of_many_arms_is_folded_and_says_what_it_leaves_out(tmp_path):
    """Two hundred arms must open in a browser, and what is not shown must not look as if it did not exist."""
    arms = "\n".join(f"  a{number}: {{network.mlp.width: {10 + number}}}" for number in range(1, 63))
    text = STUDY.partition("arms:")[0] + "arms:\n" + arms
    text += "\nquestions:\n" + "\n".join(
        f"  - {{id: Q{n}, variant: a{n}, baseline: a1}}" for n in range(2, 63)
    )
    study = from_text(text, tmp_path)
    fill(study, tmp_path / "some.db", seeds=2, errors=dict.fromkeys(study.arms, 0.03), predictions=False)
    page = ft.write_report(ft.answers(study, store=tmp_path / "some.db"), tmp_path / "page.html")
    parsed = Parsed(page.read_text(encoding="utf-8"))
    assert sum("question" in one.get("class", "") for one in parsed.of("details")) == 61
    assert not any("question" in one.get("class", "") for one in parsed.of("article"))
    assert "learning curves stand with the arms" in words(parsed)
    assert words(parsed).count("Left out, since this study has so many arms.") == 62
    # Two for each arm, one contrast for each question, two of costs, one along the widths.
    assert len(json.loads(parsed.text["script"][0])["charts"]) == 2 * 62 + 61 + 2 + 1


@pytest.mark.slow
def test_the_course_stays_below_three_megabytes_and_is_made_in_seconds(tmp_path):
    """It goes into mails and repositories, and is made after every run."""
    study = ft.load("course")
    errors = {name: 0.01 + 0.001 * place for place, name in enumerate(study.arms)}
    fill(study, tmp_path / "some.db", seeds=10, errors=errors)
    began = time.process_time()
    page = ft.write_report(ft.answers(study, store=tmp_path / "some.db"), tmp_path / "page.html")
    # Five seconds for fifteen arms, of a processor that may be busy with other tests.
    assert time.process_time() - began < 5 * len(study.arms) / 15
    assert page.stat().st_size < 3_000_000
