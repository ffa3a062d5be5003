"""The tasks: what level, which keys, how long, and what counts as done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal

from arena.envs.minihack import levels
from arena.envs.minihack.compiler import LevelPlan, compile_description
from arena.envs.minihack.dice import Dice

Goal = Literal["stairs", "message", "boulders"]

_WAYS = {
    "north": "k",
    "east": "l",
    "south": "j",
    "west": "h",
    "northeast": "u",
    "southeast": "n",
    "southwest": "b",
    "northwest": "y",
}
# In a restricted set the letter of "fire" also answers "which item?": what is picked up first
# becomes item f. "read" is the r of a right hand.
_KEYS = {
    "pickup": ",",
    "apply": "a",
    "open": "o",
    "kick": "\x04",
    "search": "s",
    "quaff": "q",
    "zap": "z",
    "wear": "W",
    "put on": "P",
    "fire": "f",
    "read": "r",
}
_COLD = ("The bolt of cold bounces!",)
_FLOAT = ("You float up", "You start to float in the air", "Up, up, and awaaaay!")


@dataclass(frozen=True)
class Task:
    """A task, and all that decides how it plays.

    Attributes:
        description: makes the level's description, for a level that does not change with the seed
            (NetHack may still place things in it at random).
        plan: makes the level from a seed; exactly one of the two is given.
        actions: names of the actions and the key that each presses.
        steps: after how many an episode is truncated.
        character: role, race, alignment, gender, as NetHack abbreviates them.
        autopickup: whether objects that are walked over are picked up.
        questions: whether NetHack's questions of one letter are left to the player; otherwise only
            those that ask for a direction, or whether to eat, attack or pray.
        goal: "stairs": stand on the stairs down; "message": see one of ``messages``; "boulders":
            every fountain lies under a boulder.
        unlocks: whether "apply" with a key beside a closed door opens that door.
    """

    actions: tuple[tuple[str, str], ...]
    steps: int
    description: Callable[[], str] | None = None
    plan: Callable[[Dice], LevelPlan] | None = None
    character: str = "rog-hum-cha-mal"
    autopickup: bool = True
    questions: bool = False
    goal: Goal = "stairs"
    messages: tuple[str, ...] = ()
    unlocks: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The actions' names."""
        return tuple(name for name, _ in self.actions)


def _keys(*names: str) -> tuple[tuple[str, str], ...]:
    return (*_WAYS.items(), *((name, _KEYS[name]) for name in names))


@cache
def _all_keys() -> tuple[tuple[str, str], ...]:
    """Every command that is of use, as NLE lists them, but for going up, which ends the task."""
    from nle import nethack

    found = {}
    prefixes = {"CompassDirection": "", "CompassDirectionLonger": "far ", "TextCharacters": "text "}
    way = dict(zip("NESW", ("north", "east", "south", "west"), strict=True))
    for action in nethack.USEFUL_ACTIONS:
        if action == nethack.MiscDirection.UP:
            continue
        kind = type(action).__name__
        name = action.name.lower().replace("_", " ")
        if kind.startswith("Compass"):
            name = "".join(way[letter] for letter in action.name)
        found[prefixes.get(kind, "") + name] = chr(action)
    return tuple(found.items())


def _skill(steps: int, description: Callable[[], str], *keys: str, **more: Any) -> Task:
    actions = _keys(*keys) if keys else _all_keys()
    rest: dict[str, Any] = {"character": "cav-hum-neu-mal", "autopickup": False} | more
    return Task(actions, steps, description, questions=True, **rest)


def _rooms(count: int, steps: int, *, door: str = "closed", **more: Any) -> Task:
    largest = {2: 4, 4: 5}.get(count, 10)
    keys = ("open", "kick") if door == "locked" else ()
    plan = partial(levels.multi_room, rooms=count, largest=largest, door=door, **more)
    return Task(_keys(*keys), steps, plan=plan)


def _float(symbol: str, name: str, key: str) -> Task:
    text = partial(levels.hall, 5, f"OBJECT:('{symbol}',\"{name}\"),random,blessed")
    return _skill(250, text, "pickup", key, "fire", goal="message", messages=_FLOAT)


def _freeze(*keys: str, **tools: str) -> Task:
    objects = [
        f"OBJECT:('{'/' if n == 'wand' else '('}',\"{t}\"),random,blessed" for n, t in tools.items()
    ]
    lines = (
        objects
        if len(objects) == 1
        else [f"IF [50%] {{\n{objects[0]}\n}} ELSE {{\n{objects[1]}\n}}"]
    )
    text = partial(levels.hall, 8, *lines)
    return _skill(250, text, "pickup", *keys, "fire", goal="message", messages=_COLD)


def _key_room(size: int, inner: int, steps: int) -> Task:
    text = partial(levels.from_file, "key_and_door_tmp.des", RS=size, SS=inner)
    return Task(_keys("pickup", "apply"), steps, text, autopickup=False, unlocks=True)


def _corridor(rooms: int) -> Task:
    text = partial(levels.from_file, f"corridor{rooms}.des")
    return Task(_keys("open", "kick", "search"), 1000, text)


def _crossing(crossings: int) -> Task:
    return Task(_keys(), 100, plan=partial(levels.lava_crossing, size=19, crossings=crossings))


def _boxoban(pulls: int) -> Task:
    ways = tuple(_WAYS.items())[:4]
    return Task(ways, 400, plan=partial(levels.boxoban, pulls=pulls), goal="boulders")


def _all() -> dict[str, Callable[[], Task]]:
    lava = partial(levels.from_file, "lava_crossing.des")
    cross = ("pickup", "zap", "wear", "apply", "quaff", "put on", "fire", "read")
    return {
        # The sixteen of "A Study of Global and Episodic Bonuses" (Henaff et al., ICML 2023).
        "Levitate-Potion-Restricted": lambda: _float("!", "levitation", "quaff"),
        "Levitate-Boots-Restricted": lambda: _float("[", "levitation boots", "wear"),
        "Freeze-Horn-Restricted": lambda: _freeze("apply", horn="frost horn"),
        "Freeze-Wand-Restricted": lambda: _freeze("zap", wand="cold"),
        "Freeze-Random-Restricted": lambda: _freeze("zap", "apply", wand="cold", horn="frost horn"),
        "LavaCross-Restricted": lambda: _skill(250, lava, *cross),
        "WoD-Hard-Restricted": lambda: _skill(400, levels.wand_of_death, "pickup", "zap", "fire"),
        "MultiRoom-N4-Locked": lambda: _rooms(4, 120, door="locked"),
        "MultiRoom-N6-Lava": lambda: _rooms(6, 240, lava=True),
        "MultiRoom-N6-Lava-OpenDoor": lambda: _rooms(6, 240, door="open", lava=True),
        "MultiRoom-N6-LavaMonsters": lambda: _rooms(6, 240, lava=True, monsters=3),
        "MultiRoom-N10-OpenDoor": lambda: _rooms(10, 360, door="open"),
        "MultiRoom-N10-Lava-OpenDoor": lambda: _rooms(10, 360, door="open", lava=True),
        "LavaCrossingS19N13": lambda: _crossing(13),
        "LavaCrossingS19N17": lambda: _crossing(17),
        "Labyrinth-Big": lambda: Task(_keys(), 1000, levels.labyrinth),
        # Its count studies, and smaller tasks of the same kinds.
        "KeyRoom-S5": lambda: _key_room(5, 2, 200),
        "KeyRoom-S10": lambda: _key_room(10, 3, 300),
        "KeyRoom-S15": lambda: _key_room(15, 5, 400),
        "Corridor-R2": lambda: _corridor(2),
        "Corridor-R5": lambda: _corridor(5),
        "MultiRoom-N2": lambda: _rooms(2, 40),
        "MultiRoom-N2-Locked": lambda: _rooms(2, 40, door="locked"),
        "MultiRoom-N4": lambda: _rooms(4, 120),
        "MultiRoom-N4-Lava": lambda: _rooms(4, 120, lava=True),
        "MultiRoom-N6": lambda: _rooms(6, 240),
        # BALROG's eight (Paglieri et al. 2024), Corridor-R3 among them.
        "Boxoban-Medium": lambda: _boxoban(12),
        "Boxoban-Hard": lambda: _boxoban(30),
        "MazeWalk-9x9": lambda: Task(_keys(), 200, partial(levels.maze_walk, 9)),
        "MazeWalk-15x15": lambda: Task(_keys(), 1000, partial(levels.maze_walk, 15)),
        "Corridor-R3": lambda: _corridor(3),
        "CorridorBattle-Dark": lambda: Task(
            _keys(), 350, levels.corridor_battle, character="kni-hum-law-fem"
        ),
        "Quest-Easy": lambda: _skill(
            500, partial(levels.from_file, "quest_easy.des"), autopickup=True
        ),
        "Quest-Medium": lambda: _skill(
            1000,
            partial(levels.from_file, "quest_medium.des"),
            character="kni-hum-law-fem",
            autopickup=True,
        ),
    }


_TASKS = _all()


def task_names() -> list[str]:
    """The names of all tasks, in the order in which the papers have them."""
    return list(_TASKS)


@cache
def make_task(name: str) -> Task:
    """The task of that name; KeyError where there is none, ModuleNotFoundError without NLE."""
    return _TASKS[name]()


@cache
def compiled(name: str) -> bytes | None:
    """The compiled level of a task whose level is fixed, else None."""
    task = make_task(name)
    return None if task.description is None else compile_description(task.description())
