"""Fine-tune a language model on decisions: supervised, by trl, all weights or by LoRA.

    arena train sft --teacher tag --game holdem --prompt brief --decisions 2000 -o runs/sft
    arena train sft --store arena.db --learn-from winners -o runs/sft
    arena train sft --hands pluribus.phhs.xz --game holdem?seats=6,menu=0.5/0.75/1 -o runs/sft
    arena train sft --pokerbench DATA --share 0.5 --prompt facts -o runs/sft
    arena train sft --examples mine.jsonl -o runs/sft

Sources add up; a file of examples that is named twice counts twice. The prompts are those that the
player lm asks with, --prompt names their template. The folder is a model: lm:runs/sft plays it,
with the same prompt. --write FILE writes the examples as JSON Lines (trl's conversational prompts
and completions) and trains nothing.
"""

from __future__ import annotations

import argparse
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.agents.llm.training.examples import Example

HELP = "fine-tune a language model on decisions of agents, winners, hand histories or solvers"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    sources = parser.add_argument_group("what it learns from")
    sources.add_argument("--examples", type=Path, nargs="+", default=[], metavar="FILE.jsonl")
    sources.add_argument("--store", metavar="DB", help="a store's match log")
    sources.add_argument("--league", metavar="NAME", help="of the store (default: the newest)")
    sources.add_argument("--replays", type=Path, nargs="+", default=[], metavar="FILE.jsonl.zst")
    sources.add_argument(
        "--learn-from", nargs="+", default=["winners"], metavar="SPEC",
        help="whose decisions of these: winners (the best mean return), or specs or keys",
    )  # fmt: skip
    sources.add_argument("--hands", type=Path, metavar="FILE.phhs", help="hand histories (PHH)")
    sources.add_argument(
        "--win-rate", type=float, default=0.0, metavar="BB",
        help="learn from players who won more big blinds a hand (default 0)",
    )  # fmt: skip
    sources.add_argument(
        "--least-hands", type=int, default=1000, help="that such a player has played (default 1000)"
    )
    sources.add_argument(
        "--exact", action="store_true", help="keep bets as they were, not the menu's nearest"
    )
    sources.add_argument("--teacher", metavar="SPEC", help="an agent that plays --game")
    sources.add_argument("--game", metavar="GAME", help="of --hands and --teacher")
    sources.add_argument("--pokerbench", type=Path, metavar="FOLDER", help="its scenario files")
    sources.add_argument("--source", choices=("both", "preflop", "postflop"), default="both")
    sources.add_argument("--share", type=float, default=0.8, help="of its train side (default .8)")
    sources.add_argument("--split-seed", type=int, default=0, metavar="S")
    sources.add_argument("--by", choices=("row", "group"), default="row", help="what is split")
    sources.add_argument(
        "--decisions", type=int, metavar="N", help="of each source at most (needed by --teacher)"
    )
    sources.add_argument("--prompt", default="default", metavar="NAME", help="the template")
    sources.add_argument("--write", type=Path, metavar="FILE.jsonl", help="write examples and stop")
    training = parser.add_argument_group("how")
    training.add_argument("--model", default="smollm2", help="to begin with (default smollm2)")
    training.add_argument("--epochs", type=float, default=1.0)
    training.add_argument("--batch", type=int, default=16)
    training.add_argument("--lr", type=float, help="learning rate (default 3e-4; LoRA: 1e-3)")
    training.add_argument("--lora", type=int, default=0, metavar="RANK", help="0: all weights")
    training.add_argument("--layers", type=int, default=0, help="train the last ones only; 0: all")
    training.add_argument("--longest", type=int, default=1024, help="tokens of an example")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    training.add_argument("--save-every", type=int, default=100, metavar="UPDATES")
    training.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER")


def run(options: argparse.Namespace) -> int:
    """Gather the examples, train, store."""
    from arena.agents.device import choose_device
    from arena.agents.llm.training.examples import write_examples
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.training import fresh, resumed_from

    if (options.write is None) == (options.output is None):
        raise InputError("give -o FOLDER to train, or --write FILE to write the examples only")
    for name in ("epochs", "batch", "longest", "save_every", "least_hands", "decisions"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise InputError(f"--{name.replace('_', '-')} {value} must be above 0")
    if min(options.lora, options.layers) < 0 or (options.lora and options.layers):
        raise InputError("--lora and --layers are 0 or more, and not both above 0")
    with meter("gathering examples"):
        examples = gather(options)
    if options.write is not None:
        count = write_examples(options.write, examples)
        print(f"{count} examples: {options.write}")
        return 0
    from arena.agents.llm.training import sft

    folder = options.output if options.resume else fresh(options.output)
    settings = sft.Settings(
        model=options.model, epochs=options.epochs, batch=options.batch,
        lr=options.lr or (1e-3 if options.lora else 3e-4), lora=options.lora,
        layers=options.layers, longest=options.longest, seed=options.seed,
        save_every=options.save_every, device=choose_device(options.device),
    )  # fmt: skip
    with meter("updates", resumed_from(options.output)) as progress:
        loss = sft.train(
            examples, settings, folder, resume=options.resume,
            progress=lambda done, total, loss: progress.update(done, total, f"loss {loss:.3f}"),
        )  # fmt: skip
    print(f"{len(examples)} examples; loss of the last updates {loss:.3f} nats a token")
    asked = "" if options.prompt == "default" else f"?prompt={options.prompt}"
    print(f"model: {folder}; in a league: lm:{folder}{asked}")
    return 0


def gather(options: argparse.Namespace) -> list[Example]:
    """The examples of all the sources that are named; InputError where that is none."""
    from arena.agents.llm.training.examples import read_examples
    from arena.envs.errors import InputError

    examples: list[Example] = []
    for path in options.examples:
        examples += read_examples(path)
    for wanted, source in (
        (options.store or options.replays, _from_matches),
        (options.hands, _from_hands),
        (options.teacher, _from_teacher),
        (options.pokerbench, _from_pokerbench),
    ):
        if wanted:
            examples += source(options)
    if not examples:
        raise InputError(
            "there is nothing to learn from: give --examples, --store, --replays, --hands, "
            "--teacher or --pokerbench"
        )
    return examples


def _from_matches(options: argparse.Namespace) -> list[Example]:
    from arena.agents.llm.training.scribe import Scribe
    from arena.envs.registry import make_game
    from arena.leagues import examples
    from arena.leagues.replay import read, read_file
    from arena.leagues.store import Store

    files = [read_file(path) for path in options.replays]
    played = [(replay.match, examples.returns(replay)) for replay in files]
    replays = iter(files)
    if options.store:
        store = Store(options.store)
        results = [result for _, result in store.results(store.find(options.league).league)]
        played += [(result.match, result.returns) for result in results]
        logged = (store.match(result.match.id).replay for result in results)
        replays = chain(files, (read(data, options.store) for data in logged))
    keys = (
        examples.winners(played)
        if options.learn_from == ["winners"]
        else examples.named((match for match, _ in played), options.learn_from)
    )
    games = {match.game: make_game(match.game) for match, _ in played}
    scribes = {name: Scribe(game, options.prompt) for name, game in games.items()}
    lines = (
        example
        for replay in replays
        for name in (replay.match.game,)
        for example in examples.learn_from(games[name], replay, keys, scribes[name])
    )
    return list(islice(lines, options.decisions))


def _game(options: argparse.Namespace, needed_by: str) -> Any:
    from arena.envs.errors import InputError
    from arena.envs.registry import make_game

    if not options.game:
        raise InputError(f"{needed_by} needs --game, such as holdem?seats=6")
    return make_game(options.game)


def _from_hands(options: argparse.Namespace) -> list[Example]:
    from arena.agents.llm.training import hands
    from arena.agents.llm.training.scribe import Scribe
    from arena.envs.holdem.notation import read

    scribe = Scribe(_game(options, "--hands"), options.prompt)
    histories = read(options.hands)
    players = hands.winners(histories, least_won=options.win_rate, least_hands=options.least_hands)
    lines = hands.learn_from(histories, players, scribe, exact=options.exact)
    return list(islice(lines, options.decisions))


def _from_teacher(options: argparse.Namespace) -> list[Example]:
    from arena.agents.llm.training.scribe import Scribe
    from arena.agents.llm.training.teachers import teach
    from arena.envs.errors import InputError

    if options.decisions is None:
        raise InputError("--teacher needs --decisions: how many to learn from")
    game = _game(options, "--teacher")
    scribe = Scribe(game, options.prompt)
    return list(islice(teach(game, options.teacher, scribe, seed=options.seed), options.decisions))


def _from_pokerbench(options: argparse.Namespace) -> list[Example]:
    from arena.agents.llm.suites import pokerbench
    from arena.agents.llm.templates import load_template
    from arena.agents.llm.training.examples import Example

    template = load_template(pokerbench.PROMPTS, options.prompt)
    template.check(pokerbench.FIELDS)
    rows, _ = pokerbench.split(
        pokerbench.load_all(options.pokerbench), options.share, options.split_seed, options.by
    )
    chosen = [row for row in rows if options.source in ("both", row.source)]
    return [
        Example(pokerbench.ask(row, template).prompt, row.answer, {"row": row.key})
        for row in chosen[: options.decisions]
    ]
