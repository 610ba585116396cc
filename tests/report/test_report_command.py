"""`fairtrial report`: where the page goes and what it says of how it was made."""

from __future__ import annotations

from typer.testing import CliRunner

from fairtrial.cli.app import app


def test_the_command_writes_a_page_and_says_where(tmp_path, monkeypatch, small_page):
    """The page's own command has to lead to the same page."""
    monkeypatch.chdir(tmp_path)
    study = str(small_page.parent / "study.yaml")
    store = str(small_page.parent / "some.db")
    done = CliRunner().invoke(app, ["report", study, "--store", store, "--set", "seeds.max=20"])
    assert done.exit_code == 0, done.output
    assert done.output.startswith("wrote small.html (")
    text = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert f"fairtrial run {study} --set seeds.max=20 --store {store}" in text
    assert f"fairtrial report {study} --html small.html --set seeds.max=20 --store {store}" in text


def test_a_page_that_cannot_be_written_is_a_mistake_in_words(tmp_path, monkeypatch, small_page):
    """A traceback after a minute of work says neither what nor where."""
    monkeypatch.chdir(tmp_path)
    wanted = tmp_path / "no" / "folder.html"
    done = CliRunner().invoke(
        app,
        [
            "report",
            str(small_page.parent / "study.yaml"),
            "--store",
            str(small_page.parent / "some.db"),
            "--html",
            str(wanted),
        ],
    )
    assert done.exit_code == 2
    assert "cannot be written" in done.output
