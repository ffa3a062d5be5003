"""How to talk to endpoints: what stands in the YAML file that the variable ARENA_ENDPOINTS names.

By URL, or by URL and model::

    https://api.openai.com/v1:
      per_minute: 500
      log: costs.jsonl
    https://api.openai.com/v1#gpt-4.1-mini:
      price_in: 0.40
      price_out: 1.60
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import yaml

from arena.agents.llm.protocol import Constraint, Field, Limit
from arena.envs.errors import InputError
from arena.envs.specs import Spec, bind

VARIABLE = "ARENA_ENDPOINTS"
DEFAULT_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to talk to an endpoint.

    Attributes:
        key: the environment variable that holds the API key. By default OPENAI_API_KEY, sent by
            https or to this machine only.
        timeout: seconds for a request.
        retries: further attempts where a failure may pass.
        concurrency: how many requests are under way at once, in each process.
        per_minute: how many requests may begin in a minute, in each process.
        constraint: how answers are held to choices; None: as its kind of server does.
        leave_out: fields that the endpoint refuses: temperature, seed, stop, logprobs.
        limit: the field that limits an answer's tokens.
        price_in, price_out: US dollars for a million tokens of prompts and of answers.
        record: the SQLite file of recorded answers; "cache": the one in the user's cache folder,
            None: nothing is recorded.
        replay: answer from the record alone; nothing is sent.
        log: a file that gets a JSON line for each request sent, with tokens, seconds and cost.
    """

    key: str | None = None
    timeout: float = 120.0
    retries: int = 5
    concurrency: int = 16
    per_minute: int | None = None
    constraint: Constraint | None = None
    leave_out: tuple[Field, ...] = ()
    limit: Limit = "max_tokens"
    price_in: float | None = None
    price_out: float | None = None
    record: str | None = "cache"
    replay: bool = False
    log: str | None = None

    def __post_init__(self) -> None:
        for name in ("timeout", "concurrency", "per_minute"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise InputError(f"{name}={value} must be above 0")
        if self.retries < 0:
            raise InputError(f"retries={self.retries} must not be below 0")
        if self.replay and self.record is None:
            raise InputError("replay=true needs a record, but record is none")


def settings_for(url: str, model: str | None) -> Settings:
    """What the file in $ARENA_ENDPOINTS says of an endpoint and, where it does, of its model."""
    name = os.environ.get(VARIABLE)
    if not name:
        return Settings()
    try:
        config = yaml.safe_load(Path(name).read_text("utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"${VARIABLE}={name} cannot be read as YAML: {reason}") from None
    if not isinstance(config, dict) or not all(isinstance(v, dict) for v in config.values()):
        raise InputError(
            f"{name} must map URLs of endpoints to settings, as in URL: {{timeout: 60}}"
        )
    sections = {str(k).rstrip("/"): v for k, v in config.items()}
    options = sections.get(url, {}) | sections.get(f"{url}#{model}", {})
    try:
        return Settings(**bind(Settings, Spec(url, None, options), "endpoint"))  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
