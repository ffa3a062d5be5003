"""Bonuses by name, multiplied and added: ``e3b*noveld``, ``0.5*rnd+count:position``.

A sum of products: ``+`` between terms, ``*`` between a term's factors, of which numbers are its
weight and names its bonuses; ``name:part`` says what is counted, or who judges. Each term is
divided by the running standard deviation of all that it has ever paid, so that weights weigh alike;
a term of bonuses that pay in the task's own unit (``calm``) is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.agents.exploration.bonus import Bonus, Kit, Transitions
from arena.agents.exploration.counts import EpisodicCount, GlobalCount
from arena.agents.exploration.e3b import E3b
from arena.agents.exploration.icm import Icm
from arena.agents.exploration.noveld import NovelD
from arena.agents.exploration.ride import Ride
from arena.agents.exploration.rnd import Rnd
from arena.agents.exploration.subgoals import Subgoals
from arena.envs.errors import InputError

BONUSES: Mapping[str, Callable[..., Bonus]] = {
    "count": GlobalCount,
    "episodic": EpisodicCount,
    "rnd": Rnd,
    "noveld": NovelD,
    "icm": Icm,
    "ride": Ride,
    "e3b": E3b,
    "calm": Subgoals,
}
_COUNTING = ("count", "episodic", "noveld", "ride", "calm")


@dataclass(frozen=True)
class Factor:
    """A bonus's name, and what it counts where it counts, or who judges where one does."""

    name: str
    part: str | None = None

    def __str__(self) -> str:
        return self.name if self.part is None else f"{self.name}:{self.part}"


@dataclass(frozen=True)
class Term:
    """A weight and the bonuses that are multiplied."""

    weight: float
    factors: tuple[Factor, ...]

    def __str__(self) -> str:
        names = "*".join(map(str, self.factors))
        return names if self.weight == 1 else f"{self.weight:g}*{names}"


def parse(text: str) -> tuple[Term, ...]:
    """The terms that ``text`` names, in its order; InputError for anything else."""
    terms = []
    for part in text.replace(" ", "").split("+"):
        weight, factors = 1.0, []
        for item in part.split("*"):
            number = _number(item)
            if number is not None:
                weight *= number
                continue
            name, colon, counted = item.partition(":")
            if name not in BONUSES:
                raise InputError(
                    f"bonus {text!r}: {item!r} is not a bonus; there are {', '.join(BONUSES)}, "
                    "multiplied by * and added by +"
                )
            if colon and (name not in _COUNTING or not counted):
                raise InputError(f"bonus {text!r}: {item!r}: {name} counts nothing to be named so")
            factors.append(Factor(name, counted or None))
        if not factors:
            raise InputError(f"bonus {text!r}: {part!r} names no bonus")
        terms.append(Term(weight, tuple(factors)))
    return tuple(terms)


def _number(item: str) -> float | None:
    try:
        value = float(item)
    except ValueError:
        return None
    if not isfinite(value) or value <= 0:
        raise InputError(f"a bonus's weight must be a number above 0, not {item}")
    return value


class RunningStd:
    """The standard deviation of all numbers seen (Chan et al.'s pairwise update).

    ``count`` counts every number of every batch; the published code counts batches.
    """

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0

    def update(self, values: NDArray[np.float64]) -> None:
        """See these numbers."""
        n = values.size
        mean = float(values.mean())
        total = self.count + n
        delta = mean - self.mean
        self.squares += float(((values - mean) ** 2).sum()) + delta**2 * self.count * n / total
        self.mean += delta * n / total
        self.count = total

    @property
    def std(self) -> float:
        """The standard deviation; 1 while nothing has varied."""
        found = (self.squares / self.count) ** 0.5 if self.count else 0.0
        return found if found > 1e-8 else 1.0


class Mixture(Bonus):
    """The bonus that a text names."""

    def __init__(self, kit: Kit, text: str) -> None:
        super().__init__(kit)
        self.terms = parse(text)
        self.bonuses = [[self._make(factor) for factor in term.factors] for term in self.terms]
        self.deviations = [RunningStd() for _ in self.terms]
        self.raw = np.zeros(len(self.terms))
        for i, bonus in enumerate(self.flat):
            self.networks |= {f"{i}.{name}": network for name, network in bonus.networks.items()}

    @property
    def flat(self) -> list[Bonus]:
        """All bonuses in the text's order."""
        return [bonus for group in self.bonuses for bonus in group]

    def _make(self, factor: Factor) -> Bonus:
        make = BONUSES[factor.name]
        return make(self.kit) if factor.part is None else make(self.kit, factor.part)

    def begin(self, rows: NDArray[np.int64], seen: Mapping[str, NDArray[Any]]) -> None:
        """Tell all."""
        for bonus in self.flat:
            bonus.begin(rows, seen)

    def pay(self, steps: Transitions) -> NDArray[np.float64]:
        """The weighted sum of the terms, each in standard deviations or the task's unit."""
        paid = np.zeros(len(steps))
        for i, (term, group) in enumerate(zip(self.terms, self.bonuses, strict=True)):
            product = np.ones(len(steps))
            for bonus in group:
                product *= bonus.pay(steps)
            self.deviations[i].update(product)
            self.raw[i] = product.mean()
            unit = 1.0 if all(bonus.absolute for bonus in group) else self.deviations[i].std
            paid += term.weight * product / unit
        return paid

    def loss(self, steps: Transitions) -> Any:
        """The sum of all; an inverse model that several share is trained once."""
        losses, shared = [], False
        for bonus in self.flat:
            inverse = "inverse" in bonus.networks
            if inverse and shared and len(bonus.networks) == 1:
                continue
            found = bonus.loss(steps)
            shared = shared or inverse
            if found is not None:
                losses.append(found)
        return sum(losses) if losses else None

    def figures(self) -> dict[str, float]:
        """Of all, under the bonus's place in the text where several have any."""
        found = [bonus.figures() for bonus in self.flat]
        several = sum(map(bool, found)) > 1
        return {
            f"{i}.{name}" if several else name: value
            for i, figures in enumerate(found)
            for name, value in figures.items()
        }

    def memory(self) -> dict[str, NDArray[Any]]:
        """All memories, and the running deviations."""
        found = {
            f"{i}.{name}": value
            for i, bonus in enumerate(self.flat)
            for name, value in bonus.memory().items()
        }
        rows = [[d.count, d.mean, d.squares] for d in self.deviations]
        return found | {"deviations": np.array(rows, np.float64)}

    def remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        """Take them back."""
        for i, bonus in enumerate(self.flat):
            start = f"{i}."
            bonus.remember(
                {k.removeprefix(start): v for k, v in memory.items() if k.startswith(start)}
            )
        for deviation, row in zip(self.deviations, memory["deviations"].tolist(), strict=True):
            deviation.count, deviation.mean, deviation.squares = int(row[0]), row[1], row[2]
