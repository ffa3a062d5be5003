"""The shape of the source: a class name stands once, imports run in no circle, files are short."""

import ast
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
FLOORS = ("envs", "agents", "leagues", "arena")
# Each trainer's module has its Settings, by contract, and by custom its Learner.
SHARED = {"Settings", "Learner"}


def sources():
    found = [file for floor in FLOORS for file in (ROOT / floor).rglob("*.py")]
    links = [ROOT / "arena" / floor for floor in FLOORS]
    return [file for file in found if not any(link in file.parents for link in links)]


def test_a_class_name_stands_once():
    where = defaultdict(list)
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(str(file.relative_to(ROOT)))
    assert {n: files for n, files in where.items() if len(files) > 1 and n not in SHARED} == {}


def test_imports_run_in_no_circle():
    graph = grimp.build_graph("arena", exclude_type_checking_imports=True)
    # Strip modules that import nothing of what is left, or are imported by nothing of it.
    left = set(graph.modules)
    while True:
        bare = {
            m for m in left
            if not left & graph.find_modules_directly_imported_by(m)
            or not left & graph.find_modules_that_directly_import(m)
        }  # fmt: skip
        if not bare:
            break
        left -= bare
    assert left == set()


def test_a_file_is_at_most_500_lines_long():
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in sources()
    }
    assert {name: lines for name, lines in lengths.items() if lines > 500} == {}
