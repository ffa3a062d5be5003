"""Level files."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.envs.science_birds import blocks, grid, levels
from arena.envs.science_birds.levels import Camera, Level, Piece, load_level, read_xml, write_xml

numbers = st.floats(-50, 50)
pieces = st.one_of(
    st.builds(Piece, st.just("Block"), st.sampled_from(blocks.BLOCKS), numbers, numbers, numbers,
              st.sampled_from(["wood", "stone", "ice"])),
    st.builds(Piece, st.just("Pig"), st.sampled_from(list(blocks.PIGS)), numbers, numbers, numbers),
    st.builds(Piece, st.just("TNT"), st.just(""), numbers, numbers, numbers),
    st.builds(Piece, st.just("Platform"), st.just(""), numbers, numbers, numbers, st.just(""),
              st.tuples(st.floats(0.1, 9), st.floats(0.1, 9))),
)  # fmt: skip
any_level = st.builds(
    Level, st.lists(pieces, max_size=6).map(tuple),
    st.lists(st.sampled_from(blocks.BIRDS), max_size=3).map(tuple), st.tuples(numbers, numbers),
    st.builds(Camera, numbers, numbers, numbers, numbers), st.integers(1, 9),
)  # fmt: skip


@given(any_level)
@settings(max_examples=100, deadline=None)
def test_what_is_written_is_read_back(level):
    assert read_xml(write_xml(level)) == level


def test_the_competitions_level_around_a_structure():
    structure = grid.build(grid.program([("b31", 5), ("b13", 5)]))
    level = levels.from_structure(structure)
    assert [(p.kind, p.material, p.rotation) for p in level.pieces] == [
        ("RectSmall", "wood", 0.0), ("RectSmall", "wood", 90.0),
    ]  # fmt: skip
    assert (level.birds, level.slingshot, level.width) == (("BirdRed",), (-9.0, -2.5), 3)
    assert level.camera == Camera(2.0, 0.0, 17.0, 22.0)


GOOD = write_xml(Level((Piece("Block", "RectFat", 1.0, 2.0, 0.0, "stone"),)))
BOMB = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Level>&b;</Level>'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "level, line 1: not well-formed XML (no element found)"),
        ("<Level><Birds></Level>", "level, line 1: not well-formed XML (mismatched tag)"),
        (BOMB, "level, line 1: a level has no document type and no entities"),
        ("<Levels />", "level, line 1: <Levels> is not part of a level"),
        ("<Bird type='BirdRed' />", "a level begins with <Level>"),
        (GOOD.replace("RectFat", "RectThin"), "line 9: Block type='RectThin' is none of RectBig"),
        (GOOD.replace("stone", "glass"), "Block material='glass' is none of wood, stone, ice"),
        (GOOD.replace('x="1.0"', 'x="nan"'), "Block x='nan' is not a number"),
        (GOOD.replace('x="1.0"', ""), "Block lacks x"),
        (GOOD.replace('width="1"', 'width="1.5"'), "Level width must be a whole number"),
        (GOOD.replace("<Birds>", "<Birds></Birds><Birds>"), "a second <Birds>"),
        (GOOD.replace("Slingshot", "Camera"), "a second <Camera>"),
        ("<Level><Birds/><GameObjects/></Level>", "the level lacks <Camera>"),
    ],
)
def test_a_file_that_is_no_level_is_refused_in_a_sentence(text, message):
    with pytest.raises(InputError) as caught:
        read_xml(text)
    assert message in str(caught.value)


def test_a_camera_and_a_slingshot_that_are_left_open_hold_nothing():
    text = GOOD.replace('maxWidth="17.5" />', 'maxWidth="17.5">')
    for level in (text, text.replace('y="-2.5" />', 'y="-2.5">')):
        assert level != GOOD
        assert write_xml(read_xml(level)) == GOOD


@pytest.mark.parametrize("number", ["1_0", "\uff11", "\u0661", "0x1", "inf", "1e9"])
def test_a_number_is_of_ascii_digits_and_within_the_world(number):
    with pytest.raises(InputError, match=r"x=.* is not a number"):
        read_xml(GOOD.replace('x="1.0"', f'x="{number}"'))


def test_a_level_has_an_end():
    with pytest.raises(InputError, match="at most 2,000 pieces"):
        read_xml(GOOD.replace("<Birds>", "<Birds>" + '<Bird type="BirdRed" />' * 2001))


def test_files_are_read_in_either_encoding(tmp_path):
    for encoding in ("utf-8", "utf-16"):
        path = tmp_path / f"{encoding}.xml"
        path.write_text(GOOD.replace("utf-8", "utf-16"), encoding)
        assert write_xml(load_level(path)) == GOOD
    path.write_text(
        GOOD.replace("utf-8", "ISO-8859-1").replace("<Birds>", "<!-- é --><Birds>"), "latin-1"
    )
    assert write_xml(load_level(path)) == GOOD
    with pytest.raises(InputError, match="cannot be read"):
        load_level(tmp_path / "none.xml")
