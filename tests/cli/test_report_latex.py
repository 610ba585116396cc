"""The report as LaTeX: tables and a methods paragraph that a paper can take as they are."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexEnvironmentNode, LatexWalker

from fairtrial.analysis import answers
from fairtrial.analysis.alpha import alphas
from fairtrial.report.latex import latex_report
from fairtrial.report.latex_text import latex
from fairtrial.report.methods_paragraph import LATEX, MARKDOWN, method
from fairtrial.stats.families import Family
from fairtrial.stats.levels import nominal_level
from fairtrial.store import Store
from fairtrial.study.schema import Margins, Seeds, Study

Pairs = Callable[..., None]
EVIL = r"\input{/etc/passwd} 50% a_b & #1 ${x}^2$ ~ | `q` \\ [1] * -- <s>"


@given(st.text(st.sampled_from(string.ascii_letters + string.digits + string.punctuation + " "), max_size=60))
def test_text_is_printed_and_never_executed(text: str) -> None:
    """A backslash in a question could read files of whoever compiles the paper."""
    plain = " ".join(text.split())
    # The parser reads apostrophes and exclamation marks before quotes as the typesetter would.
    if "'" in plain or "!" in plain or "?" in plain or '"' in plain:
        return
    read = LatexNodes2Text().latex_to_text(latex(text)).strip()
    assert read.translate({ord("ˆ"): "^", ord("˜"): "~"}) == plain


def environments(source: str, name: str) -> list[str]:
    nodes, _, _ = LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
    found: list[str] = []

    def visit(some: object) -> None:
        for node in some or ():  # type: ignore[union-attr]
            if isinstance(node, LatexEnvironmentNode) and node.environmentname == name:
                found.append(node.latex_verbatim())
            visit(getattr(node, "nodelist", None))

    visit(nodes)
    return found


def test_the_fragment_parses_and_its_tables_are_whole(study: Study, store: Store, put_pairs: Pairs) -> None:
    """One stray bracket after a row's end, and nothing compiles."""
    put_pairs([0.0102, 0.0110, 0.0105, 0.0098])
    arms = {EVIL: replace(study.arms["narrow"], name=EVIL), "wide": study.arms["wide"]}
    question = study.questions[0].model_copy(update={"baseline": EVIL})
    found = answers(replace(study, arms=arms, questions=(question,), title=EVIL), store)
    source = latex_report(found)
    tables = environments(source, "longtable")
    assert len(tables) == 2
    for table, columns in zip(tables, (9, 8), strict=True):
        assert table.count("}p{") == columns
        for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
            assert rule in table
        body = table.split(r"\endfoot")[1].split(r"\end{longtable}")[0]
        rows = [row for row in body.strip().split("\\\\\n") if row.strip()]
        assert all(len(re.findall(r"(?<!\\)&", row)) == columns - 1 for row in rows)
    assert r"\input{/" not in source
    assert "lualatex" not in source


def test_a_character_beyond_latin_1_is_said_to_need_another_engine(study: Study, store: Store) -> None:
    """pdflatex stops at it without a hint."""
    assert "lualatex" in latex_report(answers(replace(study, title="学習率"), store))


def test_the_methods_paragraph_has_the_studys_own_numbers(
    study: Study, store: Store, put_pairs: Pairs
) -> None:
    """A paper's reviewer asks for each of them: seeds, looks, alpha, K, horizon, margins, and the source."""
    put_pairs([0.0102, 0.0110, 0.0105])
    changed = replace(
        study, seeds=Seeds(min=3, max=20), confidence=0.9, margins=Margins.model_validate({"accuracy": 0.002})
    )
    text = method(answers(changed, store), MARKDOWN)
    share = alphas(changed)[Family.VALIDATION]
    level = nominal_level(share, first=3, horizon=20)
    for said in (
        "2 arms",
        "6 trials so far",
        "from number 3 to at most number 20",
        "α = 0.1 of the whole study",
        "*K* = 5 in all",
        f"2 on validation metrics at {share:.4g} each (per look p\\* = {level:.3g})",
        "1 on time",
        "0.2 pp of accuracy",
        "5 % of training time",
        "repeated confidence intervals",
        "Jennison and Turnbull 1991; 2000, chapter 9",
        "6000 validation images drawn once per seed and never trained on",
        "a processor",
    ):
        assert said in text, said
    typeset = method(answers(changed, store), LATEX)
    assert r"$\alpha$ = 0.1" in typeset
    assert "$K$ = 5" in typeset
    leaking = replace(
        changed.arms["wide"],
        settings=changed.arms["wide"].settings.model_copy(
            update={"data": changed.arms["wide"].settings.data.model_copy(update={"split": "reshuffled"})}
        ),
    )
    leaky = replace(changed, arms={**changed.arms, "wide": leaking})
    assert "most are trained on as well" in method(answers(leaky, store), MARKDOWN)
    assert "moved" not in text


def test_the_methods_paragraph_says_how_training_images_are_moved(store: Store) -> None:
    """It is part of what anybody needs who does it again."""
    arms = {"still": {}, "moved": {"data.augment": {"shift": 2, "zoom": 0.1}}}
    text = method(answers(Study(arms=arms), store), MARKDOWN)
    assert "the order of images, how each is moved in each epoch, and dropout" in text
    assert (
        "54000 training images (each shifted by up to 2 pixels along either axis, scaled by up to 10 %, at random and "
        "anew in each epoch)"
    ) in text
    assert "54000 training images, 6000 validation images" in text
