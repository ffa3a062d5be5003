"""``arena pcg``: generated levels, scored as the competition does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.envs.science_birds.assessment import Assessment
    from arena.envs.science_birds.scoring import Competition


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the verbs."""
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    score = verbs.add_parser("score", help="score a folder of raw answers: team/raw/A/team_A_1.txt")
    score.add_argument("folder", metavar="FOLDER")
    score.add_argument("--failures", action="store_true", help="also list answers without a level")
    score.add_argument(
        "--edition", type=int, choices=(1, 2), default=2,
        help="of the competition: the first reads ab_drop calls, and knows no diversity",
    )  # fmt: skip
    score.set_defaults(run=score_folder)

    compete = verbs.add_parser("compete", help="let agents build every letter, and score them")
    compete.add_argument("agent", nargs="+", metavar="AGENT", help="an agent spec")
    compete.add_argument("--seed", type=int, default=0)
    compete.add_argument("--mode", choices=("sequential", "one_shot"), default="sequential")
    compete.add_argument("--drops", type=int, default=40, help="blocks a level at most")
    compete.add_argument("--sheet", metavar="PNG", help="also draw the levels, a row a letter")
    compete.set_defaults(run=run_competition)

    draw = verbs.add_parser("draw", help="let one level fall, and draw it where it came to rest")
    draw.add_argument(
        "file", metavar="FILE", help="a level's .xml, or a text with drop_block calls"
    )
    draw.add_argument("-o", "--output", required=True, metavar="PNG")
    draw.add_argument("--plain", action="store_true", help="black on white, as it is read")
    draw.add_argument("--xml", metavar="XML", help="also write the level as Science Birds' XML")
    draw.set_defaults(run=draw_level)

    league = verbs.add_parser("league", help="score a recorded league by the formula")
    league.add_argument("league", nargs="?", metavar="LEAGUE", help="name or id (default: newest)")
    league.add_argument("--store", default="arena.db", help="SQLite file or database URL")
    league.set_defaults(run=score_league)

    for verb in (score, compete, league):
        verb.add_argument("--trials", type=int, default=10, help="levels of each letter")
        verb.add_argument("--json", action="store_true", help="print JSON")
    for verb in (score, compete):
        verb.add_argument("--letters", default="ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def score_folder(options: argparse.Namespace) -> int:
    """Extract, build, simulate and score every answer in a folder."""
    from pathlib import Path

    from arena.cli.console import meter
    from arena.envs.science_birds import scoring

    with meter("answers") as progress:
        competition, failures = scoring.score_folder(
            Path(options.folder), letters=_letters(options), trials=_trials(options),
            edition=options.edition, progress=progress.update,
        )  # fmt: skip
    _print(competition, options)
    if options.failures and not options.json:
        for file, reason in failures:
            print(f"{file}: {reason}")
    return 0


def run_competition(options: argparse.Namespace) -> int:
    """Let agents build letters and score them against each other."""
    from pathlib import Path

    from arena.agents.registry import make_agent
    from arena.cli.console import meter
    from arena.envs.science_birds.game import ScienceBirds
    from arena.envs.science_birds.scoring import measure
    from arena.evaluation.letters.levels import Built, play_letters

    letters, trials = _letters(options), _trials(options)
    game = ScienceBirds(mode=options.mode, trials=trials, drops=options.drops, letters=letters)
    with meter("making the agents"):
        agents = {spec: make_agent(spec, game) for spec in options.agent}
    built: Built = {}
    with meter("building") as progress:
        for name, levels in play_letters(game, agents, options.seed, progress.update):
            built[name] = levels
    _print(measure(built, letters=letters, trials=trials), options)
    if options.sheet:
        rows = [levels[letter] for levels in built.values() for letter in letters]
        _draw(rows, Path(options.sheet))
        if not options.json:
            print(f"levels: {options.sheet}")
    return 0


def draw_level(options: argparse.Namespace) -> int:
    """Simulate one level, say how stable it is, and draw it."""
    from pathlib import Path

    from arena.envs.errors import InputError
    from arena.envs.science_birds import drawing, grid, levels, text
    from arena.envs.science_birds.scoring import read_answer
    from arena.envs.science_birds.simulation import judge

    file = Path(options.file)
    if file.suffix == ".xml":
        level = levels.load_level(file)
    else:
        structure = grid.build(text.read_program(read_answer(file)))
        if isinstance(structure, str):
            raise InputError(f"{file} builds no level: {structure}")
        level = levels.from_structure(structure)
    competition = file.suffix != ".xml"
    verdict = judge(level, competition=competition)
    print(f"stability {verdict.stability:.3f}, at rest after {verdict.seconds:.2f} s")
    if options.plain:
        shapes = drawing.outlines(level, verdict.poses, competition=competition)
        image = drawing.competition_image(shapes)
    else:
        image = drawing.level_image(level, verdict.poses, competition=competition)
    image.save(options.output)
    if options.xml:
        Path(options.xml).write_text(levels.write_xml(level))
    return 0


def score_league(options: argparse.Namespace) -> int:
    """Score a recorded league's levels."""
    from arena.cli.console import meter
    from arena.evaluation.letters import levels as letters
    from arena.leagues.store import Store

    store = Store(options.store)
    league = store.find(options.league).league
    with meter("levels") as progress:
        competition = letters.score_league(store, league, _trials(options), progress.update)
    _print(competition, options)
    return 0


def _letters(options: argparse.Namespace) -> str:
    from arena.envs.errors import InputError
    from arena.envs.science_birds.similarity import LETTERS

    letters = str(options.letters)
    if not letters or set(letters) - set(LETTERS) or len(set(letters)) < len(letters):
        raise InputError(f"--letters {letters} must be different capitals from A to Z")
    return letters


def _trials(options: argparse.Namespace) -> int:
    from arena.envs.errors import InputError

    if not 1 <= options.trials <= 100:
        raise InputError(f"--trials {options.trials} must lie between 1 and 100")
    return int(options.trials)


def _print(competition: Competition, options: argparse.Namespace) -> None:
    import orjson

    from arena.cli.console import show, table

    rows = competition.table()
    if options.json:
        data = {
            "letters": competition.letters,
            "weights": competition.weights.prod(axis=1).tolist(),
            "table": rows,
        }
        print(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
        return
    scores = table(*(heading if heading == "team" else f"{heading}>" for heading in rows[0]))
    for row in rows:
        scores.add_row(
            str(row["team"]), f"{row['normalised']:.2f}", f"{row['total']:.5f}",
            *(f"{row[name]:.3f}" for name in ("stability", "similarity", "diversity")),
        )  # fmt: skip
    show(scores)


def _draw(rows: list[list[Assessment]], path: object) -> None:
    from PIL import Image

    from arena.envs.science_birds import drawing

    pictures = [
        [
            drawing.competition_image(drawing.outlines(a.level, a.poses), 128)
            if a.level is not None
            else Image.new("L", (128, 128), 255)
            for a in row
        ]
        for row in rows
    ]
    drawing.contact_sheet(pictures).save(str(path))
