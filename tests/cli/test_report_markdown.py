"""The report as Markdown: everything a reader needs, and nothing of it acts on the page it lands on."""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fairtrial.analysis import answers
from fairtrial.analysis.markdown import code, escaped
from fairtrial.report.markdown import fenced, markdown_report, reproduce, write_markdown
from fairtrial.store import Store
from fairtrial.study.schema import Claim, Study

Pairs = Callable[..., None]
CLEAR = [0.0102, 0.0110, 0.0105, 0.0098, 0.0108, 0.0104]
EVIL = "<script>alert(1)</script> | `x` **b** [l](http://e.vil) $y$ @all #1 www.e.vil ~~s~~ \\ &amp;"
GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def texts(markdown: str) -> list[str]:
    """What a reader sees of each inline piece; comments, which nobody sees, left out."""
    seen: list[str] = []
    for token in GFM.parse(markdown):
        if token.type == "inline":
            parts = [
                child.content
                for child in token.children or ()
                if child.type in ("text", "code_inline", "text_special")
            ]
            seen.append("".join(parts))
    return seen


def kinds(markdown: str) -> set[str]:
    """The kinds of inline marks, those of harmless comments left out."""
    return {
        child.type
        for token in GFM.parse(markdown)
        for child in token.children or ()
        if not (child.type == "html_inline" and child.content == "<!-- -->")
    }


@given(
    st.text(
        st.characters(min_codepoint=32, max_codepoint=0x2FF) | st.sampled_from(string.punctuation + "\n"),
        max_size=60,
    )
)
def test_escaped_text_is_read_as_it_was_written(text: str) -> None:
    """A title that turns into a heading, a link or a cell would make the report say something else."""
    plain = " ".join(text.split())
    if not plain or any(0x7F <= ord(character) < 0xA0 for character in plain):
        return
    for around in (f"{escaped(text)}", f"- {escaped(text)}", f"| head |\n|---|\n| {escaped(text)} |"):
        assert texts(around)[-1].strip() == plain
        assert kinds(around) <= {"text", "text_special"}


@given(st.text(st.sampled_from("ab`| \\<*"), min_size=1, max_size=20))
def test_a_name_in_a_code_span_is_that_name_in_a_table_too(name: str) -> None:
    """A backtick in an arm's name must not end the span, nor a pipe the cell."""
    plain = " ".join(name.split())
    if plain:
        (_, cell) = texts(f"| head |\n|---|\n| {code(name)} |")
        assert cell == plain


def test_the_report_has_every_answer_claim_and_caveat_and_how_to_have_it_again(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """It goes into a README or a pull request, alone."""
    put_pairs(CLEAR)
    claim = Claim.model_validate({"says": "increase", "from": 0.96, "to": 0.97})
    question = study.questions[0].model_copy(update={"claims": (claim,)})
    found = answers(replace(study, questions=(question,), source="small.yaml", sets=("epochs=2",)), store)
    page = markdown_report(found)
    seen = texts(page)
    for answer in found:
        assert answer.sentence in seen
        for caveat in answer.caveats:
            assert f"caveat: {caveat}" in seen
    assert "claim: increase, 0.96 to 0.97: holds" in seen
    rows = [token for token in GFM.parse(page) if token.type == "tr_open"]
    # Heads and rows of the answers, the claims and the arms.
    assert len(rows) == (1 + len(found)) + (1 + 1) + (1 + 2)
    (commands,) = [token.content for token in GFM.parse(page) if token.type == "fence"]
    assert commands.splitlines() == [
        "fairtrial run small.yaml --set epochs=2",
        "fairtrial answers small.yaml --set epochs=2",
    ]
    assert any("a processor" in one for one in seen)


def test_an_unfinished_study_says_what_is_missing_and_what_it_would_cost(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A report that looks finished and is not would be believed."""
    nothing = markdown_report(answers(study, store))
    assert "Nothing has been trained yet; 5 verdicts to come." in nothing
    assert "Missing: 6 of the 6 trials that the least number of seeds takes, about " in nothing
    put_pairs(CLEAR[:2])
    begun = markdown_report(answers(study, store))
    assert "Missing: 2 of the 6 trials that the least number of seeds takes, about " in begun
    put_pairs([0.002], start=3)
    wide = markdown_report(answers(study, store))
    assert "Missing" not in wide
    assert "more seeds likely to settle it, about " in wide or "more seed likely to settle it, about " in wide


def test_a_study_without_questions_renders(study: Study, store: Store) -> None:
    """Arms alone are a study as well."""
    page = markdown_report(answers(replace(study, questions=()), store))
    assert "asks no questions" in page
    assert "nothing was inferred" in page


def test_names_titles_and_claims_of_a_study_stay_text(study: Study, store: Store, put_pairs: Pairs) -> None:
    """What somebody typed into a study file is data wherever the report is shown."""
    put_pairs(CLEAR)
    arms = {EVIL: replace(study.arms["narrow"], name=EVIL), "wide": study.arms["wide"]}
    question = study.questions[0].model_copy(
        update={"baseline": EVIL, "ask": f"{EVIL}\n# {EVIL}\n\n- {EVIL}"}
    )
    evil = replace(study, arms=arms, questions=(question,), title=f"{EVIL}\n```\n", source="a```\n.yaml")
    page = markdown_report(answers(evil, store))
    assert kinds(page) <= {
        "text",
        "text_special",
        "softbreak",
        "strong_open",
        "strong_close",
        "em_open",
        "em_close",
    }
    plain = " ".join(EVIL.split())
    assert sum(plain in one for one in texts(page)) > 5
    assert [token.type for token in GFM.parse(page)].count("fence") == 1
    assert "html_block" not in {token.type for token in GFM.parse(page)}


def test_a_fence_is_longer_than_any_within() -> None:
    """A path is data too."""
    (token,) = GFM.parse("\n".join(fenced(["a", "````", "b"])))
    assert token.content == "a\n````\nb\n"


def test_a_study_written_in_python_says_so_instead_of_a_command(study: Study) -> None:
    """There is no file that a command could name."""
    assert "written in Python" in " ".join(reproduce(study))


def test_a_place_that_cannot_be_written_is_said(study: Study, store: Store, tmp_path: Path) -> None:
    """After an hour of training a traceback would be a poor end."""
    from fairtrial.errors import FairtrialError

    with pytest.raises(FairtrialError, match="its folder must exist"):
        write_markdown(answers(study, store), tmp_path / "missing" / "page.md")
    with pytest.raises(FairtrialError, match="is a folder"):
        write_markdown(answers(study, store), tmp_path)
    assert list(tmp_path.glob("*.part")) == []


def test_an_answer_renders_as_markdown_and_html_in_a_notebook(
    study: Study, store: Store, put_pairs: Any
) -> None:
    """Jupyter takes what it can show best; everything else would be the whole data as text."""
    put_pairs(CLEAR)
    found = answers(study, store)
    for shown in (found, found["Q"], found["Q"].accuracy):
        bundle = shown._repr_mimebundle_()
        assert set(bundle) == {"text/plain", "text/html", "text/markdown"}
        assert found["Q"].accuracy.sentence in bundle["text/plain"]
        assert found["Q"].accuracy.sentence in texts(bundle["text/markdown"])
        assert "<table>" in bundle["text/html"]
    assert "2 of 5 verdicts settled" not in found._repr_html_()
    assert "1 of 5 verdicts settled, from 12 trials." in found._repr_html_()
