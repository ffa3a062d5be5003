"""The levels: fixed descriptions, and plans drawn from a seed.

Where a task is MiniHack's, its level is distributed as there: descriptions that MiniHack keeps in
files are read from its installed data; the others are stated here (after MiniHack 1.0.2, Apache
License 2.0). The programs below draw what upstream takes from MiniGrid's environments.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.envs.minihack.compiler import LevelPlan, minihack_folder
from arena.envs.minihack.dice import Dice

WIDTH, HEIGHT = 76, 20  # the part of NetHack's 80 × 21 map that MiniHack's rooms are drawn in


# -- fixed descriptions --------------------------------------------------------------------------


def from_file(name: str, **replaced: int) -> str:
    """A description that MiniHack keeps in ``dat``, with its placeholders replaced."""
    text = (minihack_folder("dat") / name).read_text()
    for placeholder, value in replaced.items():
        text = text.replace(placeholder, str(value))
    return text


def described(rows: Sequence[str], *lines: str, lit: bool = True) -> str:
    """A description of a map, followed by ``lines``."""
    light = "lit" if lit else "unlit"
    width = max(map(len, rows))
    return "\n".join(
        [
            "MAZE: \"mylevel\", ' '",
            "FLAGS:hardfloor",
            "INIT_MAP: solidfill,' '",
            "GEOMETRY:center,center",
            "MAP",
            *(row.ljust(width) for row in rows),
            "ENDMAP",
            f'REGION:(0,0,{width},{len(rows)}),{light},"ordinary"',
            *lines,
            "",
        ]
    )


def hall(size: int, *lines: str) -> str:
    """An open square of floor."""
    return described(["." * size] * size, *lines)


def wand_of_death() -> str:
    """WoD-Hard: a minotaur waits at the end of a corridor."""
    rows = [
        "|---------------------------|",
        "|...........................|",
        "|.....|---------------------|",
        "|.....|",
        "|.....|",
        "|-----|",
    ]
    return described(
        rows,
        "BRANCH:(1,1,5,5),(0,0,0,0)",
        "STAIR:(27,1),down",
        "$safe_room = selection:fillrect (1,1,4,4)",
        "OBJECT:('/',\"death\"),rndcoord($safe_room),blessed",
        'MONSTER:"minotaur",(26,1)',
    )


def labyrinth() -> str:
    """Labyrinth-Big: one winding way."""
    rows = """
-------------------------------------
|.................|.|...............|
|.|-------------|.|.|.------------|.|
|.|.............|.|.|.............|.|
|.|.|----------.|.|.|------------.|.|
|.|.|...........|.|.............|.|.|
|.|.|.|----------.|-----------|.|.|.|
|.|.|.|...........|.......|...|.|.|.|
|.|.|.|.|----------------.|.|.|.|.|.|
|.|.|.|.|.................|.|.|.|.|.|
|.|.|.|.|.-----------------.|.|.|.|.|
|.|.|.|.|...................|.|.|.|.|
|.|.|.|.|--------------------.|.|.|.|
|.|.|.|.......................|.|.|.|
|.|.|.|-----------------------|.|.|.|
|.|.|...........................|.|.|
|.|.|---------------------------|.|.|
|.|...............................|.|
|.|-------------------------------|.|
|...................................|
-------------------------------------
"""
    return described(rows.split(), "BRANCH:(19,1,19,1),(18,0,18,0)", "STAIR:(19,7),down")


def corridor_battle() -> str:
    """CorridorBattle-Dark: six giant rats, and a corridor to fight them in one by one."""
    rows = [
        "-----       ----------------------",
        "|...|       |....................|",
        "|....#######.....................|",
        "|...|       |....................|",
        "-----       ----------------------",
    ]
    rats = [f'MONSTER:"giant rat",({x},{y})' for x in (30, 31) for y in (1, 2, 3)]
    return described(rows, "BRANCH:(1,1,3,3),(0,0,0,0)", *rats, "STAIR:(32,2),down", lit=False)


def maze_walk(size: int) -> str:
    """A random maze of ``size`` × ``size``, made by NetHack itself."""
    last = size + 1
    return described(
        ["." * (size + 2)] * (size + 2),
        f"TERRAIN:rect (0,0,{last},{last}),'-'",
        f"TERRAIN:fillrect (1,1,{size},{size}),' '",
        f"MAZEWALK:({(size + 2) // 2},{(size + 2) // 2}),east",
        "STAIR:random,down",
    )


# -- MultiRoom -----------------------------------------------------------------------------------

_Room = tuple[int, int, int, int]  # left, top, right, bottom: its walls


def multi_room(
    dice: Dice, *, rooms: int, largest: int, door: str, lava: bool = False, monsters: int = 0
) -> LevelPlan:
    """A chain of rooms, each entered by a door in a wall that it shares with the one before.

    Sizes (with walls) are uniform in 4 … ``largest``, the next door is on a random one of the three
    other walls; a chain that runs into itself or the border is tried again at eight doors, and
    started anew where none fits (MiniGrid's MultiRoom, Chevalier-Boisvert et al. 2018).
    """
    chain: list[tuple[_Room, tuple[int, int]]] = []
    while len(chain) < rooms:
        chain = []
        door_at = dice.between(0, WIDTH - 2), dice.between(0, HEIGHT - 2)
        _extend(dice, chain, rooms, largest, None, door_at)
    cells = [bytearray(b" " * WIDTH) for _ in range(HEIGHT)]
    wall = b"L" if lava else b"|"
    for (left, top, right, bottom), _ in chain:  # only walls are shared: what is drawn last stands
        inner = right - left - 1
        cells[top][left : right + 1] = cells[bottom][left : right + 1] = wall * (inner + 2)
        for y in range(top + 1, bottom):
            cells[y][left : right + 1] = wall + b"." * inner + wall
    doors = [at for _, at in chain[1:]]
    for x, y in doors:
        cells[y][x] = ord("+")
    for row in cells:  # MiniHack leaves floor between rooms that stand side by side
        outside = bytes(row)
        within = len(outside) - len(outside.lstrip()), len(outside.rstrip())
        row[slice(*within)] = outside[slice(*within)].replace(b" ", b".")
    first = min(top for (_, top, _, _), _ in chain)
    last = max(bottom for (_, _, _, bottom), _ in chain)
    start = _inside(dice, chain[0][0])
    stairs = _inside(dice, chain[-1][0])
    return LevelPlan(
        tuple(row.decode() for row in cells[first : last + 1]),
        (start[0], start[1] - first),
        (stairs[0], stairs[1] - first),
        tuple((x, y - first, door) for x, y in doors),
        monsters,
    )


def _extend(
    dice: Dice,
    chain: list[tuple[_Room, tuple[int, int]]],
    left_over: int,
    largest: int,
    entered: int | None,
    door: tuple[int, int],
) -> bool:
    """Add a room behind ``door`` (on its wall ``entered``: 0 right, 1 bottom, 2 left, 3 top)."""
    x, y = door
    width, height = dice.between(4, largest + 1), dice.between(4, largest + 1)
    if entered is None:
        left, top = x, y
    elif entered in (0, 2):
        left = x - width + 1 if entered == 0 else x
        top = dice.between(y - height + 2, y)
    else:
        left = dice.between(x - width + 2, x)
        top = y - height + 1 if entered == 1 else y
    room = left, top, left + width - 1, top + height - 1
    if left < 0 or top < 0 or room[2] >= WIDTH or room[3] >= HEIGHT:
        return False
    if any(_meet(room, other) for other, _ in chain[:-1]):
        return False
    chain.append((room, door))
    if left_over == 1:
        return True
    for _ in range(8):
        leave = dice.choice(
            [wall for wall in range(4) if wall != (2 if entered is None else entered)]
        )
        along_x = dice.between(left + 1, room[2])
        along_y = dice.between(top + 1, room[3])
        at = [(room[2], along_y), (along_x, room[3]), (left, along_y), (along_x, top)][leave]
        if _extend(dice, chain, left_over - 1, largest, (leave + 2) % 4, at):
            break
    return True


def _meet(new: _Room, old: _Room) -> bool:
    """As MiniGrid has it: on its right and below it a new room keeps a gap of a cell to others."""
    apart = new[2] + 1 < old[0] or old[2] < new[0] or new[3] + 1 < old[1] or old[3] < new[1]
    return not apart


def _inside(dice: Dice, room: _Room) -> tuple[int, int]:
    left, top, right, bottom = room
    return dice.between(left + 1, right), dice.between(top + 1, bottom)


# -- LavaCrossing --------------------------------------------------------------------------------


def lava_crossing(dice: Dice, *, size: int, crossings: int) -> LevelPlan:
    """Rivers of lava across a square hall, with one ford each on the way to the far corner.

    ``crossings`` of the even rows and columns are rivers; a random monotone path through the areas
    between them decides where the fords are (MiniGrid's Crossing, after Leike et al. 2017).
    """
    lines = [(axis, at) for axis in (0, 1) for at in range(2, size - 2, 2)]
    rivers = dice.shuffled(lines)[:crossings]
    across = [sorted(at for axis, at in rivers if axis == a) for a in (0, 1)]  # columns, rows
    cells = [["."] * size for _ in range(size)]
    for i in range(size):
        cells[0][i] = cells[-1][i] = cells[i][0] = cells[i][-1] = "|"
    for at in across[0]:
        for y in range(1, size - 1):
            cells[y][at] = "L"
    for at in across[1]:
        for x in range(1, size - 1):
            cells[at][x] = "L"
    limits = [[0, *across[a], size - 1] for a in (0, 1)]
    area = [0, 0]
    for axis in dice.shuffled([0] * len(across[0]) + [1] * len(across[1])):
        other = 1 - axis
        place = [0, 0]
        place[axis] = limits[axis][area[axis] + 1]
        place[other] = dice.between(limits[other][area[other]] + 1, limits[other][area[other] + 1])
        cells[place[1]][place[0]] = "."
        area[axis] += 1
    return LevelPlan(tuple("".join(row) for row in cells), (1, 1), (size - 2, size - 2))


# -- Boxoban -------------------------------------------------------------------------------------

_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))
_Cell = tuple[int, int]


def boxoban(dice: Dice, *, pulls: int) -> LevelPlan:
    """Four boulders to be pushed on four fountains in a hall of 8 × 8 with iron bars in it.

    Solvable because made backwards: boulders start on the fountains and are pulled about, a random
    one of all pulls that the player can get to, until ``pulls`` pulls have been made and none
    stands on a fountain.
    """
    while True:
        floor = {(x, y) for x in range(1, 9) for y in range(1, 9) if dice.between(0, 100) >= 28}
        player = (dice.between(1, 9), dice.between(1, 9))
        floor = _reachable(player, floor | {player})
        if len(floor) < 24:
            continue
        goals = dice.shuffled(sorted(floor - {player}))[:4]
        boulders = set(goals)
        for made in range(1, 3 * pulls):
            around = _reachable(player, floor - boulders)
            moves = [
                (boulder, (x + dx, y + dy), (x + 2 * dx, y + 2 * dy))
                for boulder in sorted(boulders)
                for x, y in (boulder,)
                for dx, dy in _STEPS
                if (x + dx, y + dy) in around and (x + 2 * dx, y + 2 * dy) in around
            ]
            if not moves:
                break
            boulder, beside, player = dice.choice(moves)
            boulders.remove(boulder)
            boulders.add(beside)
            if made >= pulls and not boulders & set(goals):
                rows = tuple(
                    "".join("." if (x, y) in floor else "F" for x in range(10)) for y in range(10)
                )
                return LevelPlan(
                    rows,
                    player,
                    boulders=tuple(sorted(boulders)),
                    fountains=tuple(sorted(goals)),
                    flags=("noteleport", "premapped"),
                )


def _reachable(start: _Cell, floor: set[_Cell]) -> set[_Cell]:
    found, todo = {start}, [start]
    while todo:
        x, y = todo.pop()
        for dx, dy in _STEPS:
            cell = x + dx, y + dy
            if cell in floor and cell not in found:
                found.add(cell)
                todo.append(cell)
    return found
