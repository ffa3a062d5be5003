"""Where blocks come to lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.envs.science_birds import grid
from arena.envs.science_birds.grid import HEIGHT, KIND_HEIGHT, KIND_WIDTH, WIDTH, build, program

drops = st.lists(
    st.tuples(st.sampled_from(grid.KINDS), st.integers(0, WIDTH - 1)), min_size=1, max_size=40
)


def by_cells(listed):
    """The competition's own way: cell by cell from the top row down."""
    cells = np.zeros((HEIGHT, WIDTH), int)
    rows = []
    for kind, slot in listed:
        index = grid.KINDS.index(kind)
        w, h = KIND_WIDTH[index], KIND_HEIGHT[index]
        if cells[HEIGHT - 1, slot]:
            return "the height boundary is intruded"
        half = (w - 1) // 2
        if slot - half < 0 or slot + half >= WIDTH:
            return "the width boundary is intruded"
        lowest = HEIGHT - 1
        for row in range(HEIGHT - 1, -1, -1):
            if cells[row, slot - half : slot + half + 1].any():
                break
            lowest = row
        if lowest + h > HEIGHT:
            return "the height boundary is intruded"
        cells[lowest : lowest + h, slot - half : slot + half + 1] = 1
        rows.append(lowest)
    return cells, rows


@given(drops)
@settings(max_examples=300, deadline=None)
def test_columns_heights_say_what_a_search_cell_by_cell_says(listed):
    ours, theirs = build(program(listed)), by_cells(listed)
    if isinstance(theirs, str):
        assert ours == theirs
    else:
        assert (ours.cells > 0).astype(int).tolist() == theirs[0].tolist()
        assert ours.rows.tolist() == theirs[1]


@given(drops)
@settings(max_examples=100, deadline=None)
def test_a_masked_drop_never_fails_and_never_overlaps(listed):
    heights = np.zeros((1, WIDTH), np.int8)
    cells = np.zeros((1, HEIGHT, WIDTH), np.uint8)
    mask, rows, zero = np.zeros((1, grid.ACTIONS), bool), np.zeros(1, np.int64), np.zeros(1, int)
    area = 0
    for drop in program(listed):
        grid.legal_drops(heights, mask)
        if mask[0, drop]:
            grid.drop_batch(heights, cells, zero, np.array([drop]), rows)
            area += 1 if drop < WIDTH else 3
        assert rows[0] >= 0
    assert (cells > 0).sum() == area


def test_a_tall_block_falls_beside_a_wide_one_only_as_far_as_its_own_column_lets_it():
    structure = build(program([("b31", 5), ("b13", 5), ("b11", 7), ("b11", 4)]))
    assert structure.rows.tolist() == [0, 1, 0, 1]
    assert grid.picture(structure.cells) == (
        ".....#..............\n.....#..............\n....##..............\n....####............"
    )


def test_a_wide_block_rests_on_the_highest_of_its_three_columns():
    assert build(program([("b13", 4), ("b31", 5)])).rows.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        ([("b31", 0)], "the width boundary is intruded"),
        ([("b31", 19)], "the width boundary is intruded"),
        ([("b11", 3)] * 17, "the height boundary is intruded"),
        ([("b13", 3)] * 6, "the height boundary is intruded"),
    ],
)
def test_the_whole_level_fails_outside_the_grid(listed, reason):
    assert build(program(listed)) == reason


def test_world_coordinates_are_those_of_the_competition():
    structure = build(program([("b31", 5), ("b13", 4), ("b11", 6)]))
    c = 0.2401
    expected = [(2 + 1.5 * c, c / 2), (2 + 0.5 * c, c + 1.5 * c), (2 + 2.5 * c, c + c / 2)]
    assert structure.positions() == pytest.approx(np.array(expected) - [0, 3.5], abs=1e-12)


def test_unknown_blocks_and_slots_are_refused():
    with pytest.raises(InputError, match="'b33' is none of b11, b13, b31"):
        program([("b33", 4)])
    with pytest.raises(InputError, match="slot 20 is outside"):
        program([("b11", 20)])
