"""What is imported is ``arena``: bare ``agents`` and ``envs`` belong to other people."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = "envs", "agents", "leagues"


def imported(file: Path) -> set[str]:
    """The first parts of all module names that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_no_file_of_ours_imports_a_floor_by_its_bare_name():
    files = [file for floor in (*FLOORS, "arena", "tests") for file in (ROOT / floor).rglob("*.py")]
    assert len(files) > 300
    assert [file for file in files if imported(file) & set(FLOORS)] == []


def test_other_peoples_packages_of_these_names_are_left_alone(tmp_path):
    for floor in FLOORS:
        (tmp_path / floor).mkdir()
        (tmp_path / floor / "__init__.py").write_text("raise ImportError('a decoy')\n")
    done = subprocess.run(
        [sys.executable, "-m", "arena", "play", "holdem", "tag", "call", "--seed", "1"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
