"""What all tests share."""

import os
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def arena_data() -> Path:
    """The folder of reference data ($ARENA_DATA, else ../shared/data), or a skip."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("ARENA_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set ARENA_DATA")
    return folder


@pytest.fixture
def nim_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution in ``tests/plugin``, installed: on the path, with its entry points."""
    source = Path(__file__).parent / "plugin"
    project = tomllib.loads((source / "pyproject.toml").read_text())["project"]
    installed = tmp_path / f"arena_nim-{project['version']}.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(source)
    monkeypatch.syspath_prepend(tmp_path)
    return source
