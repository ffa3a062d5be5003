"""Tables are stepped in few places: whoever plays episodes does it by ``rollout``."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Games and their faces (all of envs) step themselves; beside them:
STEPPING = {
    "agents/conformance.py",  # asks again in odd ways
    "agents/rollout.py",
    "agents/llm/learning/problems.py",  # imagined tables
    "agents/solvers/betting.py",  # all that can be bet
    "agents/solvers/lbr.py",  # what would follow a bet
    "agents/solvers/river.py",  # all that may follow on a river
    "agents/solvers/tree.py",  # a game's whole tree
    "leagues/block.py",
    "leagues/luck.py",  # what else could have come
    "leagues/replay.py",
    "arena/bench/llm.py",
    "arena/bench/rtb.py",
}
ARGUMENTS = {"step": 3, "forfeit": 2}


def steps_tables(file: Path) -> bool:
    """Whether a call there has the form of ``Tables.step`` or ``Tables.forfeit``."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and len(node.args) == ARGUMENTS.get(node.func.attr)
        for node in ast.walk(ast.parse(file.read_text()))
    )


def test_tables_are_stepped_where_it_is_meant_to_be():
    files = [
        file
        for floor in ("agents", "leagues", "arena/cli", "arena/viewer", "arena/evaluation")
        for file in (ROOT / floor).rglob("*.py")
    ]
    files += [*(ROOT / "arena/training").rglob("*.py"), *(ROOT / "arena/bench").rglob("*.py")]
    found = {str(file.relative_to(ROOT)) for file in files if steps_tables(file)}
    assert found - STEPPING == set(), "play by arena.agents.rollout"
    assert STEPPING - found == set(), "strike these from the list"


def test_no_public_attribute_of_turns_leads_to_the_tables():
    import numpy as np

    from arena.envs.game import Tables
    from arena.envs.registry import make_game

    tables = make_game("holdem").tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
    turns = tables.turns()
    public = [name for name in dir(turns) if not name.startswith("_")]
    shown = [getattr(turns, name) for name in public]
    assert not any(isinstance(value, Tables) for value in shown)
    bound = [getattr(value, "__self__", None) for value in shown]
    assert {type(value).__name__ for value in bound} <= {"NoneType", "Turns"}
