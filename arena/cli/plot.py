"""``arena plot``: a league's ratings or payoffs, or a training run's curve, as a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from arena.leagues.league import League
    from arena.leagues.ratings import Ranking

_ENDINGS = (".png", ".svg", ".pdf")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb, help_text, draw in (
        ("ratings", "each agent's rating with its interval", _ratings),
        ("payoff", "what row earns against column", _payoff),
    ):
        one = verbs.add_parser(verb, help=help_text)
        one.add_argument("league", nargs="?", metavar="LEAGUE", help="name or id (default: newest)")
        one.add_argument("--store", default="arena.db", help="SQLite file or database URL")
        one.set_defaults(run=_league, draw=draw)
    curve = verbs.add_parser("curve", help="what training runs logged, over their steps")
    curve.add_argument("runs", nargs="+", metavar="RUN", help="a run's folder")
    curve.add_argument(
        "--figure", default="charts/episodic_return", metavar="NAME",
        help="TensorBoard's name of what is drawn (default charts/episodic_return)",
    )  # fmt: skip
    curve.set_defaults(run=_curve)
    for parts in verbs.choices.values():
        parts.add_argument(
            "-o", "--output", required=True, type=_picture, metavar="FILE", help=".png, .svg, .pdf"
        )


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix not in _ENDINGS:
        raise argparse.ArgumentTypeError(f"{text} must end in {', '.join(_ENDINGS)}")
    return path


def _figure(rows: int) -> Figure:
    from arena.envs.errors import InputError

    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("pictures need Matplotlib: pip install 'arena[report]'") from None
    return Figure((8, 1.5 + 0.3 * rows), layout="constrained")


def _save(figure: Figure, path: Path) -> int:
    from io import BytesIO

    from arena.envs.files import write

    drawn = BytesIO()
    figure.savefig(drawn, format=path.suffix[1:], dpi=150)
    write(path, drawn.getvalue())
    print(f"wrote {path}")
    return 0


def _league(options: argparse.Namespace) -> int:
    from arena.cli.console import meter
    from arena.leagues.standings import rank
    from arena.leagues.store import Store

    store = Store(options.store)
    league = store.find(options.league).league
    with meter("rating"):
        ranking = rank(store, league)
    return _save(options.draw(league, ranking), options.output)


def _ratings(league: League, ranking: Ranking) -> Figure:
    """A dot for each agent, best on top; a bar for its interval where that is known."""
    import numpy as np

    figure = _figure(len(ranking.standings))
    axes = figure.subplots()
    names = [league.names[standing.agent] for standing in ranking.standings]
    values = np.array([standing.rating.value for standing in ranking.standings])
    ends = np.array([(s.rating.low, s.rating.high) for s in ranking.standings]).T
    reach = np.abs(np.where(np.isfinite(ends), ends, values) - values)
    axes.errorbar(values, range(len(names)), xerr=reach, fmt="o", capsize=3)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("rating, with 95 % intervals")
    axes.set_title(f"{league.name}: {league.game}, {ranking.deals:,} deals", loc="left")
    return figure


def _payoff(league: League, ranking: Ranking) -> Figure:
    """The matrix, green where row earns."""
    import numpy as np

    names = [league.names[standing.agent] for standing in ranking.standings]
    values = ranking.payoff.value.copy()
    np.fill_diagonal(values, np.nan)
    figure = _figure(len(names))
    axes = figure.subplots()
    most = np.nanmax(np.abs(values), initial=0) or 1.0
    image = axes.imshow(values, cmap="PiYG", vmin=-most, vmax=most, aspect="auto")
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    figure.colorbar(image, label=ranking.unit)
    axes.set_title(f"{league.name}: what row earns against column", loc="left")
    return figure


def _curve(options: argparse.Namespace) -> int:
    figure = _figure(10)
    axes = figure.subplots()
    for run in options.runs:
        steps, values = _logged(Path(run), options.figure)
        axes.plot(steps, values, label=Path(run).name)
    axes.set_xlabel("steps")
    axes.set_ylabel(options.figure)
    axes.grid(alpha=0.3)
    axes.legend()
    return _save(figure, options.output)


def _logged(run: Path, name: str) -> tuple[list[int], list[float]]:
    """The steps and values of a curve in a run's TensorBoard files."""
    from arena.envs.errors import InputError

    folder = run / "training"
    if not any(folder.glob("events.out.tfevents.*")):
        raise InputError(f"{run} is not a folder of arena train: it has no curves in {folder}")
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    except ImportError:
        raise InputError("curves need TensorBoard: pip install 'arena[train]'") from None
    log: Any = EventAccumulator(str(folder), {"scalars": 0})
    log.Reload()
    known = log.Tags()["scalars"]
    if name not in known:
        raise InputError(f"{run} has no curve {name}; it has {', '.join(known)}")
    points = log.Scalars(name)
    return [point.step for point in points], [point.value for point in points]
