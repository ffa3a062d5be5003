"""MiniHack is really seeded, conforms, and its levels, words and recordings say what is there."""

import gc
import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import ks_2samp

pytest.importorskip("nle")
pytest.importorskip("minihack")

import gymnasium

from arena import gymnasium_env, vector_env
from arena.envs.conformance import check_game
from arena.envs.errors import InputError
from arena.envs.game import Recording
from arena.envs.minihack import labels, levels, worker
from arena.envs.minihack.compiler import Assembler, compile_description
from arena.envs.minihack.dice import Dice
from arena.envs.minihack.game import MiniHack
from arena.envs.minihack.pool import Pool
from arena.envs.minihack.tasks import compiled, make_task, task_names
from arena.envs.registry import make_game

KEYS = ("glyphs", "blstats", "message")
ROW = np.zeros(1, np.int64)


def seeds(*values):
    return np.array(values, np.uint64)


def trajectory(pool, row, seed, actions):
    """All that is seen on the way."""
    at = np.array([row])
    pool.reset(at, seeds(seed))
    seen = []
    for action in [None, *actions]:
        if action is not None:
            if pool.arrays["outcome"][row]:
                break
            pool.step(at, np.array([action]))
        seen.append(b"".join(pool.arrays[key][row].tobytes() for key in (*KEYS, "reward")))
    return seen


SCRIPT = """
import hashlib, sys
import numpy as np
from test_minihack_env import trajectory, KEYS
from arena.envs.minihack.pool import Pool
pool = Pool("MultiRoom-N4", 1, KEYS)
seen = trajectory(pool, 0, 7, np.random.default_rng(1).integers(0, 8, 80).tolist())
print(hashlib.sha256(b"".join(seen)).hexdigest())
"""


def test_same_seed_same_trajectory_also_in_another_process():
    actions = np.random.default_rng(1).integers(0, 8, 80).tolist()
    pool = Pool("MultiRoom-N4", 3, KEYS)
    first = trajectory(pool, 0, 7, actions)
    trajectory(pool, 2, 8, actions)
    assert trajectory(pool, 2, 7, actions) == first
    assert trajectory(pool, 0, 9, actions) != first
    pool.close()
    import hashlib
    from pathlib import Path

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n{SCRIPT}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == hashlib.sha256(b"".join(first)).hexdigest()


def test_every_task_has_a_level_that_nethack_compiles_and_actions_of_different_names():
    for name in task_names():
        task = make_task(name)
        assert (task.plan is None) == (compiled(name) is not None), name
        assert len(set(task.names)) == len(task.names), name
    assert len(make_task("Quest-Easy").actions) == 85


def test_every_task_has_an_id_with_its_limit_and_the_name_it_has_elsewhere():
    for name in task_names():
        spec = gymnasium.spec(f"arena/MiniHack-{name}-v{MiniHack.version}")
        assert spec.max_episode_steps == make_task(name).steps, name
    assert make_game("minihack?task=MiniHack-KeyRoom-S5-v0").task_name == "KeyRoom-S5"


@pytest.mark.parametrize(
    "name",
    ["MultiRoom-N6-LavaMonsters", "MultiRoom-N4-Locked", "Boxoban-Medium", "LavaCrossingS19N13"],
)
def test_levels_are_assembled_as_nethacks_compiler_compiles_them(name):
    assembler, plan = Assembler.calibrated(), make_task(name).plan
    for seed in range(3):
        level = plan(Dice(seed))
        assert assembler.assemble(level) == compile_description(level.description())


def steps_to_the_goal(floor, start, goal):
    """The length of the shortest way over ``floor``, a set of cells; None where there is none."""
    reached, edge, steps = {start}, {start}, 0
    while edge and goal not in edge:
        edge = {
            at
            for x, y in edge
            for at in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1))
            if at in floor and at not in reached
        }
        reached |= edge
        steps += 1
    return steps if edge else None


def figures(walls, floor, start, goal):
    """Steps to the goal, width, height, cells of wall, and squares of walls where rooms touch."""
    wide, high = ({at[axis] for at in walls} for axis in (0, 1))
    touching = sum({(x + 1, y), (x, y + 1), (x + 1, y + 1)} <= walls for x, y in walls)
    steps = steps_to_the_goal(floor, start, goal)
    return steps, max(wide) - min(wide), max(high) - min(high), len(walls), touching


def test_multi_room_is_distributed_as_minigrids():
    """Five figures of 1,000 levels of ten rooms, by Kolmogorov and Smirnov's test."""
    multiroom = pytest.importorskip("minigrid.envs.multiroom")
    upstream = multiroom.MultiRoomEnv(10, 10, width=levels.WIDTH, height=levels.HEIGHT + 1)
    ours, theirs = [], []
    for seed in range(1000):
        plan = levels.multi_room(Dice(seed), rooms=10, largest=10, door="closed")
        cells = {(x, y): c for y, row in enumerate(plan.rows) for x, c in enumerate(row)}
        walls, floor = ({at for at, c in cells.items() if c in kind} for kind in ("|", ".+"))
        ours.append(figures(walls, floor, plan.start, plan.stairs))
        upstream.reset(seed=seed)
        grid = upstream.grid
        walls = {
            (i % grid.width, i // grid.width)
            for i, c in enumerate(grid.grid)
            if c is not None and c.type == "wall"
        }
        floor = {(x, y) for x in range(grid.width) for y in range(grid.height)} - walls
        at = (tuple(map(int, place)) for place in (upstream.agent_pos, upstream.goal_pos))
        theirs.append(figures(walls, floor, *at))
    for mine, other in zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
        assert ks_2samp(mine, other).pvalue > 0.001


@pytest.mark.parametrize("rooms", [2, 4, 6, 10])
def test_multi_room_is_a_chain_of_so_many_rooms(rooms):
    for seed in range(10):
        plan = levels.multi_room(Dice(seed), rooms=rooms, largest=10, door="open")
        assert len(plan.doors) == rooms - 1
        grid = {(x, y): c for y, row in enumerate(plan.rows) for x, c in enumerate(row)}
        assert all(grid[x, y] == "+" for x, y, _ in plan.doors)
        found, todo = {plan.start}, [plan.start]
        while todo:
            x, y = todo.pop()
            for step in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
                if grid.get(step, " ") in ".+" and step not in found:
                    found.add(step)
                    todo.append(step)
        assert {plan.stairs, *((x, y) for x, y, _ in plan.doors)} <= found


def test_a_way_leads_through_every_lava_crossing():
    for seed in range(20):
        plan = levels.lava_crossing(Dice(seed), size=19, crossings=17)
        floor = {(x, y) for y, row in enumerate(plan.rows) for x, c in enumerate(row) if c == "."}
        assert plan.stairs in levels._reachable(plan.start, floor)


def test_boxoban_levels_are_to_be_solved_but_not_yet():
    for seed in range(5):
        plan = levels.boxoban(Dice(seed), pulls=12)
        assert len(plan.boulders) == len(plan.fountains) == 4
        assert not set(plan.boulders) & set(plan.fountains)


def test_no_first_message_tells_of_the_moon():
    pool = Pool("KeyRoom-S5", 1, KEYS)
    for seed in range(60):
        pool.reset(ROW, seeds(seed))
        assert b"moon" not in pool.arrays["message"][0].tobytes()
    pool.close()


def test_contexts_are_so_many_levels():
    pool = Pool("MultiRoom-N4", 1, KEYS)
    from arena.envs.contexts import context_seed

    found = set()
    for seed in range(40):
        pool.reset(ROW, seeds(context_seed(seed, 3)))
        found.add(pool.arrays["glyphs"][0].tobytes())
    assert len(found) == 3
    pool.close()


def test_the_contextual_wrapper_draws_from_so_many_worlds():
    from arena.envs.contexts import Contextual

    env = Contextual(gymnasium_env("minihack?task=MultiRoom-N4", keys=KEYS), contexts=3)
    firsts = [env.reset(seed=0)[0]["glyphs"].tobytes()]
    firsts += [env.reset()[0]["glyphs"].tobytes() for _ in range(25)]
    assert len(set(firsts)) == 3
    assert env.reset(seed=0)[0]["glyphs"].tobytes() == firsts[0]
    env.close()


def test_a_closed_environment_says_so_and_writes_into_nobodys_files(tmp_path):
    env = gymnasium_env("minihack?task=KeyRoom-S5", keys=KEYS)
    env.reset(seed=1)
    env.close()
    files = [(tmp_path / str(i)).open("wb") for i in range(8)]  # they get the pipes' numbers
    for call in (env.reset, lambda: env.step(0)):
        with pytest.raises(gymnasium.error.ClosedEnvironmentError):
            call()
    for file in files:
        file.close()
    assert [(tmp_path / str(i)).stat().st_size for i in range(8)] == [0] * 8
    env.close()


def test_a_vector_environment_that_cannot_be_made_says_only_why(recwarn):
    with pytest.raises(InputError, match="no MiniHack task"):
        vector_env("minihack?task=KeyRoom-S7", 2)
    gc.collect()  # the marker for unraisable exceptions would fail this test
    assert not recwarn.list


def test_processes_are_renewed_in_the_middle_of_episodes_and_memory_stays(monkeypatch):
    # Row 0 plays one long episode while row 1 is reset until the process has been renewed often.
    actions = np.random.default_rng(2).integers(0, 8, 60).tolist()
    pool = Pool("KeyRoom-S5", 2, KEYS, workers=1)
    alone = trajectory(pool, 0, 5, actions)
    pool.reset(ROW, seeds(5))
    seen = [alone[0]]
    memory = []
    for count, action in enumerate(actions):
        for seed in range(60):
            pool.reset(np.array([1]), seeds(seed))
        pool.step(ROW, np.array([action]))
        seen.append(b"".join(pool.arrays[key][0].tobytes() for key in (*KEYS, "reward")))
        if count % 10 == 9:
            memory.append(pool.memory())
    assert seen == alone
    assert 3 * worker.RESETS < 60 * 60
    assert max(memory) - min(memory) < 8 * 2**20
    pool.close()


def test_key_and_door_are_labelled_as_they_happen():
    # The key is walked to and the door is opened by a player who knows the level of this seed.
    env = gymnasium_env("minihack?task=KeyRoom-S5")
    seen, _ = env.reset(seed=5)
    happened = []
    for name in ["east", "east", "east", "pickup", "apply"]:
        before = seen
        seen, *_ = env.step(env.episodes.game.task.names.index(name))
        happened.append(labels.label(before, seen))
    assert happened.count("key") <= 1 and "door" not in happened[:3]
    env.close()


def test_the_game_keeps_the_contract():
    assert check_game(make_game("minihack?task=MultiRoom-N2,steps=25"), tables=3).ended == 3


def test_a_death_leaves_nothing_behind():
    # NetHack's list of scores would tell of it at the next one.
    assert check_game(make_game("minihack?task=WoD-Hard-Restricted,steps=40"), tables=4).ended == 4
    game = make_game("minihack?task=LavaCrossingS19N17")
    tables, deaths = game.tables(1), []
    for _ in range(2):
        tables.begin(ROW, seeds(3))
        while not tables.done[0]:
            tables.step(ROW, ROW, np.array([tables.words(0, 0).index("southeast")]))
        deaths.append(tables.frame(0))
    assert deaths[0] == deaths[1] and deaths[0]["outcome"] == "died"


def test_words_say_what_is_there():
    game = make_game("minihack?task=KeyRoom-S5")
    tables = game.tables(1)
    tables.begin(ROW, seeds(3))
    text = tables.text(0, 0)
    assert "a key: 1 east, 2 south" in text and "inventory:\na - " in text
    assert tables.parse(0, 0, " NORTHEAST ") == tables.words(0, 0).index("northeast")
    with pytest.raises(InputError, match="not a legal action"):
        tables.parse(0, 0, "go north")
    frame = tables.frame(0)
    assert [len(row) for row in frame["rows"]] == [80] * 24 == [len(c) for c in frame["colors"]]


def test_a_recording_is_read_by_nles_converter(tmp_path):
    from nle import _pyconverter

    game = make_game("minihack?task=MultiRoom-N2")
    tables = game.tables(1)
    shown = []

    def states():
        tables.begin(ROW, seeds(1))
        for action in np.random.default_rng(0).integers(0, 8, 12).tolist():
            if tables.done[0]:
                break
            arrays = {
                k: tables.pool.arrays[f"tty_{k}"][0].copy() for k in ("chars", "colors", "cursor")
            }
            shown.append((arrays, ord(game.task.actions[action][1])))
            yield tables, [(0, action)]
            tables.step(ROW, ROW, np.array([action]))
        yield tables, []

    path = tmp_path / "episode.ttyrec3.bz2"
    path.write_bytes(game.exporters()[".ttyrec3.bz2"]([Recording(("random",), states())]))
    n = len(shown)
    converter = _pyconverter.Converter(24, 80, 3)
    converter.load_ttyrec(str(path))
    chars, colors = np.zeros((n, 24, 80), np.uint8), np.zeros((n, 24, 80), np.int8)
    cursors, times = np.zeros((n, 2), np.int16), np.zeros(n, np.int64)
    keys, scores = np.zeros(n, np.uint8), np.zeros(n, np.int32)
    assert converter.convert(chars, colors, cursors, times, keys, scores) == 0
    for i, (arrays, key) in enumerate(shown):
        assert (chars[i] == arrays["chars"]).all() and (colors[i] == arrays["colors"]).all()
        assert (cursors[i] == arrays["cursor"]).all() and keys[i] == key


def test_a_wrong_task_is_told():
    with pytest.raises(InputError, match="no MiniHack task"):
        make_game("minihack?task=MultiRoom-N5")
