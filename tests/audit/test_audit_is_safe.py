"""Whatever a file holds: nothing of it is run, only the project's own error comes of it, and it takes bounded time."""

from __future__ import annotations

import contextlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairtrial.audit.auditing import audit_file
from fairtrial.errors import AuditError

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*/*.cells"))
LINES = [line for path in CORPUS for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
ENDINGS = st.sampled_from([".ipynb", ".py", ".txt", ".html", ".md"])
calm = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])


def survives(content: bytes, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"any{ending}"
        path.write_bytes(content)
        with contextlib.suppress(AuditError):
            audit_file(path).as_dict()


def notebook(*sources: str) -> dict[str, object]:
    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": source} for source in sources]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}


@calm
@given(st.binary(max_size=400), ENDINGS)
def test_any_bytes_are_read_or_refused(content: bytes, ending: str):
    """Files come from anywhere: cut off, compressed, of another program."""
    survives(content, ending)


@calm
@given(st.text(max_size=300), ENDINGS, st.sampled_from(["utf-8", "utf-16", "latin-1", "cp1252", "utf-8-sig"]))
def test_any_text_in_any_encoding_is_read_or_refused(text: str, ending: str, encoding: str):
    """Exports of Windows are not UTF-8."""
    survives(text.encode(encoding, "replace"), ending)


@calm
@given(st.lists(st.sampled_from(LINES), max_size=40), st.randoms(use_true_random=False), ENDINGS)
def test_lines_of_programs_in_any_order_are_read(lines: list[str], chance: random.Random, ending: str):
    """Names that were never bound, loops without a body, cells run out of order."""
    source = "\n".join(" " * 4 * chance.randrange(3) + line.strip() for line in lines)
    survives(source.encode(), ending)
    survives(json.dumps(notebook(source, *lines)).encode(), ".ipynb")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@calm
@given(st.sampled_from(["cells", "source", "outputs", "metadata", "cell_type", "nbformat"]), JSON)
def test_a_notebook_with_anything_in_a_place_of_its_own_is_read_or_refused(where: str, value: object):
    """Other programs write notebooks as well, and people mend them by hand."""
    whole = notebook("x = 1", "model.fit(x)")
    holder = whole if where in whole else whole["cells"][0]  # pyright: ignore[reportIndexIssue]
    holder[where] = value  # pyright: ignore[reportIndexIssue]
    survives(json.dumps(whole).encode(), ".ipynb")


@calm
@given(st.integers(0, 10_000))
def test_a_notebook_cut_off_anywhere_is_read_or_refused(length: int):
    """A full disk ends files in the middle."""
    content = json.dumps(notebook(*LINES[:60])).encode()
    survives(content[:length], ".ipynb")


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 3000 + "1" + ")" * 3000,
        "x = " + "[" * 90 + "]" * 90,
        "x = " + "1+" * 9000 + "1",
        "x = a" + ".b()" * 5000,
        "x = " + "-" * 9000 + "1",
        "".join(" " * depth + f"for a{depth} in b:\n" for depth in range(90)) + " " * 90 + "pass",
        "def f(x):\n    return f(x)\nf(f)",
        "class A:\n    def __init__(self):\n        self.a = A()\nA()",
        "f = lambda g: g(g)\nf(f)",
        "x = 1\n" + "x = (x, x)\nfor a in x: b = a\n" * 300,
        "x = [x for x in x]\nx.append(x)\nfor x in x: x = (x, x)",
        "a, *b = *a, *b\n(a.b.c[0], d), e = 1\ndel a\nglobal z\nreturn 3",
        "x\0y = 1",
        "\ufeff\u202eé = 1\n" + "y" * 200_000,
        "model.fit(**{'validation_data': x_test, 3: 4}, *args)\nmodel.fit()\nfit()",
        "max()\nmax(key=3)\nds.take()\nds.skip()\ntrain_test_split()\nrandom_split()\nshuffle()\nprint(f'{max()}')",
    ],
    ids=range(16),
)
def test_programs_that_no_one_would_write_are_read(source: str):
    """Depth, self-reference and missing arguments end no audit."""
    survives(source.encode("utf-8", "replace"), ".py")
    survives(json.dumps(notebook(source)).encode(), ".ipynb")


PLANTED = """
import os, pathlib, {module}
os.system("touch {sentinel}")
__import__("os").system("touch {sentinel}")
open("{sentinel}", "w").write("1")
eval("open('{sentinel}', 'w')"); exec("open('{sentinel}', 'w')")
def f(a: "open('{sentinel}', 'w')" = open("{sentinel}", "w")) -> "os.system('touch {sentinel}')": ...
class A(metaclass=exec("open('{sentinel}', 'w')") or type): x = open("{sentinel}", "w")
@exec
def g(): return "open('{sentinel}', 'w')"
print(f"{{open('{sentinel}', 'w')}}")
model.fit(x, y, epochs=open("{sentinel}", "w"))
from fairtrial_planted_module import *
"""


@pytest.mark.parametrize("ending", [".py", ".ipynb", ".txt", ".html"])
def test_nothing_of_a_file_is_run(ending: str, tmp_path, monkeypatch):
    """Students' files are opened by the dozen on the teacher's machine."""
    sentinel = tmp_path / "it-was-run"
    (tmp_path / "fairtrial_planted_module.py").write_text(f"open({str(sentinel)!r}, 'w')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    source = PLANTED.format(sentinel=sentinel, module="fairtrial_planted_module")
    magics = f"!touch {sentinel}\n%run fairtrial_planted_module.py\n%system touch {sentinel}\nfiles = !touch {sentinel}"
    path = tmp_path / f"hostile{ending}"
    text = source + magics
    if ending == ".ipynb":
        cells = notebook(
            source, magics, f"%%bash\ntouch {sentinel}", f"%%script python\nopen('{sentinel}', 'w')"
        )
        text = json.dumps(cells)
    elif ending == ".html":
        text = f"<script>x</script><div class='highlight'><pre>{source}</pre></div><img src=x onerror='{magics}'>"
    path.write_text(text, encoding="utf-8")
    audit = audit_file(path)
    audit.as_dict()
    assert not sentinel.exists()
    assert "fairtrial_planted_module" not in sys.modules


def test_a_hundred_notebooks_take_less_than_ten_seconds(tmp_path):
    """A class of them is audited while its teacher waits."""
    paths: list[Path] = []
    for number, source in enumerate(CORPUS[:100]):
        cells = source.read_text(encoding="utf-8").split("=== code\n")
        paths.append(tmp_path / f"{number}.ipynb")
        paths[-1].write_text(json.dumps(notebook(*cells)), encoding="utf-8")
    assert len(paths) == 100
    began = time.process_time()
    for path in paths:
        audit_file(path)
    assert time.process_time() - began < 10


PROGRAMS = {
    "cuts": lambda: (
        "ds = x\n" + "".join(f"a=ds.shuffle(9).take({n});b=ds.shuffle(9).skip({n})\n" for n in range(9000))
    ),
    "models": lambda: "".join(
        f"m{n}=Sequential();m{n}.fit(x_train,y,epochs=1,validation_data=(x_test,y));m{n}.evaluate(x_test)\n"
        for n in range(4000)
    ),
    "calls": lambda: (
        "def f0(x):\n  return x\n"
        + "".join(f"def f{n}(x):\n  return f{n - 1}(x)+f{n - 1}(x)+f{n - 1}(x)\n" for n in range(1, 200))
        + "f199(3)\n" * 100
    ),
    "joins": lambda: "".join(f"X=np.concatenate([X,load_y{n}()])\n" for n in range(9000)),
    "lessons": lambda: "X=StandardScaler().fit_transform(X)\n" * 8000 + "a,b=train_test_split(X)\n",
    "pieces": lambda: "X = load_iris()\n" + "X = X[1:]\n" * 30_000,
    "lists": lambda: "x = 1\n" + "x = (x, x, x, x, x)\nfor a in x: b = a\n" * 9_000,
    "branches": lambda: "if a>b:\n  c=d\n" * 30_000,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        name if name in ("calls", "cuts", "lists") else pytest.param(name, marks=pytest.mark.long)
        for name in PROGRAMS
    ],
)
def test_programs_made_to_be_slow_are_given_up(name: str, tmp_path):
    """Following stops after so many steps and events; what was found before stands."""
    path = tmp_path / f"{name}.py"
    path.write_text(PROGRAMS[name](), encoding="utf-8")
    began, most_before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    audit_file(path)
    assert time.process_time() - began < 20
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most_before) / 1024 < 1000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux does")
def test_a_large_notebook_is_bounded_in_time_and_memory(tmp_path):
    """50 MB are pictures among the outputs, as notebooks of a semester have them."""
    cells = notebook(*LINES[:400])["cells"]
    picture = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo" * 90_000}}
    for cell in cells[:50]:  # pyright: ignore[reportIndexIssue]
        cell["outputs"] = [picture]
    path = tmp_path / "large.ipynb"
    path.write_text(
        json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}), encoding="utf-8"
    )
    assert path.stat().st_size > 49_000_000
    program = (
        "import re, sys, time; from pathlib import Path; from fairtrial.audit.auditing import audit_file;"
        " began = time.process_time(); audit_file(sys.argv[1]); seconds = time.process_time() - began;"
        # `ru_maxrss` begins with what the process that started this one had.
        " peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text());"
        " print(seconds, int(peak[1]) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True, timeout=120
    )
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 10
    assert megabytes < 600
