"""`fairtrial report`: where the page goes and what it says of how it was made."""

from __future__ import annotations

from typer.testing import CliRunner

from fairtrial.cli.app import app


def test_the_command_writes_a_page_and_says_where(tmp_path, monkeypatch, small_page):
    """The page's own command has to lead to the same page."""
    monkeypatch.chdir(tmp_path)
    study = str(small_page.parent / "study.yaml")
    store = str(small_page.parent / "some.db")
    done = CliRunner().invoke(
        app, ["report", study, "--html", "small.html", "--store", store, "--set", "seeds.max=20"]
    )
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert done.stderr == "wrote small.html\n"
    text = (tmp_path / "small.html").read_text(encoding="utf-8")
    assert f"fairtrial run {study} --set seeds.max=20" in text
    assert f"fairtrial report {study} --set seeds.max=20 --html report.html" in text
