"""Letters of Science Birds, scored by the formula of the ChatGPT4PCG competition.

    arena eval letters --agent "lm:smollm2?prompt=few_shot,decode=generate" -o runs/letters

Each letter is built --trials times; a level's score is stability x similarity, a letter's is
diversity x their mean, and the formula weighs each by how hard it was for all. A scripted builder
and random blocks stand beside the agents. The competition has all 26 --letters and --trials 10.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.evaluation.report import SuiteReport
    from arena.leagues.league import League
    from arena.leagues.store import Store

HELP = "letters built of blocks, by the ChatGPT4PCG competition's formula"

_SCRIPTED = {"vocabulary": "birds_vocabulary?variants=3", "random": "random"}
_PUBLISHED = (
    "Published for the competition's second edition (mean stability, similarity, diversity): "
    "TheAlmostEngineer .879 .488 .158, its chain-of-thought baseline .816 .140 .287, its "
    "multi-turn baseline .842 .058 .373; its similarity is another classifier's than ours."
)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--letters", default="ILT", help="different capitals (default ILT)")
    parser.add_argument("--trials", type=int, default=3, help="levels a letter (default 3)")
    parser.add_argument(
        "--mode", choices=("sequential", "one_shot"), default="one_shot",
        help="a block a decision, or a whole level (default)",
    )  # fmt: skip
    parser.add_argument("--drops", type=int, default=40, help="blocks a level at most (default 40)")
    parser.add_argument(
        "--workers", type=int, default=0, help="processes (default 0: none but this)"
    )


def run(options: argparse.Namespace) -> SuiteReport:
    """Play a league a letter, and score all of them together."""
    from arena.envs.errors import InputError
    from arena.envs.science_birds.similarity import LETTERS
    from arena.evaluation.answering import named, open_folder
    from arena.evaluation.leaguing import entrants, play

    letters = options.letters
    if not letters or set(letters) - set(LETTERS) or len(set(letters)) < len(letters):
        raise InputError(f"--letters {letters} must be different capitals from A to Z")
    if options.workers < 0:
        raise InputError("--workers must not be negative")
    agents = named(options.agent)
    settings = {
        name: getattr(options, name) for name in ("letters", "trials", "mode", "drops", "seed")
    }
    game = f"science_birds?trials={options.trials},mode={options.mode},drops={options.drops}"
    configs = [
        {
            "name": f"letter-{letter}",
            "game": f"{game},letters={letter}",
            "seed": options.seed,
            "agents": entrants(agents, _SCRIPTED),
            "schedule": {"deals": 1},
        }
        for letter in letters
    ]
    open_folder(options.output, {"suite": "letters", **settings})
    store, leagues = play(options.output, "letters", configs, options.workers)
    return _report(settings, agents, store, leagues)


def _report(
    settings: Mapping[str, Any],
    agents: Mapping[str, str],
    store: Store,
    leagues: Sequence[League],
) -> SuiteReport:
    import numpy as np

    from arena.evaluation import estimates
    from arena.evaluation.leaguing import episodes
    from arena.evaluation.letters.levels import score_leagues
    from arena.evaluation.report import Bar, Bars, Heat, Part, SuiteReport, Table
    from arena.leagues.ratings.estimates import Estimate

    letters = settings["letters"]
    competition = {row["team"]: row for row in score_leagues(
        store, leagues, settings["trials"]
    ).table()}  # fmt: skip
    played = [episodes(store, league) for league in leagues]
    names = [*agents, *_SCRIPTED]
    points = {name: np.array([100 * one[name].returns[0] for one in played]) for name in names}
    mean: dict[str, Estimate] = estimates.means(points, seed=settings["seed"])
    forfeits = {name: sum(sum(one[name].forfeits.values()) for one in played) for name in names}
    figures = ("normalised", "total", "stability", "similarity", "diversity")
    order = sorted(names, key=lambda name: -float(competition[name]["normalised"]))
    parts: list[Part] = [
        Table(
            "By the competition's formula",
            ("agent", *figures, "points a letter, of 100", "forfeits"),
            [
                (
                    name,
                    *(float(competition[name][figure]) for figure in figures),
                    mean[name],
                    forfeits[name],
                )
                for name in order
            ],
            "A letter's points are 100 x diversity x mean (stability x similarity), unweighted, "
            f"with an interval over letters. {_PUBLISHED}",
            digits=(0, 2, 5, 3, 3, 3, 1, 0),
        ),
        Bars(
            "Points a letter",
            "of 100",
            [("", [Bar(name, mean[name], baseline=name in _SCRIPTED) for name in order])],
        ),
        Heat(
            "Points by letter",
            order,
            list(letters),
            [points[name].tolist() for name in order],
            (0.0, 100.0),
            [[f"{value:.1f}" for value in points[name]] for name in order],
        ),
    ]
    data = {
        "settings": dict(settings),
        "agents": {**agents, **_SCRIPTED},
        "competition": list(competition.values()),
        "points_a_letter": {name: mean[name] for name in names},
        "points": {name: dict(zip(letters, points[name].tolist(), strict=True)) for name in names},
        "forfeits": forfeits,
    }
    lead = (
        f"{len(letters)} letters, {settings['trials']} levels of each, mode {settings['mode']}, "
        f"seed {settings['seed']}. Replays: arena view --store {store.where}"
    )
    return SuiteReport("Letters", lead, parts, data)
