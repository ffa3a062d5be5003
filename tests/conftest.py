"""What all tests share."""

import os
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
