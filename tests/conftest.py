"""What all tests share."""

import os
import shutil
import subprocess
import sys
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


@pytest.fixture(scope="session")
def installed_plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip has installed the distribution in ``tests/plugin``."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(Path(__file__).parent / "plugin", source)  # what is built lies beside it
    target = tmp_path_factory.mktemp("installed")
    options = "--quiet --no-deps --no-build-isolation --no-index --disable-pip-version-check"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", str(target)]
    subprocess.run([*command, str(source)], check=True)
    return target


@pytest.fixture
def nim_plugin(installed_plugin: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution in ``tests/plugin``, installed: on the path, with its entry points."""
    monkeypatch.syspath_prepend(installed_plugin)
    return installed_plugin
