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
from typing import Any

from arena.agents.llm.backends.protocol import Constraint, Field, Limit
from arena.envs.errors import InputError
from arena.envs.outside import parse_yaml, read_text
from arena.envs.specs import Spec, bind

VARIABLE = "ARENA_ENDPOINTS"
_NULLS = ("", "~", "null", "Null", "NULL")  # as YAML writes that there is nothing
DEFAULT_KEY = "OPENAI_API_KEY"


@dataclass(frozen=True, kw_only=True)
class EndpointSettings:
    """How to talk to an endpoint.

    Attributes:
        key: the environment variable that holds the API key. By default OPENAI_API_KEY, sent by
            https or to this machine only.
        timeout: seconds for a request.
        retries: further attempts where a failure may pass.
        concurrency: how many requests are under way at once, in each process.
        per_minute: how many requests may begin in a minute, in each process.
        constraint: how answers are held to choices; None: as its kind of server does.
        models: whether it lists its models at /models; where not, the URL names the model after #.
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
    models: bool = True
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


def settings_for(url: str, model: str | None) -> EndpointSettings:
    """What the file in $ARENA_ENDPOINTS says of an endpoint and, where it does, of its model."""
    name = os.environ.get(VARIABLE)
    if not name:
        return EndpointSettings()
    config = parse_yaml(read_text(Path(name)), f"${VARIABLE}={name}") or {}
    if not isinstance(config, dict) or not all(isinstance(v, dict) for v in config.values()):
        raise InputError(
            f"{name} must map URLs of endpoints to settings, as in URL: {{timeout: 60}}"
        )
    sections: dict[str, Any] = {}
    for key, section in config.items():
        if sections.setdefault(key.rstrip("/"), section) is not section:
            raise InputError(f"{name} has {key} twice; keep one")
    options = sections.get(url, {}) | sections.get(f"{url}#{model}", {})
    options = {key: "none" if value in _NULLS else value for key, value in options.items()}
    try:
        return EndpointSettings(**bind(EndpointSettings, Spec(url, None, options), "endpoint"))  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
