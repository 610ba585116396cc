"""Whatever is wrong in a study file is said once, readably, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairtrial.errors import StudyError
from fairtrial.study import studyfile

HEAD = "schema: fairtrial/1\n"
PLAIN = HEAD + "arms:\n  a: {}\n  b: {epochs: 2}\n"
CNN = "network: {layers: [{conv: {name: first, filters: 8}}, pool: 2, flatten]}"

MALFORMED = {
    "empty file": ("", 1, "the file is empty"),
    "only a comment": ("# nothing yet\n", 1, "the file is empty"),
    "a list": ("- schema: fairtrial/1\n", 1, "got a list"),
    "a text": ("hello\n", 1, "got 'hello'"),
    "no schema": ("name: x\narms: {a: {}}\n", 1, "schema is missing"),
    "another schema": ("schema: fairtrial/9\narms: {a: {}}\n", 1, "must be fairtrial/1, got 'fairtrial/9'"),
    "a newer schema": ("schema: fairtrial/2\narms: {a: {}}\n", 1, "a file for a newer fairtrial; upgrade fairtrial, this version reads fairtrial/1"),
    "a schema misspelt": ("schema: fairtrail/1\narms: {a: {}}\n", 1, "reads no other; did you mean 'fairtrial/1'?"),
    "a schema that is none": ("schema: 1\narms: {a: {}}\n", 1, "must be fairtrial/1, got 1; this version of fairtrial reads no other"),
    "no arms": (HEAD + "name: x\n", 1, "arms is missing"),
    "arms empty": (HEAD + "name: x\narms:\n", 3, "at least one arm"),
    "arms a list": (HEAD + "arms: [a, b]\n", 2, "arms must be a mapping"),
    "arm a number": (HEAD + "arms:\n  a: 3\n", 3, "arm 'a' must be a mapping of settings"),
    "arm called base": (HEAD + "arms:\n  base: {}\n", 3, "choose another"),
    "arm without a name": (HEAD + 'arms:\n  "": {}\n', 3, "1 to 80 characters"),
    "unknown key at the top": (PLAIN + "confidnce: 0.9\n", 5, "did you mean 'confidence'?"),
    "unknown key in base": (HEAD + "base:\n  epoch: 3\narms: {a: {}, b: {}}\n", 3, "base: unknown key 'epoch'; did you mean 'epochs'?"),
    "unknown key in an arm": (HEAD + "arms:\n  a:\n    batchsize: 3\n", 4, "arm 'a': unknown key 'batchsize'; did you mean 'batch_size'?"),
    "bare name of a setting": (HEAD + "arms:\n  a: {learning_rate: 0.1}\n", 3, "did you mean 'optimizer.learning_rate'?"),
    "unknown dotted path": (HEAD + "arms:\n  a: {network.mpl.width: 3}\n", 3, "did you mean 'mlp'?"),
    "empty part of a path": (HEAD + "arms:\n  a: {network..width: 3}\n", 3, "has an empty part"),
    "bottomless path": (HEAD + "arms:\n  a: {" + ".".join("a" * 500) + ": 3}\n", 3, "deeper than any setting"),
    "path given twice": (HEAD + "arms:\n  a:\n    network.mlp.width: 3\n    network: {mlp: {width: 4}}\n", 5, "is given twice, first at"),
    "negative batch": (HEAD + "arms:\n  x:\n    batch_size: -3\n", 4, "arm 'x': batch_size must be at least 1, got -3"),
    "fraction of an epoch": (HEAD + "arms: {a: {epochs: 1.5}}\n", 2, "must be a whole number, got 1.5"),
    "true as a number": (HEAD + "arms: {a: {epochs: true}}\n", 2, "must be a whole number, got true"),
    "quoted number": (HEAD + 'arms: {a: {optimizer.learning_rate: "0.001"}}\n', 2, "must be a number, got '0.001' (a number stands without quotes)"),
    "quoted whole number": (HEAD + 'base: {batch_size: "100"}\narms: {a: {}}\n', 2, "must be a whole number, got '100'"),
    "true as a rate": (HEAD + "base: {optimizer: {beta_1: true}}\narms: {a: {}}\n", 2, "must be a number, got true"),
    "NaN rate": (HEAD + "base:\n  optimizer:\n    learning_rate: .nan\narms: {a: {}, b: {}}\n", 4, "learning_rate must be a finite number, got .nan"),
    "infinite rate": (HEAD + "base: {optimizer: {learning_rate: .inf}}\narms: {a: {}}\n", 2, "got .inf"),
    "huge number": (HEAD + f"base: {{optimizer: {{learning_rate: {'9' * 400}}}}}\narms: {{a: {{}}}}\n", 2, "learning_rate"),
    "negative rate": (HEAD + "arms: {a: {optimizer.learning_rate: -0.1}}\n", 2, "must be greater than 0, got -0.1"),
    "unknown optimizer": (HEAD + "base:\n  optimizer:\n    learning_rate: 1\n    name: adamm\narms: {a: {}}\n", 5, "unknown optimizer 'adamm'"),
    "setting of another optimizer": (HEAD + "arms: {a: {optimizer: {name: sgd, beta_1: 0.9}}}\n", 2, "unknown key 'optimizer.beta_1'"),
    "unknown schedule": (HEAD + "arms: {a: {optimizer.learning_rate: {cosin: {initial: 1}}}}\n", 2, "did you mean 'cosine'?"),
    "schedule without its start": (HEAD + "arms: {a: {optimizer.learning_rate: {cosine: {}}}}\n", 2, "learning_rate.initial is missing"),
    "unknown activation": (HEAD + "arms: {a: {network.mlp.activation: rellu}}\n", 2, "did you mean 'relu'?"),
    "unknown data set": (HEAD + "data: {dataset: mnits}\narms: {a: {}}\n", 2, "did you mean 'mnist'?"),
    "unknown split": (HEAD + "data: {split: fixd}\narms: {a: {}, b: {}}\n", 2, "must be one of fixed, reshuffled, got 'fixd'; did you mean 'fixed'?"),
    "nothing left to train on": (HEAD + "data:\n  dataset: mnist\n  validation: 60000\narms: {a: {}, b: {}}\n", 4, "leaves none to train on"),
    "more images than there are": (HEAD + "data: {validation: 6000}\narms:\n  a: {}\n  b:\n    data.train: 55000\n", 6, "at most 54000 are left"),
    "augment of an unknown kind": (HEAD + "data: {augment: yes}\narms: {a: {}}\n", 2, "data.augment must be none, or how far images may be moved, such as {shift: 2, rotate: 10, zoom: 0.1}, got 'yes'"),
    "augment a number": (HEAD + "arms:\n  a:\n    data.augment: 3\n", 4, "arm 'a': data.augment must be none, or how far"),
    "unknown amount of augment": (HEAD + "data:\n  augment:\n    shift: 2\n    rotat: 3\narms: {a: {}, b: {}}\n", 5, "unknown key 'data.augment.rotat'; did you mean 'rotate'?"),
    "unknown dotted amount": (HEAD + "arms:\n  a: {data.augment.zom: 0.1}\n", 3, "unknown key 'data.augment.zom'; did you mean 'zoom'?"),
    "bare name of an amount": (HEAD + "arms:\n  a: {rotate: 10}\n", 3, "did you mean 'data.augment.rotate'?"),
    "rotated beyond half a turn": (HEAD + "arms:\n  a: {data.augment.rotate: 181}\n", 3, "arm 'a': data.augment.rotate must be at most 180, got 181"),
    "shifted out of sight": (HEAD + "arms:\n  a: {data.augment.shift: 29}\n", 3, "data.augment.shift must be at most 28, got 29"),
    "shifted by less than nothing": (HEAD + "data: {augment: {shift: -1}}\narms: {a: {}}\n", 2, "data.augment.shift must be at least 0, got -1"),
    "zoomed in percent": (HEAD + "data: {augment: {zoom: 10}}\narms: {a: {}}\n", 2, "data.augment.zoom must be less than 1, got 10"),
    "amount as text": (HEAD + "data: {augment: {rotate: ten}}\narms: {a: {}}\n", 2, "data.augment.rotate must be a number, got 'ten'"),
    "none and an amount": (HEAD + "arms:\n  a:\n    data.augment: none\n    data.augment.rotate: 10\n", 5, "data.augment is given twice, first at"),
    "mlp and layers": (HEAD + "base:\n  network:\n    mlp: {}\n    layers: [flatten]\narms: {a: {}, b: {}}\n", 5, "mlp or layers, not both"),
    "neither mlp nor layers": (HEAD + "base:\n  network: {}\narms: {a: {}, b: {}}\n", 3, "takes mlp or layers, one of both"),
    "mlp setting of layers": (HEAD + f"base: {{{CNN}}}\narms:\n  a: {{network.mlp.width: 3}}\n", 4, "network.mlp.width does not apply"),
    "layer setting of an mlp": (HEAD + "arms:\n  a: {network.layers.0.units: 3}\n", 3, "network.layers.0.units does not apply"),
    "unknown layer": (HEAD + "base:\n  network:\n    layers:\n    - flatten\n    - densee: {units: 3}\narms: {a: {}, b: {}}\n", 6, "unknown layer 'densee'"),
    "layer badly indented": (HEAD + "base:\n  network:\n    layers:\n    - flatten\n    - dense:\n      units: 3\narms: {a: {}}\n", 6, "must be one layer with its settings"),
    "layer without its units": (HEAD + "base:\n  network:\n    layers:\n    - flatten\n    - dense: {activation: relu}\narms: {a: {}}\n", 6, "units is missing"),
    "layer without a shorthand": (HEAD + "arms:\n  a:\n    network:\n      layers:\n      - conv: 3\n", 6, "must be one layer with its settings"),
    "unknown setting of a layer": (HEAD + "base: {network: {layers: [flatten, {dense: {units: 3, activaton: relu}}]}}\narms: {a: {}}\n", 2, "did you mean 'activation'?"),
    "kernel as text": (HEAD + "base: {network: {layers: [{conv: {filters: 3, kernel: 3x3}}, flatten]}}\narms: {a: {}}\n", 2, "or two of them: [height, width], got '3x3'"),
    "kernel of three": (HEAD + "base: {network: {layers: [{conv: {filters: 3, kernel: [3, 3, 3]}}, flatten]}}\narms: {a: {}}\n", 2, "or two of them: [height, width], got a list"),
    "dropout of one": (HEAD + "arms: {a: {network: {layers: [flatten, dropout: 1]}}}\n", 2, "must be less than 1, got 1"),
    "no such layer by name": (HEAD + f"base: {{{CNN}}}\narms:\n  a: {{network.layers.frist.kernel: 5}}\n", 4, "did you mean 'first'?"),
    "no such layer by position": (HEAD + f"base: {{{CNN}}}\narms:\n  a: {{network.layers.3.kernel: 5}}\n", 4, "has no layer '3'"),
    "layer name given twice": (HEAD + "arms:\n  a:\n    network:\n      layers:\n      - flatten\n      - dense: {name: x, units: 3}\n      - dense: {name: x, units: 3}\n", 8, "the name 'x' is taken by layer 1"),
    "layer called output": (HEAD + "arms: {a: {network: {layers: [flatten, {dense: {name: output, units: 3}}]}}}\n", 2, "taken by the output layer"),
    "layer called as another by default": (HEAD + "arms: {a: {network: {layers: [flatten, {dense: {name: dense-2, units: 3}}, dense: 4]}}}\n", 2, "taken by layer 2"),
    "window larger than the image": (HEAD + f"base: {{{CNN}}}\narms:\n  a: {{}}\n  b:\n    network.layers.first.kernel: 40\n", 6, "arm 'b': network: layer 'first' (conv)"),
    "dense on an image": (HEAD + "base:\n  network:\n    layers:\n    - dense: {units: 4}\narms: {a: {}, b: {}}\n", 5, "base: network: layer 'dense-1' (dense) needs a flat input"),
    "output on an image": (HEAD + "base:\n  network: {layers: [pool: 2]}\narms: {a: {}, b: {}}\n", 3, "layer 'output' (dense) needs a flat input"),
    "from an unknown arm": (HEAD + "arms:\n  wide: {}\n  b: {from: wied}\n", 4, "arm 'b': from names an unknown arm 'wied'; did you mean 'wide'?"),
    "from a list": (HEAD + "arms:\n  a: {}\n  b: {from: [a]}\n", 4, "from must be the name of an arm, got a list"),
    "cyclic from": (HEAD + "arms:\n  a: {from: b}\n  b: {from: c}\n  c: {from: a}\n", 3, "leads back to the arm itself: a -> b -> c -> a"),
    "from itself": (HEAD + "arms:\n  a: {}\n  b: {from: b}\n", 4, "b -> b"),
    "arm given twice": (HEAD + "arms:\n  a: {}\n  a: {epochs: 2}\n", 4, "'a' is given twice in one mapping, first at"),
    "published as percent": (HEAD + "arms:\n  a:\n    published: {test_accuracy: 97.2}\n", 4, "arm 'a': published.test_accuracy must be at most 1, got 97.2"),
    "published figure unknown": (HEAD + "arms:\n  a: {published: {accuracy: 0.97}}\n", 3, "did you mean"),
    "title a list": (HEAD + "arms:\n  a: {title: [x]}\n", 3, "title must be text"),
    "questions a mapping": (PLAIN + "questions: {id: Q}\n", 5, "questions must be a list"),
    "question a text": (PLAIN + "questions:\n- which?\n", 6, "must be a mapping of settings"),
    "arms that are not there": (HEAD + "questions:\n- {variant: c, baseline: b}\n", 1, "arms is missing"),
    "id with a blank": (PLAIN + "questions:\n- {id: my question, variant: a, baseline: b}\n", 6, "id must be made of letters, digits, -, _, . and +"),
    "id that begins with a dot": (PLAIN + "questions:\n- {id: .hidden, variant: a, baseline: b}\n", 6, "begin with a letter, a digit or _, got '.hidden'"),
    "window beyond the image": (HEAD + "base: {network: {layers: [{conv: {name: big, filters: 1, kernel: 29}}, flatten]}}\narms: {a: {}}\n", 2, "layer 'big' (conv) has a window of 29 pixels, larger than the image; the shape that reaches it is 28 x 28 x 1"),
    "unknown variant": (PLAIN + "questions:\n- {id: Q, variant: c, baseline: b}\n", 6, "question 'Q': variant names an unknown arm 'c'; arms here: a, b"),
    "base as baseline": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: base}\n", 6, "the base is no arm"),
    "no baseline": (PLAIN + "questions:\n- {id: Q, variant: a}\n", 6, "questions.Q.baseline is missing"),
    "variant is its own baseline": (PLAIN + "questions:\n- id: Q\n  variant: a\n  baseline: a\n", 8, "variant and baseline are the same arm, 'a'"),
    "metric asked twice": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, metrics: [loss, loss]}\n", 6, "questions.Q.metrics: names loss twice"),
    "images asked twice": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, 'on': [test, test]}\n", 6, "questions.Q.on: names test twice"),
    "question id given twice": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b}\n- {id: Q, variant: b, baseline: a}\n", 7, "question 'Q': this id is given twice, first at"),
    "unknown metric": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, metrics: [acuracy]}\n", 6, "did you mean 'accuracy'?"),
    "metrics not a list": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, metrics: time}\n", 6, "metrics must be a list"),
    "no metrics": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, metrics: []}\n", 6, "at least 1 entry"),
    "unknown factor": (PLAIN + "questions:\n- id: Q\n  variant: a\n  baseline: b\n  factors: [network.mlp.widht]\n", 9, "did you mean 'network.mlp.width'?"),
    "bare factor": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, factors: [width]}\n", 6, "did you mean 'network.mlp.width'?"),
    "bare amount as a factor": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, factors: [rotate]}\n", 6, "did you mean 'data.augment.rotate'?"),
    "level not named": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, claims: [{says: level}]}\n", 6, "says level and names none"),
    "claim in percent": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, claims: [{says: increase, to: 98}]}\n", 6, "an accuracy from 0 to 1, got 98"),
    "claim of an unknown kind": (PLAIN + "questions:\n- {id: Q, variant: a, baseline: b, claims: [{says: increases}]}\n", 6, "did you mean 'increase'?"),
    "max below min": (PLAIN + "seeds:\n  min: 9\n  max: 4\n", 7, "max must be at least min (9), got 4"),
    "two seeds": (PLAIN + "seeds: {min: 2}\n", 5, "seeds.min must be at least 3, got 2"),
    "confidence of one": (PLAIN + "confidence: 1\n", 5, "confidence must be less than 1, got 1"),
    "confidence in percent": (PLAIN + "confidence: 95%\n", 5, "confidence must be a number, got '95%'"),
    "margin in another unit": (PLAIN + "margins: {accuracy: 0.1%}\n", 5, "an amount such as 0.1pp, got '0.1%'"),
    "margin of nothing": (PLAIN + "margins: {time: 0%}\n", 5, "margins.time must be greater than 0"),
    "margin without a number": (PLAIN + "margins: {time: .%}\n", 5, "an amount such as 0.1%"),
    "broken YAML": (PLAIN + "seeds: {min: 3\nname: x\n", 6, "not valid YAML"),
    "tab": (HEAD + "arms:\n\ta: {}\n", 3, "not valid YAML"),
    "two documents": (PLAIN + "---\na: 1\n", 5, "a second document begins here"),
    "recursive anchor": (HEAD + "arms: &a\n  x: *a\n", 3, "refers to the value it stands in"),
    "unknown anchor": (HEAD + "arms: {a: *b}\n", 2, "refers to an anchor that does not exist"),
    "merge key": (HEAD + "base: &b {epochs: 2}\narms:\n  a:\n    <<: *b\n", 5, "merge keys"),
    "a tag": (HEAD + "name: !!python/object:os.system x\narms: {a: {}}\n", 2, "means nothing in a study"),
    "a list as a key": (PLAIN + "? [x]\n: 1\n", 5, "a key must be text, got a list"),
    "deep nesting": (HEAD + "arms: " + "[" * 5000 + "\n", 2, "nested more than"),
    "an exploding alias": (
        HEAD + "a0: &a0 [x, x, x, x, x, x, x, x]\n"
        + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 9)),
        6, "holds more than",
    ),
    "surrogate": (HEAD + 'name: "\\ud800"\narms: {a: {}}\n', 2, "surrogate"),
}  # fmt: skip


def mistakes_of(file: Path):
    with pytest.raises(StudyError) as caught:
        studyfile.load(file)
    for word in ("pydantic", "Traceback", "Input should", "validation error", "ruamel", "http"):
        assert word not in str(caught.value)
    return caught.value.mistakes


@pytest.mark.parametrize("name", MALFORMED)
def test_a_mistake_is_said_once_at_its_line(name, tmp_path):
    """A reader goes to the line and reads what to write instead."""
    text, line, piece = MALFORMED[name]
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="utf-8")
    (mistake,) = mistakes_of(file)
    assert mistake.where == f"{file}:{line}"
    assert piece in mistake.message
    assert "\n" not in mistake.message
    assert len(mistake.message) < 500


@pytest.mark.parametrize(
    ("content", "line", "piece"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", 3, "is a binary file"),
        (HEAD.encode() + "name: Größe\n".encode("latin-1"), 2, "is not UTF-8 text (byte 0xf6)"),
        (HEAD.encode("utf-16"), 1, "binary file"),
        (b"schema: \x01\n", 1, "not valid YAML: character U+0001"),
    ],
)
def test_a_file_that_is_no_text_is_said_to_be_none(content, line, piece, tmp_path):
    """Naming the store or a picture instead of the study is an easy slip."""
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    (mistake,) = mistakes_of(file)
    assert mistake.where == f"{file}:{line}"
    assert piece in mistake.message


def test_a_huge_file_is_refused_unread(tmp_path):
    """A data file named by mistake must not keep the parser busy for minutes."""
    file = tmp_path / "big.yaml"
    file.write_bytes(b"# x\n" * 100_000)
    (mistake,) = mistakes_of(file)
    assert "larger than" in mistake.message


def test_a_folder_is_said_to_be_one(tmp_path):
    """The folder that `init` made is not the study in it."""
    (mistake,) = mistakes_of(tmp_path)
    assert "is a folder" in mistake.message


@pytest.mark.parametrize("source", ["cuorse", "no/such/course.yaml", "x" * 5000, "a\0b"])
def test_a_missing_file_names_the_built_in_studies(source):
    """Most who mistype wanted one of these."""
    with pytest.raises(StudyError) as caught:
        studyfile.load(source)
    (mistake,) = caught.value.mistakes
    if len(source) < 100 and "\0" not in source:
        assert "did you mean 'course'?" in mistake.message
        assert "notebook" in mistake.message


def test_all_mistakes_of_a_file_are_said_together_in_the_order_of_its_lines(tmp_path):
    """Nobody wants to mend a file one run at a time."""
    file = tmp_path / "study.yaml"
    file.write_text(
        HEAD
        + """titel: x
base:
  batch_size: -1
  network: {mlp: {activation: rellu}}
arms:
  a: {epochs: 0}
  b: {from: a, precision: float16}
  c: {from: nowhere, network.mlp.widht: 3}
questions:
- {id: Q, variant: a, baseline: d}
seeds: {max: 1}
confidence: 2
""",
        encoding="utf-8",
    )
    found = mistakes_of(file)
    assert [int(mistake.where.rpartition(":")[2]) for mistake in found] == [2, 4, 5, 7, 8, 9, 9, 11, 12, 13]


def test_all_keys_given_twice_are_said_together(tmp_path):
    """They are found while the file is read, before anything else is known of it."""
    file = tmp_path / "study.yaml"
    file.write_text(HEAD + "name: x\nname: y\narms:\n  a: {epochs: 1, epochs: 2}\n", encoding="utf-8")
    assert [mistake.where for mistake in mistakes_of(file)] == [f"{file}:3", f"{file}:5"]


def test_a_mistake_that_many_arms_inherit_is_said_once_where_it_was_written(tmp_path):
    """Thirty arms, one wrong line: one message, at that line and not at the thirty."""
    arms = "".join(f"  a{n}: {{from: wrong}}\n" for n in range(30))
    file = tmp_path / "study.yaml"
    file.write_text(HEAD + "arms:\n  wrong: {optimizer.beta_1: 2}\n" + arms, encoding="utf-8")
    (mistake,) = mistakes_of(file)
    assert mistake.where == f"{file}:3"
    assert mistake.message == "arm 'wrong': optimizer.beta_1 must be less than 1, got 2"


def test_a_mistake_of_the_base_counts_though_every_arm_departs_from_it(tmp_path):
    """The next arm would inherit it."""
    file = tmp_path / "study.yaml"
    file.write_text(HEAD + "base: {epochs: 0}\narms: {a: {epochs: 3}}\n", encoding="utf-8")
    (mistake,) = mistakes_of(file)
    assert mistake.message == "base: epochs must be at least 1, got 0"


def test_what_only_arms_complete_may_be_left_open_in_the_base(tmp_path):
    """A base is a start, not an arm."""
    file = tmp_path / "study.yaml"
    file.write_text(
        HEAD
        + "base: {network: {layers: [flatten, {dense: {name: one}}]}}\narms: {a: {network.layers.one.units: 3}}\n",
        encoding="utf-8",
    )
    assert studyfile.load(file).arms["a"].network[1].units == 3  # pyright: ignore[reportAttributeAccessIssue]
