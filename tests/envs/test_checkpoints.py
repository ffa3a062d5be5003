"""A checkpoint from elsewhere is refused in one sentence that names the file and what is wrong."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from safetensors.numpy import save_file

from arena.envs.checkpoints import Like, read_config, read_tensors, typed
from arena.envs.errors import InputError


@dataclass(frozen=True)
class Recipe:
    game: str
    lr: float = 0.1
    steps: int = 10
    size: Literal["small", "large"] = "small"
    layers: tuple[int, ...] = ()
    stop: float | None = None


def written(folder: Path, value: Any) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(value))
    return file


def test_a_configuration_is_read_as_the_dataclass_it_was(tmp_path: Path) -> None:
    file = written(tmp_path, {"kind": "x", "game": "g", "lr": 1, "layers": [3, 4], "stop": None})
    assert read_config(file, Recipe, kind="x") == Recipe("g", lr=1.0, layers=(3, 4))


@pytest.mark.parametrize(
    ("facts", "fault"),
    [
        ([], "kind 'x'"),
        ({"kind": "y", "game": "g"}, "kind 'x'"),
        ({}, "field 'game' is missing"),
        ({"game": "g", "stepz": 1}, "unknown field 'stepz'; did you mean 'steps'"),
        ({"game": 7}, "field game: 7 is not of type str"),
        ({"game": "g", "steps": True}, "field steps: True is not of type int"),
        ({"game": "g", "steps": 1.5}, "field steps: 1.5 is not of type int"),
        ({"game": "g", "lr": "0.1"}, "field lr: '0.1' is not of type float"),
        ({"game": "g", "size": "huge"}, "field size: 'huge' is not of type Literal"),
        ({"game": "g", "layers": [1, "2"]}, r"field layers\[1\]: '2' is not of type int"),
    ],
)
def test_a_field_of_another_kind_is_named(tmp_path: Path, facts: Any, fault: str) -> None:
    if isinstance(facts, dict):
        facts = {"kind": "x", **facts}
    with pytest.raises(InputError, match=fault):
        read_config(written(tmp_path, facts), Recipe, kind="x")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    file = tmp_path / "w.safetensors"
    save_file({"w": np.ones((2, 3), np.float32), "n": np.arange(4)}, file)
    return file


WANTED = {"w": Like((None, 3)), "n": Like((4,), "int64")}


def test_tensors_come_as_arrays_of_the_wanted_shapes(weights: Path) -> None:
    found = read_tensors(weights, WANTED)
    assert found["w"].shape == (2, 3)
    assert found["n"].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("wanted", "fault"),
    [
        (WANTED | {"w": Like((2, 4))}, r"tensor 'w' is float32 \[2, 3\]; it must be .* \[2, 4\]"),
        (WANTED | {"w": Like((2,))}, "tensor 'w' is"),
        (WANTED | {"n": Like((4,))}, "tensor 'n' is int64"),
        (WANTED | {"more": Like((1,))}, "lacks tensor 'more'"),
        ({"n": WANTED["n"]}, "has an unknown tensor 'w'"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(weights: Path, wanted: Any, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        read_tensors(weights, wanted)


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    save_file({"w": np.array([1.0, np.nan], np.float32)}, file)
    with pytest.raises(InputError, match="tensor 'w' holds numbers that are not finite"):
        read_tensors(file, {"w": Like((2,))})


def test_no_damage_to_a_file_is_a_traceback(weights: Path) -> None:
    whole = weights.read_bytes()
    dice = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole[: dice.integers(len(whole) + 1)] if dice.random() < 0.3 else whole)
        for at in dice.integers(0, max(len(data), 1), 3)[: len(data)]:
            data[at] = dice.integers(256)
        weights.write_bytes(data)
        try:
            read_tensors(weights, WANTED)
        except InputError as error:
            assert "w.safetensors" in str(error)


@dataclass(frozen=True)
class Row:
    shape: tuple[int, ...]
    dtype: str


def test_a_list_of_records_names_the_one_that_is_none() -> None:
    with pytest.raises(InputError, match=r"results.json\[1\].*dtype"):
        typed([{"shape": [1], "dtype": "x"}, {"shape": 3}], list[Row], "results.json")
