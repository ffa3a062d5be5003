"""Physics: what stands, what falls, what breaks."""

import json
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("Box2D")

from arena.envs.errors import InputError
from arena.envs.science_birds import blocks, frames, grid, levels
from arena.envs.science_birds.levels import Level, Piece
from arena.envs.science_birds.simulation import World, judge


def level_of(drops):
    return levels.from_structure(grid.build(grid.program(drops)))


def test_all_published_letters_stand(arena_data):
    letters = json.loads((arena_data / "science_birds" / "letters_A_to_M.json").read_text())
    assert len(letters) == 13
    verdicts = {k: judge(level_of([tuple(d) for d in v])).stability for k, v in letters.items()}
    assert verdicts == dict.fromkeys(letters, 1.0)


@pytest.mark.parametrize("overhang", [0.1, 0.2, 0.3, 0.34, 0.37, 0.4, 0.5])
def test_an_overhang_stands_while_its_centre_of_mass_is_supported(overhang):
    half_length, thickness, skin = 0.35, 0.22, 0.01
    level = Level((
        Piece("Platform", "", 0.0, -2.5, scale=(0.70 / 0.64, 1.0)),
        Piece("Block", "RectSmall", overhang, -2.5 + 0.32 + skin + thickness / 2, 0.0, "wood"),
    ))  # fmt: skip
    assert (judge(level).stability == 1.0) == (overhang < half_length)


def centre_of_mass_supported(slots):
    """Whether wide blocks on one another, at these slots, each carry all that lies above them."""
    for i in range(len(slots) - 1):
        above = np.mean(slots[i + 1 :])
        if abs(above - slots[i]) * grid.CELL >= blocks.COMPETITION_RECT_SMALL[0] / 2:
            return False
    return True


@pytest.mark.parametrize(
    "slots", [[5, 5, 5, 5], [5, 6], [5, 6, 5], [5, 6, 7], [5, 6, 7, 8], [5, 5, 7], [5, 6, 6, 7, 7]]
)
def test_towers_that_lean_beyond_their_centre_of_mass_fall(slots):
    stability = judge(level_of([("b31", slot) for slot in slots])).stability
    assert (stability == 1.0) == centre_of_mass_supported(slots)


def test_the_best_of_three_tries_counts_and_is_a_share_of_the_blocks():
    verdict = judge(level_of([("b11", 1), ("b13", 8), ("b31", 9)]))
    assert verdict.stability == pytest.approx(2 / 3)


def test_an_empty_level_has_no_stability():
    assert judge(Level(())).stability == 0.0


def test_every_process_sees_the_same_fall():
    level = level_of([("b13", 4), ("b31", 5), ("b31", 6), ("b13", 7), ("b11", 7)])
    code = (
        "import sys; from arena.envs.science_birds import levels, simulation;"
        "print(simulation.judge(levels.read_xml(sys.stdin.read())).poses.tobytes().hex())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], input=levels.write_xml(level), text=True,
            capture_output=True, check=True,
        ).stdout.strip()
        for _ in range(2)
    }  # fmt: skip
    assert outputs == {judge(level).poses.tobytes().hex()}


@pytest.mark.parametrize("material", ["wood", "stone", "ice"])
@pytest.mark.parametrize("kind", blocks.BLOCKS)
def test_every_block_rests_on_the_ground_on_its_own_outline(kind, material):
    outline = blocks.outline(kind)
    piece = Piece("Block", kind, 0.0, -3.5 - outline[:, 1].min() + 0.05, 0.0, material)
    world = World(Level((piece,)))
    world.run(10.0)
    assert world.asleep
    _x, y, angle = world.poses()[0]
    turned = np.sin(angle) * outline[:, 0] + np.cos(angle) * outline[:, 1]
    assert y + turned.min() == pytest.approx(-3.5, abs=0.03)


def test_mass_is_area_times_density_and_the_holed_triangle_is_lighter():
    kinds = ["RectBig", "TriangleHole", "Triangle"]
    pieces = [Piece("Block", k, 3.0 * i, 0.0, 0.0, "wood") for i, k in enumerate(kinds)]
    world = World(Level(tuple(pieces)))
    masses = [body.handle.mass for body in world.bodies]
    assert masses[0] == pytest.approx(2.06 * 0.22, rel=1e-5)
    assert masses[1] == pytest.approx(0.4453 - 0.0230, rel=1e-3)
    assert masses[2] < 0.82**2


def test_materials_differ_in_life():
    """Dropped from 4 units, wood (5) and ice (2.5) break; stone (10) holds."""
    alive = {}
    for material in blocks.LIFE:
        world = World(Level((Piece("Block", "SquareSmall", 0.0, 2.5, 0.0, material),)))
        world.run(10.0)
        alive[material] = world.bodies[0].alive
    # Gravity 4.905 with damping 1: about 4.3 units/s after six units of fall.
    assert alive == {"wood": True, "stone": True, "ice": False}


def test_a_bird_kills_a_pig_and_the_shot_can_be_replayed():
    level = Level(
        (
            Piece("Pig", "BasicSmall", -2.0, -3.27),
            Piece("Block", "RectTiny", 4.0, -3.28, 90.0, "ice"),
        ),
        birds=("BirdRed", "BirdRed"),
        width=3,
    )
    endings = []
    for _ in range(2):
        world = World(level)
        frames = []
        world.shoot((-1.0, -0.04), lambda world, frames=frames: frames.append(world.poses()))
        assert world.pigs_left() == 0
        assert world.points >= 50
        assert world.birds_left == ["BirdRed"]
        endings.append((np.array(frames).tobytes(), world.time))
    assert endings[0] == endings[1]


def test_a_pull_is_no_longer_than_the_sling():
    near, far = (World(Level(())) for _ in range(2))
    near.launch((-1.0, 0.0))
    far.launch((-5.0, 0.0))
    assert tuple(near.flying.handle.linearVelocity) == tuple(far.flying.handle.linearVelocity)
    assert near.flying.handle.linearVelocity[0] == pytest.approx(10.0, rel=1e-5)


def test_tnt_throws_and_hurts_what_is_near():
    pieces = (
        Piece("TNT", "", 0.0, -3.17),
        Piece("Pig", "BasicSmall", 0.8, -3.27),
        Piece("Pig", "BasicSmall", 4.0, -3.27),
    )
    world = World(Level(pieces))
    world._damage(world.bodies[0], 3.0)
    assert [body.alive for body in world.bodies] == [False, False, True]


def test_what_leaves_the_level_is_gone():
    world = World(Level((Piece("Block", "SquareTiny", 12.0, 0.0, 0.0, "wood"),)))
    world.step()
    assert np.isnan(world.poses()).all()


def test_birds_that_cannot_fly_here_are_refused():
    with pytest.raises(InputError, match="BirdBlue is not simulated"):
        World(Level((), birds=("BirdBlue",))).launch((-1.0, 0.0))
    with pytest.raises(InputError, match="no bird is left"):
        World(Level((), birds=())).launch((-1.0, 0.0))


def test_a_film_of_shots_is_plain_and_complete():
    pig = Piece("Pig", "BasicSmall", -2.0, -3.27)
    block = Piece("Block", "RectSmall", 3.0, -3.38, 0.0, "stone")
    level = Level((pig, block), birds=("BirdRed", "BirdRed"), width=3)
    first, second = frames.shots(level, [(-1.0, -0.04), (-0.2, 0.3)])
    assert json.loads(json.dumps(first)) == first
    assert (first["pigs"], second["pigs"]) == (0, 0)
    assert first["points"] >= 50
    assert len(first["seconds"]) == len(first["poses"]) == len(first["bird"])
    assert first["poses"][-1][0] is None
    assert first["pieces"][1]["shape"][0] == [-0.425, -0.11]
