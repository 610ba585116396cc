"""Spaces: what may be written, what is asked for, and what comes of it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fairtrial.errors import StudyError
from fairtrial.study.candidates import candidate
from fairtrial.study.schema import Arm, ArmSettings
from fairtrial.study.searches import Search
from fairtrial.study.space import (
    Choice,
    FloatRange,
    IntRange,
    canonical,
    departures,
    every_point,
    parameters,
    shown,
    walk,
)
from fairtrial.study.studyfile import study_from_dict

WIDTH = {"network.mlp.width": {"int": [16, 2048], "log": True}}
STACK = {
    "network.layers": [
        "flatten",
        {"repeat": {"int": [1, 3]}, "dense": {"units": {"int": [8, 64]}, "activation": "relu"}},
        {"dropout": {"float": [0.0, 0.5]}},
    ]
}


def search(space: object, **more: object) -> Search:
    return Search.model_validate({"id": "S", "baseline": "plain", "space": space, **more})


def test_units_are_asked_for_layer_by_layer_after_the_depth() -> None:
    """A depth, then units per layer: each layer has a parameter of its own, and none that is not built is asked."""
    asked: list[str] = []

    def ask(name: str, parameter: object) -> int | float:
        asked.append(name)
        return {"repeat": 2, "units": 10 + len(asked), "dropout": 0.25}[name.rpartition(".")[2]]

    found = walk(search(STACK).space, ask)
    assert found == {
        "network.layers": [
            "flatten",
            {"dense": {"units": 12, "activation": "relu"}},
            {"dense": {"units": 13, "activation": "relu"}},
            {"dropout": 0.25},
        ]
    }
    assert asked == [
        "network.layers.1.repeat",
        "network.layers.1.1.dense.units",
        "network.layers.1.2.dense.units",
        "network.layers.2.dropout",
    ]


def test_what_an_option_holds_is_asked_for_only_where_it_is_taken() -> None:
    space = search(
        {"optimizer": {"choice": [{"name": "adam"}, {"name": "sgd", "momentum": {"float": [0.5, 0.99]}}]}}
    ).space
    assert departures(space, {"optimizer": 0}) == {"optimizer": {"name": "adam"}}
    values = {"optimizer": 1, "optimizer=sgd.momentum": 0.9}
    assert departures(space, values) == {"optimizer": {"name": "sgd", "momentum": 0.9}}
    assert shown(space, values) == {"optimizer": "sgd", "optimizer=sgd.momentum": 0.9}
    assert [name for name, _ in parameters(space)] == ["optimizer", "optimizer=sgd.momentum"]


def test_how_far_images_are_moved_may_be_searched() -> None:
    """Amount by amount, or whether to move them at all and then how far."""
    amounts = search({"data.augment.rotate": {"float": [0.0, 20.0]}, "data.augment.zoom": 0.1}).space
    assert departures(amounts, {"data.augment.rotate": 12.5}) == {
        "data.augment.rotate": 12.5,
        "data.augment.zoom": 0.1,
    }
    choice = search({"data.augment": {"choice": ["none", {"shift": {"int": [1, 4]}, "rotate": 10}]}}).space
    arm = Arm(name="arm", settings=ArmSettings())
    found = [
        str(candidate(arm, departures(choice, values), name="c").settings.data.augment)
        for values in ({"data.augment": 0}, {"data.augment": 1, f"{parameters(choice)[1][0]}": 3})
    ]
    assert found == ["none", "shift 3, rotate 10"]


def test_a_grid_goes_through_every_combination_once() -> None:
    """2 widths without dropout, 2 x 3 with: eight points, though a plain product would have twelve."""
    space = search(
        {
            "network": {
                "choice": [
                    {"mlp": {"width": {"choice": [10, 20]}}},
                    {"layers": ["flatten", {"dense": {"units": {"choice": [10, 20]}}}, {"dropout": {"float": [0.0, 0.4], "points": 3}}]},
                ]
            }
        },
        sampler="grid",
    ).space  # fmt: skip
    points = list(every_point(space))
    assert len(points) == 8 == len({str(point) for point in points})
    assert {point.get("network=layers.layers.2.dropout") for point in points} == {None, 0.0, 0.2, 0.4}


@pytest.mark.parametrize(
    ("parameter", "values"),
    [
        (IntRange(low=1, high=10, step=4), (1, 5, 9)),
        (FloatRange(low=0.0, high=0.3, step=0.1), (0.0, 0.1, 0.2, 0.3)),
        (FloatRange(low=1e-4, high=1e-2, log=True, points=3), (1e-4, 1e-3, 1e-2)),
    ],
)
def test_the_values_of_a_grid_are_round_numbers(
    parameter: IntRange | FloatRange, values: tuple[float, ...]
) -> None:
    assert parameter.grid() == values


def test_the_order_of_paths_makes_no_other_space() -> None:
    one = {"epochs": {"int": [1, 9]}, **WIDTH}
    other = {**WIDTH, "epochs": {"int": [1, 9]}}
    assert canonical(search(one).space) == canonical(search(other).space)
    assert list(search(one).space) == list(search(other).space)


def test_options_of_one_name_are_told_apart() -> None:
    choice = Choice(options=({"mlp": 1}, {"mlp": 2}, 0.5, "relu"))
    assert choice.labels == ("mlp#1", "mlp#2", "0.5", "relu")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        ({"epochs": {"int": [9, 1]}}, "the first number must be the smaller one, got [9, 1]"),
        ({"epochs": {"int": [1, 2.5]}}, "int must be two whole numbers"),
        ({"epochs": {"int": 3}}, "int must be two whole numbers"),
        ({"epochs": {"int": [1, 9], "lgo": True}}, "'lgo' does not go with int; did you mean 'log'?"),
        ({"epochs": {"int": [0, 9], "log": True}}, "log needs numbers above zero, got 0"),
        ({"epochs": {"int": [1, 9], "log": True, "step": 2}}, "step and log do not go together"),
        ({"epochs": {"int": [1, 9], "step": 20}}, "step must be above zero and at most 8"),
        ({"x": {"float": [0.0, float("inf")]}}, "float must be two numbers"),
        ({"x": {"float": [0.1, 0.2], "points": 1}}, "points must be a whole number from 2"),
        ({"x": {"choice": []}}, "choice must be a list of 1 to 1000 options"),
        ({"x": {"choice": ["a", "a"]}}, "choice names an option twice"),
        ({"x": 3}, "nothing is left open"),
        ({"network.layers": [{"repeat": {"int": [1, 2]}}]}, "beside repeat stands one layer"),
        ({"network.layers": [{"repeat": "often", "dense": 3}]}, "repeat must be how often"),
    ],
)
def test_a_space_that_cannot_be_is_refused_in_words(space: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        search(space)
    assert said in str(refused.value)


def test_a_grid_must_know_its_points() -> None:
    with pytest.raises(ValidationError, match="a grid needs to know how many: add points or step"):
        search({"x": {"float": [0.1, 0.2]}}, sampler="grid")
    with pytest.raises(ValidationError, match="a grid of more than 10000 points"):
        search({"a": {"int": [1, 200]}, "b": {"int": [1, 200]}}, sampler="grid")


@pytest.mark.parametrize(
    "space",
    [
        {"data.split": {"choice": ["fixed", "reshuffled"]}},
        {"data": {"validation": {"int": [1000, 6000]}}},
        {"data": {"choice": [{"validation": 1000}, {"train": 1000}]}},
    ],
)
def test_nothing_is_searched_that_changes_what_is_judged_on(space: object) -> None:
    """An easier validation set would win every time."""
    with pytest.raises(StudyError, match="changes the images that a network is judged on"):
        study_from_dict(
            {
                "schema": "fairtrial/1",
                "arms": {"plain": {}},
                "search": {"id": "S", "baseline": "plain", "space": space},
            }
        )


def test_how_images_are_moved_may_be_searched() -> None:
    space = {"data.augment.shift": {"choice": [0, 1, 2]}, "data.train": {"int": [1000, 50_000]}}
    search = {"id": "S", "baseline": "plain", "space": space}
    assert (
        study_from_dict({"schema": "fairtrial/1", "arms": {"plain": {}}, "search": search}).search[0].id
        == "S"
    )


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (
            {"optimizer": {"choice": [{"name": "adam"}, {"name": "sgd", "momentm": {"float": [0.1, 0.9]}}]}},
            "with optimizer sgd there is no network: unknown key 'optimizer.momentm'; did you mean 'momentum'?",
        ),
        ({"epochs": {"int": [0, 5]}}, "with epochs 0 there is no network: epochs must be at least 1, got 0"),
        ({"title": {"choice": ["a", "b"]}}, "'title' is no setting of an arm"),
    ],
)
def test_a_mistake_in_one_option_alone_is_found_before_training(space: object, said: str) -> None:
    """Such an option would never be tried, and the report would say that it was searched."""
    with pytest.raises(StudyError) as refused:
        study_from_dict(
            {
                "schema": "fairtrial/1",
                "arms": {"plain": {}},
                "search": {"id": "S", "baseline": "plain", "space": space},
            }
        )
    assert said in str(refused.value)


def test_a_search_and_a_question_have_names_of_their_own() -> None:
    with pytest.raises(StudyError, match="a question has this id"):
        study_from_dict(
            {
                "schema": "fairtrial/1",
                "arms": {"plain": {}, "wide": {"network.mlp.width": 99}},
                "questions": [{"id": "S", "variant": "wide", "baseline": "plain"}],
                "search": {"id": "S", "baseline": "plain", "space": WIDTH},
            }
        )


def test_a_huge_grid_is_refused_without_being_made() -> None:
    with pytest.raises(ValidationError, match="a grid of 10,000,000,000 values"):
        search({"epochs": {"int": [1, 10_000_000_000]}}, sampler="grid")
