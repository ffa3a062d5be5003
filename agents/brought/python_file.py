"""``python:FILE.py:CLASS``: an agent from a file that the user names.

The file's code runs. So it plays where the user names it, on the command line or in a league file;
what comes from elsewhere (a replay, a browser) cannot name it: ``refuse_code``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from arena.agents.agent import Agent
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.specs import Spec

FAMILY = "python"


class PythonFile:
    """An agent from a file of yours: ``python:mine.py:Clever``, made as ``Clever(game)``."""

    version = 1

    def __call__(self, game: Game, checkpoint: str | None = None) -> Agent:
        """The agent; InputError where the file has no such class."""
        path, name = _parts(checkpoint)
        spec = spec_from_file_location(f"arena_python_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:
            raise InputError(f"{path} fails when it is run: {error!r}") from error
        found = getattr(module, name, None)
        if not (isinstance(found, type) and issubclass(found, Agent)):
            agents = [k for k, v in vars(module).items() if isinstance(v, type) and v is not Agent
                      and issubclass(v, Agent)]  # fmt: skip
            raise InputError(
                f"{path} has no class {name} that is an arena.agents.Agent; "
                f"it has {', '.join(agents) or 'none'}"
            )
        agent: Agent = found(game)  # type: ignore[call-arg]
        return agent

    def fingerprint(
        self, checkpoint: str | None, options: Mapping[str, Any], game: Game | None
    ) -> list[str]:
        """The file's content and the class: another text is another player."""
        path, name = _parts(checkpoint)
        return [hashlib.sha256(path.read_bytes()).hexdigest(), name]

    def null(self, options: Mapping[str, Any]) -> None:
        """Who knows: its code is not run to find out."""


python = PythonFile()


def refuse_code(spec: str) -> None:
    """Raise InputError for a spec that would run a file's code; for specs that others wrote."""
    if Spec.parse(spec).family == FAMILY:
        raise InputError(
            f"{spec} runs the code in a file; name it on the command line or in a league file"
        )


def _parts(checkpoint: str | None) -> tuple[Path, str]:
    file, _, name = (checkpoint or "").rpartition(":")
    if not file or not name.isidentifier():
        raise InputError("python needs a file and a class in it: python:mine.py:Clever")
    path = Path(file)
    if not path.is_file():
        raise InputError(f"python:{checkpoint}: there is no file {path}")
    return path, name
