"""How a run's player is chosen while it trains, kept, and reported in the end."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from arena.agents.learning.evaluation import evaluate, exact
from arena.agents.learning.opponents import SELF
from arena.agents.learning.policy import CONFIG, FILE, DescribedNetwork, Player, Policy
from arena.agents.learning.report import Report
from arena.agents.learning.runs import Run
from arena.agents.learning.settings import Tracked, setting
from arena.envs import seeding
from arena.envs.game import Game


@dataclass(frozen=True, kw_only=True)
class Judged(Tracked):
    """What a run plays, against whom, and by whom its players are judged."""

    game: str = setting("", "the spec of the game", options=("--env",))
    opponents: tuple[str, ...] = setting(
        (SELF,), "who takes the other seats: self, and specs of agents; named twice, drawn twice"
    )
    evaluate: tuple[str, ...] = setting((), "agents to be judged against (default: the opponents)")
    evaluate_deals: int = setting(500, "deals of an evaluation, each in all seats", least=1)
    report_deals: int = setting(2000, "deals of the report, others than those", least=1)


def judge(player: Player, game: Game, settings: Judged) -> tuple[float, dict[str, float]]:
    """A player's worst result, by which the best is chosen, and all results to be logged."""
    seed = seeding.derive(settings.seed, "choose")
    scores = evaluate(player, game, _judges(settings), settings.evaluate_deals, seed)
    worst = min((score.mean for score in scores), default=sys.float_info.max)
    scores += exact(player, game)
    return worst, {f"evaluation/{score.name}": score.mean for score in scores}


def _judges(settings: Judged) -> tuple[str, ...]:
    named = settings.evaluate or settings.opponents
    return tuple(dict.fromkeys(name for name in named if name != SELF))


def keep(run: Run, facts: DescribedNetwork, weights: Mapping[str, Tensor]) -> None:
    """Write what plays as the run's player."""
    from safetensors.torch import save

    run.save_player(CONFIG, json.dumps(dataclasses.asdict(facts), indent=1).encode() + b"\n")
    run.save_player(FILE, save({k: v.cpu().contiguous() for k, v in weights.items()}))


def report(
    run: Run, game: Game, settings: Judged, steps: int, seconds: float, *notes: str
) -> Report:
    """The chosen player's scores, on deals that chose nothing."""
    player = Policy(game, str(run.folder))
    seed = seeding.derive(settings.seed, "report")
    scores = evaluate(player, game, _judges(settings), settings.report_deals, seed)
    scores += exact(player, game)
    return Report(f"policy:{run.folder}", f"{steps:,} decisions", seconds, tuple(scores), notes)
