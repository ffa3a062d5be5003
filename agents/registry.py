"""Agents by spec. Every family, ours or not, joins by an entry point ``arena.agents``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from arena.agents.agent import Agent, Identity, Null
from arena.envs.errors import InputError
from arena.envs.game import Game
from arena.envs.plugins import points
from arena.envs.registry import load
from arena.envs.specs import Spec, bind, canonical

GROUP = "arena.agents"


def agent_names() -> list[str]:
    """The names of all installed agent families, sorted; none of them is imported."""
    return list(points(GROUP))


def make_agent(spec: str | Spec, game: Game) -> Agent:
    """The agent that a spec names, ready to play ``game``.

    Raises InputError for an unknown family, option or checkpoint, and its kind CannotPlay where
    the agent does not suit the game.
    """
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    factory = load(GROUP, parsed.family, "agent")
    agent = factory(game, parsed.checkpoint, **bind(factory, parsed, "agent"))
    assert isinstance(agent, Agent)
    return agent


def null_kind(spec: str | Spec) -> Null | None:
    """Whether the spec names a player that plays no game, and of which kind; see ``Agent.null``.

    None also where its family is not installed here.
    """
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    try:
        factory = load(GROUP, parsed.family, "agent")
        options = bind(factory, parsed, "agent")
    except InputError:
        return None
    found: Null | None = factory.null(options) if hasattr(factory, "null") else None
    return found


def identify(spec: str | Spec, game: Game | None = None) -> Identity:
    """The identity of the agent that a spec names: spec, checkpoint hash, configuration hash.

    A factory's classmethod ``fingerprint(checkpoint, options, game)``, where it has one, returns
    what else makes the player who it is in that game (None: outside of any), as JSON-able values:
    the text of its prompt, say.
    """
    parsed = Spec.parse(spec) if isinstance(spec, str) else spec
    factory = load(GROUP, parsed.family, "agent")
    options = bind(factory, parsed, "agent")
    version = getattr(factory, "version", 1)
    parts = [parsed.family, version, options]
    if hasattr(factory, "fingerprint"):
        parts.append(factory.fingerprint(parsed.checkpoint, options, game))
    configuration = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return Identity(
        str(canonical(parsed, options)),
        "" if parsed.checkpoint is None else hash_checkpoint(parsed.checkpoint),
        hashlib.sha256(configuration).hexdigest(),
    )


def player_folder(checkpoint: str) -> Path:
    """Where a checkpoint's player is: of a training run, only what plays; else itself."""
    path = Path(checkpoint)
    return path / "player" if (path / "player").is_dir() else path


def hash_checkpoint(checkpoint: str) -> str:
    """SHA-256 over a checkpoint's files: their paths within it and their bytes.

    A checkpoint that is no path here (a model hub's id) is hashed by its name.
    """
    path = player_folder(checkpoint)
    digest = hashlib.sha256()
    if not path.exists():
        digest.update(checkpoint.encode())
        return digest.hexdigest()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    if not files:
        raise InputError(f"checkpoint {checkpoint} is an empty folder; name one that holds a model")
    for file in files:
        digest.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()
