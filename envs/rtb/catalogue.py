"""Markets from JSON configurations like AuctionGym's (Jeunen et al., Learning to Bid with
AuctionGym, AdKDD 2022; its CONFIG.md tells the fields).

Beside AuctionGym's fields, which may say more than is needed here, there may be ``slots``,
``decay``, ``reserve``, ``conversion_rate`` and, for an agent, ``budget``. Nothing in a
configuration is evaluated: the types it may name are listed here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError
from arena.envs.outside import ending, parse_json, read_json, shown

MOST_BIDDERS = 1000
_MECHANISMS: dict[str, Literal["first", "second", "gsp"]] = {
    "FirstPrice": "first",
    "SecondPrice": "second",
    "GSP": "gsp",
}
_ALLOCATORS = ("OracleAllocator", "PyTorchLogisticRegressionAllocator")
BIDDERS = {
    "TruthfulBidder": "truthful",
    "EmpiricalShadedBidder": "ucb",
}
"""Our agent for each of AuctionGym's bidders that there is one for."""


@dataclass(frozen=True)
class CatalogueAgent:
    """One agent of a configuration: a seat.

    Attributes:
        items: the size of its catalogue.
        oracle: whether it sees the whole context, or only the observable part.
        bidder: the spec of the agent that bids like it.
        budget: for an episode, infinite where there is none.
    """

    name: str
    items: int
    oracle: bool
    bidder: str
    budget: float


@dataclass(frozen=True)
class Catalogues:
    """The items of all seats; see ``arena.envs.rtb.auction.draw_catalogues`` for the arrays."""

    items: NDArray[np.float64]
    values: NDArray[np.float64]
    sizes: NDArray[np.int64]
    seen: NDArray[np.int64]

    @property
    def mean_values(self) -> NDArray[np.float64]:
        """What a click is worth to each seat, on average over its items."""
        means: NDArray[np.float64] = self.values.sum(axis=1) / self.sizes
        return means


@dataclass(frozen=True)
class MarketConfig:
    """A market read from a configuration. Field names are AuctionGym's where it has them."""

    agents: tuple[CatalogueAgent, ...]
    mechanism: Literal["first", "second", "gsp"]
    slots: int
    decay: float
    reserve: float
    conversion_rate: float
    participants: int
    embedding_size: int
    embedding_var: float
    obs_embedding_size: int
    random_seed: int

    def catalogues(self) -> Catalogues:
        """Draw every seat's items, as AuctionGym does: a function of ``random_seed``.

        Embeddings are normal with standard deviation ``embedding_var``, the intercept uniform in
        −4 … −3, a click's value log-normal (0.1, 0.2).
        """
        rng = np.random.default_rng(self.random_seed)
        largest = max(agent.items for agent in self.agents)
        shape = (len(self.agents), largest)
        items = np.zeros((*shape, self.embedding_size + 1))
        values = np.zeros(shape)
        for seat, agent in enumerate(self.agents):
            embeddings = rng.normal(0.0, self.embedding_var, (agent.items, self.embedding_size))
            items[seat, : agent.items, :-1] = embeddings
            values[seat, : agent.items] = rng.lognormal(0.1, 0.2, agent.items)
            items[seat, : agent.items, -1] = -3.0 - rng.random(agent.items)
        seen = [
            self.embedding_size if agent.oracle else self.obs_embedding_size
            for agent in self.agents
        ]
        sizes = np.array([agent.items for agent in self.agents], np.int64)
        return Catalogues(items, values, sizes, np.array(seen, np.int64))


def load_config(name: str) -> MarketConfig:
    """Read a configuration: a .json file, or one of those that come with the game.

    Raises InputError, naming the file and the field, where one is missing or makes no sense.
    """
    if ending(Path(name)) == ".json":
        return _read(_Fields(read_json(Path(name)), name))
    folder = files("arena.envs.rtb").joinpath("markets")
    names = [file.name for file in folder.iterdir()]
    known = sorted(n.removesuffix(".json") for n in names if n.endswith(".json"))
    if name not in known:
        raise InputError(
            f"no market is called {name!r}; name a .json file or one of: {', '.join(known)}"
        )
    text = folder.joinpath(f"{name}.json").read_text(encoding="utf-8")
    return _read(_Fields(parse_json(text, name), name))


class _Fields:
    """The fields of a JSON object, each read with a check."""

    def __init__(self, data: Any, where: str) -> None:
        if not isinstance(data, dict):
            raise InputError(f"{where}: must be an object with named fields")
        self.data, self.where = data, where

    def number(
        self,
        field: str,
        default: float | None = None,
        *,
        least: float,
        most: float = 1e15,
        whole: bool = False,
    ) -> float:
        value: Any = self.data.get(field, default)
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not least <= value <= most or (whole and value != int(value)):
            kind = "a whole number" if whole else "a number"
            raise InputError(
                f"{self.where}: {field}={shown(value)} must be {kind} from {least:g} to {most:g}"
            )
        return float(value)

    def whole(self, field: str, default: int | None = None, *, least: int, most: int) -> int:
        return int(self.number(field, default, least=least, most=most, whole=True))

    def choice(self, field: str, choices: tuple[str, ...], default: str | None = None) -> str:
        value = self.data.get(field, default)
        if not isinstance(value, str) or value not in choices:
            raise InputError(
                f"{self.where}: {field}={shown(value)} is none of {', '.join(choices)}"
            )
        return value

    def part(self, field: str) -> _Fields:
        return _Fields(self.data.get(field), f"{self.where}: {field}")

    def parts(self, field: str) -> list[_Fields]:
        value = self.data.get(field)
        if not isinstance(value, list) or not value:
            raise InputError(f"{self.where}: {field} must be a list with at least one entry")
        return [_Fields(item, f"{self.where}: {field}[{i}]") for i, item in enumerate(value)]


def _read(fields: _Fields) -> MarketConfig:
    agents: list[CatalogueAgent] = []
    for entry in fields.parts("agents"):
        name = entry.data.get("name", "agent")
        if not isinstance(name, str):
            raise InputError(f"{entry.where}: name={shown(name)} must be text")
        copies = entry.whole("num_copies", 1, least=1, most=MOST_BIDDERS)
        allocator = entry.part("allocator").choice("type", _ALLOCATORS)
        bidder = entry.part("bidder").choice("type", tuple(BIDDERS))
        budget = math.inf if "budget" not in entry.data else entry.number("budget", least=1e-9)
        for _ in range(copies):
            label = f"{name} {len(agents) + 1}" if copies > 1 else name
            agents.append(
                CatalogueAgent(
                    label,
                    entry.whole("num_items", least=1, most=10**5),
                    allocator == "OracleAllocator",
                    BIDDERS[bidder],
                    budget,
                )
            )
    size = fields.whole("embedding_size", least=1, most=1000)
    seen = fields.whole("obs_embedding_size", size, least=0, most=1000)
    participants = fields.whole(
        "num_participants_per_round", len(agents), least=1, most=MOST_BIDDERS
    )
    numbers = len(agents) * max(agent.items for agent in agents) * (size + 1)
    if len(agents) > MOST_BIDDERS or numbers > 10**7:
        raise InputError(
            f"{fields.where}: {len(agents)} agents with {numbers:,} numbers in their catalogues; "
            f"at most {MOST_BIDDERS:,} agents with 10,000,000 are played"
        )
    if seen > size:
        raise InputError(
            f"{fields.where}: obs_embedding_size={seen} must be at most embedding_size={size}"
        )
    if participants > len(agents):
        raise InputError(
            f"{fields.where}: num_participants_per_round={participants} must be at most the number "
            f"of agents, {len(agents)}"
        )
    return MarketConfig(
        agents=tuple(agents),
        mechanism=_MECHANISMS[fields.choice("allocation", tuple(_MECHANISMS))],
        slots=fields.whole("slots", 1, least=1, most=MOST_BIDDERS),
        decay=fields.number("decay", 0.5, least=1e-9, most=1.0),
        reserve=fields.number("reserve", 0.0, least=0.0),
        conversion_rate=fields.number("conversion_rate", 0.1, least=1e-9, most=1.0),
        participants=participants,
        embedding_size=size,
        embedding_var=fields.number("embedding_var", 1.0, least=0.0, most=1000.0),
        obs_embedding_size=seen,
        random_seed=fields.whole("random_seed", 0, least=0, most=2**53),
    )
