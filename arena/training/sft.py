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

import time
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from arena.agents.learning.report import Progress, Report, Score
from arena.agents.learning.settings import Common, setting
from arena.envs.errors import InputError

if TYPE_CHECKING:
    from arena.agents.llm.learning.examples import Example


@dataclass(frozen=True, kw_only=True)
class Settings(Common):
    """What it learns from, and how."""

    examples: tuple[str, ...] = setting((), "files of examples, JSON Lines")
    store: str = setting("", "a store's match log")
    league: str = setting("", "of the store (default: the newest)")
    replays: tuple[str, ...] = setting((), "replays, .jsonl.zst")
    learn_from: tuple[str, ...] = setting(
        ("winners",), "whose decisions of these: winners (the best mean return), or specs or keys"
    )
    hands: str = setting("", "a file of hand histories (PHH)")
    win_rate: float = setting(0.0, "learn from players who won more big blinds a hand")
    least_hands: int = setting(1000, "that such a player has played", least=1)
    exact: bool = setting(False, "keep bets as they were, not the menu's nearest")
    teacher: str = setting("", "the spec of an agent that plays --game")
    game: str = setting("", "of --hands and --teacher")
    pokerbench: str = setting("", "the folder of its scenario files")
    source: Literal["both", "preflop", "postflop"] = setting("both", "of its scenarios")
    share: float = setting(0.8, "of its train side", above=0, most=1)
    split_seed: int = setting(0, "of the split", least=0)
    by: Literal["row", "group"] = setting("row", "what is split")
    decisions: int | None = setting(None, "of each source at most (needed by --teacher)", least=1)
    prompt: str = setting("default", "the template")
    write: str = setting("", "write the examples to this file, and train nothing")
    model: str = setting("smollm2", "to begin with: a folder, hub id, smollm2 or tiny")
    epochs: float = setting(1.0, "passes over the examples", above=0)
    batch_size: int = setting(16, "examples of an update", least=1, options=("--batch",))
    learning_rate: float | None = setting(
        None, "the highest (default 3e-4; LoRA: 1e-3)", above=0, options=("--lr",)
    )
    lora: int = setting(0, "rank of LoRA's adapters; 0 trains the weights themselves", least=0)
    layers: int = setting(0, "train the last ones only; 0 trains all", least=0)
    longest: int = setting(1024, "tokens of an example", least=1)
    save_every: int = setting(100, "updates between checkpoints", least=1)


def train(settings: Settings, progress: Progress) -> Report:
    """Gather the examples, fine-tune the model."""
    from arena.agents.device import choose_device
    from arena.agents.learning.runs import Run
    from arena.agents.llm.learning.examples import write_examples

    if settings.resume:
        run = Run.open("sft", settings)
        settings = run.settings(Settings)
    if bool(settings.write) == bool(settings.output) and not settings.resume:
        raise InputError("give -o FOLDER to train, or --write FILE to write the examples only")
    if settings.lora and settings.layers:
        raise InputError("--lora and --layers are not both above 0")
    begun = time.perf_counter()
    device = choose_device(settings.device)
    examples = gather(settings)
    if settings.write:
        count = write_examples(Path(settings.write), examples)
        return Report("", f"{count} examples written to {settings.write}", 0.0, ())
    from arena.agents.llm.learning import sft

    rate = settings.learning_rate or (1e-3 if settings.lora else 3e-4)
    figures = sft.SftSettings(
        model=settings.model, epochs=settings.epochs, batch=settings.batch_size, lr=rate,
        lora=settings.lora, layers=settings.layers, longest=settings.longest, seed=settings.seed,
        save_every=settings.save_every, device=device,
    )  # fmt: skip
    if not settings.resume:
        run = Run.begin("sft", settings)
    with run.stoppable():
        loss = sft.train(
            examples, figures, run.folder, resume=settings.resume,
            progress=lambda done, total, loss: progress(done, total, f"loss {loss:.3f}"),
        )  # fmt: skip
    asked = "" if settings.prompt == "default" else f"?prompt={settings.prompt}"
    score = Score("loss of the last updates", loss, float("nan"), "nats a token", 5, "updates")
    return Report(
        f"lm:{run.folder}{asked}", f"{len(examples)} examples", time.perf_counter() - begun,
        (score,),
    )  # fmt: skip


def gather(settings: Settings) -> list[Example]:
    """The examples of all the sources that are named; InputError where that is none."""
    from arena.agents.llm.learning.examples import read_examples

    examples: list[Example] = []
    for path in settings.examples:
        examples += read_examples(Path(path))
    for wanted, source in (
        (settings.store or settings.replays, _from_matches),
        (settings.hands, _from_hands),
        (settings.teacher, _from_teacher),
        (settings.pokerbench, _from_pokerbench),
    ):
        if wanted:
            examples += source(settings)
    if not examples:
        raise InputError(
            "there is nothing to learn from: give --examples, --store, --replays, --hands, "
            "--teacher or --pokerbench"
        )
    return examples


def _from_matches(settings: Settings) -> list[Example]:
    from arena.agents.llm.learning.scribe import Scribe
    from arena.envs.registry import make_game
    from arena.leagues import examples
    from arena.leagues.replay import read, read_file
    from arena.leagues.store import Store

    files = [read_file(Path(path)) for path in settings.replays]
    played = [(replay.match, examples.returns(replay)) for replay in files]
    replays = iter(files)
    if settings.store:
        store = Store(settings.store)
        results = [
            result for _, result in store.results(store.find(settings.league or None).league)
        ]
        played += [(result.match, result.returns) for result in results]
        logged = (store.match(result.match.id).replay for result in results)
        replays = chain(files, (read(data, settings.store) for data in logged))
    keys = (
        examples.winners(played)
        if settings.learn_from == ("winners",)
        else examples.named((match for match, _ in played), settings.learn_from)
    )
    games = {match.game: make_game(match.game) for match, _ in played}
    scribes = {name: Scribe(game, settings.prompt) for name, game in games.items()}
    lines = (
        example
        for replay in replays
        for name in (replay.match.game,)
        for example in examples.learn_from(games[name], replay, keys, scribes[name])
    )
    return list(islice(lines, settings.decisions))


def _game(settings: Settings, needed_by: str) -> Any:
    from arena.envs.registry import make_game

    if not settings.game:
        raise InputError(f"{needed_by} needs --game, such as holdem?seats=6")
    return make_game(settings.game)


def _from_hands(settings: Settings) -> list[Example]:
    from arena.agents.llm.learning import hands
    from arena.agents.llm.learning.scribe import Scribe
    from arena.envs.holdem.notation import read

    scribe = Scribe(_game(settings, "--hands"), settings.prompt)
    histories = read(Path(settings.hands))
    players = hands.winners(
        histories, least_won=settings.win_rate, least_hands=settings.least_hands
    )
    lines = hands.learn_from(histories, players, scribe, exact=settings.exact)
    return list(islice(lines, settings.decisions))


def _from_teacher(settings: Settings) -> list[Example]:
    from arena.agents.llm.learning.scribe import Scribe
    from arena.agents.llm.learning.teachers import teach

    if settings.decisions is None:
        raise InputError("--teacher needs --decisions: how many to learn from")
    game = _game(settings, "--teacher")
    scribe = Scribe(game, settings.prompt)
    return list(
        islice(teach(game, settings.teacher, scribe, seed=settings.seed), settings.decisions)
    )


def _from_pokerbench(settings: Settings) -> list[Example]:
    from arena.evaluation.pokerbench import lessons
    from arena.evaluation.pokerbench.rows import prompt

    template = prompt(settings.prompt)
    rows = lessons.train_side(settings.pokerbench, settings.share, settings.split_seed, settings.by)
    chosen = [row for row in rows if settings.source in ("both", row.source)]
    return lessons.examples(chosen[: settings.decisions], template)
