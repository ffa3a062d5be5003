"""Pictures of levels, and what the classifier reads in them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from safetensors import safe_open

from arena.envs.science_birds import drawing, grid
from arena.envs.science_birds.assessment import assess, look
from arena.envs.science_birds.similarity import (
    LETTERS,
    SIZE,
    WEIGHTS,
    Classifier,
    classifier,
    diversity,
)

SQUARE = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])


def test_the_longer_side_fills_what_the_margin_leaves():
    picture = drawing.render([SQUARE * (2, 1)], 1024)
    dark = np.argwhere(picture > 0.5)
    assert dark.min(axis=0).tolist() == [306, 100]
    assert dark.max(axis=0).tolist() == [717, 923]
    assert set(np.unique(picture)) == {0.0, 1.0}


def test_neither_place_nor_size_change_a_picture():
    shapes = [SQUARE, np.add(SQUARE, 1.0)]
    moved = [shape * 8 + (16.0, -4.0) for shape in shapes]
    assert np.array_equal(drawing.render(shapes, SIZE), drawing.render(moved, SIZE))


def test_up_is_up_and_a_turned_block_is_turned():
    step = drawing.render([SQUARE * (2, 1), np.add(SQUARE, (0.0, 1.0))], SIZE)
    assert step[8, 8] == 1.0 and step[8, 24] == 0.0 and step[24, 24] == 1.0
    diamond = drawing.render([np.array([(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)])], 64)
    assert diamond[32, 32] == 1.0 and diamond[12, 12] == 0.0
    assert diamond.mean() == pytest.approx(0.5 * (824 / 1024) ** 2, abs=0.01)


def test_nothing_is_white():
    assert not drawing.render([], SIZE).any()


def test_a_picture_reads_the_same_in_any_batch():
    rng = np.random.default_rng(0)
    pictures = (rng.random((7, SIZE, SIZE)) < 0.3).astype(np.float32)
    together = classifier().read(pictures)
    for i, picture in enumerate(pictures):
        alone = classifier().read(picture[None])
        assert alone[0].tobytes() == together[0][i].tobytes()
        assert alone[1].tobytes() == together[1][i].tobytes()


def test_the_weights_are_small_and_say_how_well_they_read_held_out_families():
    assert WEIGHTS.stat().st_size < 2_000_000
    with safe_open(WEIGHTS, "numpy") as file:
        figures = file.metadata()
    assert float(figures["accuracy_plain"]) >= 0.98
    assert float(figures["accuracy_augmented"]) >= 0.98


def test_letters_of_a_font_that_was_held_out_are_read():
    training = pytest.importorskip("arena.envs.science_birds.similarity_training")
    folder = Path("/usr/share/fonts/truetype/dejavu")
    if not folder.is_dir():
        pytest.skip("DejaVu (Debian: fonts-dejavu-core) is not installed")
    families = training.find_fonts(folder)
    assert all(name.split()[0] in training.HELD_OUT for name in families)
    glyphs = np.concatenate([g for found in families.values() for g in found])
    read = classifier().read(training.plain(glyphs))[0].argmax(axis=1)
    assert np.mean(read == np.arange(len(glyphs)) % 26) >= 0.98


def test_the_exported_network_is_the_trained_one():
    training = pytest.importorskip("arena.envs.science_birds.similarity_training")
    import torch

    torch.manual_seed(0)
    model = training.network()
    pictures = np.random.default_rng(1).random((64, SIZE, SIZE)).astype(np.float32)
    model(torch.from_numpy(pictures).unsqueeze(1))  # gives the normalisations statistics
    model.eval()
    tensors = training.export(model)
    ours = Classifier(tuple(tensors[f"{kind}{i}"] for i in range(1, 6) for kind in "wb"))
    with torch.no_grad():
        expected = model(torch.from_numpy(pictures).unsqueeze(1)).softmax(1).numpy()
    assert ours.read(pictures)[0] == pytest.approx(expected, abs=1e-4)


def test_a_letter_is_read_and_rubble_is_not():
    letter = grid.build(grid.program([("b31", 9), ("b13", 9), ("b31", 9)]))
    assert LETTERS[look(letter).argmax()] == "I"
    rng = np.random.default_rng(5)
    tops = []
    while len(tops) < 30:
        drops = rng.integers(0, 3, 18) * grid.WIDTH + rng.integers(6, 14, 18)
        assessed = assess(drops, tries=1)
        if not assessed.failure:
            tops.append(assessed.probabilities.max())
    assert np.mean(tops) < 0.3
    assert look(letter).max() > 0.8


def test_diversity_is_the_mean_cosine_distance_over_pairs():
    a, b = np.array([1.0, 0.0]), np.array([0.0, 2.0])
    assert diversity([a]) == 0.0
    assert diversity([a, a]) == pytest.approx(0.0)
    assert diversity([a, b]) == pytest.approx(1.0)
    assert diversity([a, b, a]) == pytest.approx(2 / 3)
    assert diversity([a, np.zeros(2), np.zeros(2)]) == pytest.approx(2 / 3)
