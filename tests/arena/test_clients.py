"""The snippets of docs/clients.md run, each where its library is installed."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = (ROOT / "docs/clients.md").read_text().split("\n## ")[1:]
NEEDS = {
    "CleanRL-style": ["torch"],
    "rl_zoo3": ["rl_zoo3"],
    "TorchRL": ["torchrl"],
    "RLlib": ["ray.rllib"],
    "tianshou": ["tianshou"],
    "Minari": ["minari", "h5py", "jax"],
    "SuperSuit": ["supersuit"],
    "AgileRL": ["agilerl"],
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS[:-1], ids=lambda part: part.partition("\n")[0])
def test_a_client_runs_its_snippet(part: str, tmp_path: Path) -> None:
    client = part.partition("\n")[0]
    if missing := [module for module in NEEDS[client] if not found(module)]:
        pytest.skip(f"{', '.join(missing)} is not installed")
    blocks = dict(BLOCK.findall(part))
    if "yaml" in blocks:
        (tmp_path / "conf.yml").write_text(blocks["yaml"])
    if "bash" in blocks:
        command = [sys.executable, *shlex.split(blocks["bash"])[1:]]
    else:
        (tmp_path / "snippet.py").write_text(blocks["python"])
        command = [sys.executable, "snippet.py"]
    surroundings = os.environ | {
        "PYTHONPATH": str(ROOT),
        "MINARI_DATASETS_PATH": str(tmp_path),
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(command, cwd=tmp_path, env=surroundings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
