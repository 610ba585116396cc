"""Files become cells: every kind of file, nothing executed, nothing unbounded."""

import contextlib
import json
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairtrial.audit.document import Place
from fairtrial.audit.parsing import parsed
from fairtrial.audit.reading import read
from fairtrial.errors import AuditError


def notebook(*cells: dict[str, object], **more: object) -> str:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more})


def code(source: str, *outputs: dict[str, object], **metadata: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "source": source,
        "outputs": list(outputs),
        "metadata": metadata,
        "execution_count": 1,
    }


def stream(text: str) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def saved(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def shown(path: Path) -> list[tuple[int, str, str]]:
    return [(cell.number, cell.kind, cell.source) for cell in read(path).cells]


def test_a_notebook_becomes_its_cells_with_what_each_printed(tmp_path: Path) -> None:
    page = notebook(
        {"cell_type": "markdown", "source": ["# Title\n", "Words"], "metadata": {}},
        code(
            "model.fit(x)",
            stream("1/2 [=>..] loss: 0.9\r2/2 [====] loss: 0.1\n"),
            {
                "output_type": "execute_result",
                "data": {"text/plain": ["\x1b[1mdone\x1b[0m"], "image/png": "A" * 1000},
            },
            {
                "output_type": "display_data",
                "data": {"text/html": "<pre>Total &amp; params</pre>", "image/png": "A"},
            },
            {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": ["..."]},
        ),
        code("hidden = 1", jupyter={"source_hidden": True}),
    )
    path = saved(tmp_path, "a.ipynb", page)
    assert shown(path) == [
        (1, "prose", "# Title\nWords"),
        (2, "code", "model.fit(x)"),
        (2, "output", "2/2 [====] loss: 0.1\ndone\n\nTotal & params\nValueError: bad"),
        (3, "code", "hidden = 1"),
    ]
    assert [cell.hidden for cell in read(path).cells] == [False, False, False, True]
    assert read(path).cells[1].place(1, "notebook") == Place(2, 1)


def test_a_notebook_of_format_3_is_read(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Width"},
        {"cell_type": "code", "input": "a = 1", "outputs": [{"output_type": "stream", "text": "hello"}]},
    ]
    path = saved(tmp_path, "old.ipynb", json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))
    assert shown(path) == [(1, "prose", "## Width"), (2, "code", "a = 1"), (2, "output", "hello")]


def test_a_script_is_one_cell_and_a_percent_script_is_cut_at_its_marks(tmp_path: Path) -> None:
    assert shown(saved(tmp_path, "a.py", "a = 1\n\nb = 2\n")) == [(1, "code", "a = 1\n\nb = 2\n")]
    path = saved(
        tmp_path, "b.py", "import x\n# %% [markdown]\n# # Width\n# Is wider better?\n# %% train\na = 1\n"
    )
    assert shown(path) == [
        (1, "code", "import x"),
        (2, "prose", "# Width\nIs wider better?"),
        (3, "code", "a = 1\n"),
    ]
    assert read(path).cells[2].place(1, "script") == Place(3, 1, 6)


def test_an_exported_text_is_told_apart_by_shape(tmp_path: Path) -> None:
    text = """Q1: width

Model: "sequential_1"

Layer (type)\tOutput Shape\tParam #
dense (Dense)\t(None, 50)\t39250

Test Accuracy = 0.970

The accuracy increased from 0.970 to 0.988

model = build(50)
for epoch in range(3):
    train(model)

    test(model)

```
model CNN = f(
  2)
```
"""
    path = saved(tmp_path, "a.txt", text)
    assert [(cell.kind, cell.first_line) for cell in read(path).cells] == [
        ("prose", 1),
        ("output", 3),
        ("prose", 10),
        ("code", 12),
        ("code", 19),
    ]
    assert read(path).cells[4].place(2, "text") == Place(1, 20, 20)


@pytest.mark.parametrize(
    "page",
    [
        """<div class="jp-Cell jp-MarkdownCell"><div class="jp-InputPrompt"></div><div class="jp-RenderedHTMLCommon
        jp-RenderedMarkdown"><h1>Width</h1><p>rose &lt; 1</p></div></div>
        <div class="jp-Cell jp-CodeCell"><div class="jp-InputPrompt">In [1]:</div><div class="jp-CodeMirrorEditor
        jp-InputArea-editor"><div><pre><span></span><span class="n">a</span> <span>=</span> 1
b = 2</pre></div></div><div class="jp-OutputArea-output"><pre>loss: 0.1
end</pre></div></div>""",
        """<div class="cell text_cell"><div class="text_cell_render"><h1>Width</h1><p>rose &lt; 1</p></div></div>
        <div class="cell code_cell"><div class="prompt">In [1]:</div><div class="input_area"><pre>a = 1
b = 2</pre></div><div class="output_subarea output_text"><pre>loss: 0.1
end</pre></div></div>""",
    ],
    ids=["lab", "classic"],
)
def test_a_notebook_exported_to_html_becomes_the_same_cells(tmp_path: Path, page: str) -> None:
    head = "<!-- <div class='jp-Cell'> --><html><head><style>.jp-Cell{}</style><script>a<b</script></head>"
    cells = shown(saved(tmp_path, "a.html", head + page + "</html>"))
    assert [(number, kind) for number, kind, _ in cells] == [(1, "prose"), (2, "code"), (2, "output")]
    assert cells[0][2].split() == ["#", "Width", "rose", "<", "1"]
    assert [text for _, _, text in cells[1:]] == ["a = 1\nb = 2", "loss: 0.1\nend"]


def test_any_other_page_is_told_apart_by_shape(tmp_path: Path) -> None:
    page = (
        "<h1>Width</h1><p>It rose.</p><pre><code>model = build(50)\nmodel.fit(x)</code></pre><p>So there.</p>"
    )
    assert [kind for _, kind, _ in shown(saved(tmp_path, "a.html", page))] == ["prose", "code", "prose"]


def test_magics_and_broken_statements_lose_no_other_statement() -> None:
    source = "%matplotlib inline\n!pip install x\na = 1\nfiles = !ls\nmodel b = f([\n    1,\n])\nc = 3\nmodel?\nif c:\n    %time d = 4\nelse:\n    e = 5"
    found = parsed(source)
    assert [statement.lineno for statement in found.statements] == [1, 2, 3, 4, 8, 9, 10]
    assert [line for line, _ in found.broken] == [5]
    assert parsed("%%bash\nrm -rf /").statements == ()
    assert len(parsed("%%time\na = 1").statements) == 2


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.pdf", "x", "ends? in .ipynb, .py, .txt"),
        ("a.ipynb", "{", "a.ipynb:1: is not a notebook"),
        ("a.ipynb", "[1]", "JSON but not a notebook"),
        ("a.ipynb", "{}", "no list of cells"),
        ("a.ipynb", "[" * 100_000, "nested too deeply"),
        ("a.ipynb", '{"cells": ' + "1" * 5000 + "}", "a number that is too long"),
        ("a.ipynb", b'{"cells": "\xff"}', "not UTF-8"),
        ("a.py", b"a\0b", "binary"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_sentence(
    tmp_path: Path, name: str, content: str, says: str
) -> None:
    with pytest.raises(AuditError, match=says):
        read(saved(tmp_path, name, content))


def test_folders_missing_files_and_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.py").mkdir()
    for path, says in (
        (tmp_path / "b.py", "folder"),
        (tmp_path / "c.py", "no such file"),
        ("\0.py", "cannot be read"),
    ):
        with pytest.raises(AuditError, match=says):
            read(path)
    (tmp_path / "zero.py").symlink_to("/dev/zero")
    with pytest.raises(AuditError, match="not an ordinary file"):
        read(tmp_path / "zero.py")


def test_more_than_an_audit_reads_is_said_and_left_out(tmp_path: Path) -> None:
    document = read(saved(tmp_path, "a.py", "a = 1\n" * 100_000))
    assert len(document.cells[0].source) == 500_000
    assert "longer than an audit reads (600000 characters" in document.unread[0]
    assert "Latin-1" in read(saved(tmp_path, "b.txt", b"caf\xe9")).unread[0]
    assert "holds anything" in read(saved(tmp_path, "c.txt", "")).unread[0]


@pytest.mark.slow
def test_fifty_megabytes_are_read_in_seconds_and_in_bounded_memory(tmp_path: Path) -> None:
    """A picture in each output, as class notebooks have; and a training log that goes on and on."""
    picture = {
        "output_type": "display_data",
        "data": {"image/png": "A" * 1_000_000, "text/plain": "<Figure>"},
    }
    pictures = notebook(*(code(f"a = {index}", picture) for index in range(50)))
    log = notebook(code("fit()", stream("1/2 loss: 0.1\n" * 3_500_000)))
    for content in (pictures, log):
        path = saved(tmp_path, "large.ipynb", content)
        assert path.stat().st_size > 49_000_000
        tracemalloc.start()
        start = time.process_time()
        document = read(path)
        seconds = time.process_time() - start
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert document.cells[-1].kind == "output" and len(document.cells[-1].source) < 300_000
        assert seconds < 10 and peak < 400_000_000, (seconds, peak)


HOSTILE = {
    "tags.html": "<a " * 300_000,
    "comments.html": "<!--" * 300_000,
    "scripts.html": "<script " * 300_000,
    "quotes.html": '<a "' * 300_001 + ">",
    "closing.html": "</div>" * 200_000,
    "classes.html": '<div class="input_area">' * 100_000,
    "marked.html": "<![x[" * 100_000,
    "chain.py": "a" + ".b" * 200_000,
    "sum.py": "1+" * 200_000 + "1",
    "minus.py": "-" * 400_000 + "1",
    "brackets.py": "(" * 400_000,
    "lines.py": "x y\n" * 100_000,
    "words.txt": "loss " * 300_000,
    "spaces.txt": " " * 1_000_000 + "x",
    "lines.txt": "a b c\n\n" * 100_000,
    "equals.txt": "a.b = " * 100_000,
    "backspaces.ipynb": notebook(code("a", stream("\b" * 100_000 + "\r" * 100_000 + "\x1b[" * 50_000))),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_crafted_files_take_seconds_at_most(tmp_path: Path, name: str) -> None:
    start = time.process_time()
    for cell in read(saved(tmp_path, name, HOSTILE[name])).cells:
        if cell.kind == "code":
            parsed(cell.source)
    assert time.process_time() - start < 10


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cells",
                    "cell_type",
                    "source",
                    "outputs",
                    "metadata",
                    "data",
                    "text",
                    "text/plain",
                    "worksheets",
                ]
            ),
            inner | st.sampled_from(["code", "markdown", "stream", "a = 1", "model.fit("]),
            max_size=5,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=JSON.map(lambda value: json.dumps({"cells": [value]})) | JSON.map(json.dumps) | st.text())
def test_no_notebook_raises_anything_but_an_audit_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "any.ipynb"
    path.write_text(content, encoding="utf-8", errors="replace")
    with contextlib.suppress(AuditError):
        read(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from([".py", ".txt", ".html"]),
    content=st.binary(max_size=300)
    | st.lists(
        st.sampled_from(
            [
                "# %%\n",
                "```\n",
                "model = f(",
                ")",
                "<div class='jp-Cell'>",
                "<pre>",
                "</pre>",
                "\n",
                " ",
                "%x",
                "loss=1",
            ]
        ),
        max_size=30,
    ).map(lambda parts: "".join(parts).encode()),
)
def test_no_other_file_raises_anything_but_an_audit_error(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = saved(tmp_path, f"any{suffix}", content)
    with contextlib.suppress(AuditError):
        for cell in read(path).cells:
            parsed(cell.source)
