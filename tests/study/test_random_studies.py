"""`load` gives a study or says what is wrong; it never fails in another way."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from fairtrial.errors import StudyError
from fairtrial.study import studyfile
from fairtrial.study.schema import Arm, Study

EXAMPLE = Path(__file__).with_name("interface.yaml").read_text(encoding="utf-8")
LIMITS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

WORDS = (
    "schema", "fairtrial/1", "data", "base", "arms", "questions", "seeds", "margins", "confidence", "name", "network",
    "mlp", "layers", "optimizer", "learning_rate", "cosine", "initial", "conv", "dense", "pool", "flatten", "units",
    "kernel", "filters", "from", "a", "b", "epochs", "batch_size", "network.mlp.width", "network.layers.0.kernel",
    "network.layers", "variant", "baseline", "id", "factors", "metrics", "claims", "says", "level", "published",
    "optimizer.learning_rate.cosine.initial", "kind", "size", "0", "train", "validation", "min", "max", "text", "<<",
)  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
keys = st.sampled_from(WORDS) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
studies = st.fixed_dictionaries(
    {"schema": st.just("fairtrial/1"), "arms": st.dictionaries(st.sampled_from("abcd"), values, max_size=4)},
    optional=dict.fromkeys(("name", "title", "data", "base", "questions", "seeds", "margins"), values),
)


def assert_sound(study: Study) -> None:
    """A study that was let through can be used: its arms have shapes and its questions arms."""
    from fairtrial.study.shapes import arm_facts

    for arm in study.arms.values():
        assert isinstance(arm, Arm)
        assert arm_facts(arm)
        assert arm.steps_per_epoch >= 1
    for question in study.questions:
        assert {question.variant, question.baseline} <= set(study.arms)


def attempt(load, *arguments, **keywords) -> None:
    study, refusal = None, None
    try:
        study = load(*arguments, **keywords)
    except StudyError as error:
        refusal = error
    if refusal is not None:
        assert_readable(refusal)
    else:
        assert isinstance(study, Study)
        assert_sound(study)
        if isinstance(arguments[0], dict):
            assert list(study.arms) == list(arguments[0]["arms"]), "an arm was lost without a word"


def assert_readable(error: StudyError) -> None:
    """Each mistake once, one line of plain words that any terminal can print."""
    assert error.mistakes
    assert len(set(error.mistakes)) == len(error.mistakes)
    text = str(error)
    text.encode("utf-8")
    assert "pydantic" not in text
    assert "Traceback" not in text
    assert all("\n" not in mistake.message for mistake in error.mistakes)


@LIMITS
@given(content=st.binary(max_size=300))
def test_random_bytes_are_refused_readably(content, tmp_path):
    """Any file can be named by mistake."""
    file = tmp_path / "study.yaml"
    file.write_bytes(content)
    attempt(studyfile.load, file)


@LIMITS
@given(text=st.text(alphabet="abc:-[]{}&*!|>'\"%@#?,\n \t01.~<", max_size=120))
def test_random_punctuation_is_refused_readably(text, tmp_path):
    """The characters that mean something to YAML, in orders nobody would write."""
    file = tmp_path / "study.yaml"
    file.write_text(f"schema: fairtrial/1\n{text}", encoding="utf-8")
    attempt(studyfile.load, file)


@LIMITS
@given(value=values)
def test_random_structures_are_refused_readably(value, tmp_path):
    """Well-formed YAML that is no study."""
    stream = io.StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    file = tmp_path / "study.yaml"
    file.write_text(stream.getvalue(), encoding="utf-8")
    attempt(studyfile.load, file)


@settings(LIMITS, max_examples=400)
@given(study=studies)
def test_random_studies_are_refused_readably_or_sound(study):
    """The right words at the wrong places."""
    attempt(studyfile.study_from_dict, study)


@LIMITS
@given(path=st.lists(keys, max_size=4).map(".".join), value=scalars.map(str))
def test_random_options_are_refused_readably_or_sound(path, value):
    """`--set` takes whatever a shell hands over."""
    attempt(studyfile.load, "width", sets=[f"{path}={value}"])


@pytest.mark.parametrize("seed", range(150))
def test_mutated_copies_of_the_example_are_refused_readably_or_sound(seed, tmp_path):
    """What a slip of the hand makes of a good file: lines lost, doubled, swapped, characters changed."""
    rng = random.Random(seed)
    lines = EXAMPLE.splitlines()
    for _ in range(rng.randint(1, 4)):
        place, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        match rng.randrange(5):
            case 0:
                del lines[place]
            case 1:
                lines.insert(other, lines[place])
            case 2:
                lines[place], lines[other] = lines[other], lines[place]
            case 3:
                at = rng.randrange(len(lines[place]) + 1)
                lines[place] = lines[place][:at] + rng.choice(" :-{}[],#'\"x0.") + lines[place][at + 1 :]
            case _:
                lines[place] = " " * rng.randrange(7) + lines[place].strip()
    file = tmp_path / "study.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    attempt(studyfile.load, file)
