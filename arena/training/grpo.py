"""Train a language model on rewards by GRPO: what its answers earn in a game, or exact matches.

    arena train grpo --game holdem --agent equity --prompt brief -o runs/grpo
    arena train grpo --game "gridworld?contexts=1" --agent explorer --prompt default -o runs/grpo
    arena train grpo --pokerbench DATA --share 0.5 --prompt facts --model runs/sft -o runs/grpo

In a game the model is asked at one decision of each episode, which --agent has played up to there
and plays to its end, --rollouts times for each action, on the same seeds for all of them. An answer
that names no legal action earns --illegal. The folder is a model, lm:runs/grpo plays it.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.agents.llm.training.problems import Problem

HELP = "train a language model by GRPO on a game's rewards"


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    rewards = parser.add_argument_group("what it is rewarded for")
    rewards.add_argument("--game", metavar="GAME", help="in which one seat decides at a time")
    rewards.add_argument("--agent", metavar="SPEC", help="who plays the rest of the game")
    rewards.add_argument("--problems", type=int, default=256, help="how many (default 256)")
    rewards.add_argument(
        "--latest", type=int, default=0, metavar="D",
        help="ask about one of the decisions 0 to D of an episode (default 0, the first)",
    )  # fmt: skip
    rewards.add_argument("--rollouts", type=int, default=16, help="an action (default 16)")
    rewards.add_argument(
        "--illegal", type=float, default=-1.0, help="what an illegal answer earns (default -1)"
    )
    rewards.add_argument("--pokerbench", type=Path, metavar="FOLDER", help="its scenario files")
    rewards.add_argument("--share", type=float, default=0.8, help="of its train side (default .8)")
    rewards.add_argument("--split-seed", type=int, default=0, metavar="S")
    rewards.add_argument("--by", choices=("row", "group"), default="row", help="what is split")
    rewards.add_argument("--prompt", default="default", metavar="NAME", help="the template")
    training = parser.add_argument_group("how")
    training.add_argument("--model", default="smollm2", help="to begin with (default smollm2)")
    training.add_argument("--updates", type=int, default=100)
    training.add_argument("--prompts", type=int, default=4, help="of an update (default 4)")
    training.add_argument("--group", type=int, default=8, help="answers to each (default 8)")
    training.add_argument("--lr", type=float, default=1e-5, help="learning rate (default 1e-5)")
    training.add_argument("--temperature", type=float, default=1.0)
    training.add_argument("--answer", type=int, default=16, help="tokens of an answer (default 16)")
    training.add_argument("--beta", type=float, default=0.0, help="weight of the KL divergence")
    training.add_argument("--lora", type=int, default=0, metavar="RANK", help="0: all weights")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    training.add_argument("--save-every", type=int, default=25, metavar="UPDATES")
    training.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("-o", "--output", type=Path, metavar="FOLDER", required=True)


def run(options: argparse.Namespace) -> int:
    """Make the problems, train, store."""
    from arena.agents.device import choose_device
    from arena.cli.console import meter
    from arena.envs.errors import InputError
    from arena.training import fresh, resumed_from

    for name in ("problems", "rollouts", "updates", "prompts", "answer", "save_every"):
        if getattr(options, name) < 1:
            raise InputError(f"--{name.replace('_', '-')} {getattr(options, name)} is below 1")
    if options.group < 2:
        raise InputError(f"--group {options.group}: answers are compared, which takes 2 or more")
    if options.temperature <= 0:
        raise InputError(f"--temperature {options.temperature} must be above 0")
    with meter("making problems"):
        problems = gather(options)
    from arena.agents.llm.training import grpo

    folder = options.output if options.resume else fresh(options.output)
    settings = grpo.Settings(
        model=options.model, updates=options.updates, prompts=options.prompts,
        group=options.group, lr=options.lr, temperature=options.temperature,
        answer=options.answer, beta=options.beta, lora=options.lora, seed=options.seed,
        save_every=options.save_every, device=choose_device(options.device),
    )  # fmt: skip
    with meter("updates", resumed_from(options.output)) as progress:
        rewards = grpo.train(
            problems, settings, folder, resume=options.resume,
            progress=lambda done, total, mean: progress.update(done, total, f"reward {mean:.3f}"),
        )  # fmt: skip
    tenth = max(1, len(rewards) // 10)
    print(
        f"mean reward of the first {tenth} updates {sum(rewards[:tenth]) / tenth:.3f}, "
        f"of the last {sum(rewards[-tenth:]) / tenth:.3f}"
    )
    asked = "" if options.prompt == "default" else f"?prompt={options.prompt}"
    print(f"model: {folder}; in a league: lm:{folder}{asked}")
    return 0


def gather(options: argparse.Namespace) -> list[Problem]:
    """The problems that the options name; InputError where they name none."""
    from arena.envs.errors import InputError

    if (options.game is None) == (options.pokerbench is None):
        raise InputError("give --game GAME with --agent SPEC, or --pokerbench FOLDER")
    if options.pokerbench is not None:
        return _from_pokerbench(options)
    if options.agent is None:
        raise InputError("--game needs --agent: who plays the rest of it, such as equity")
    from arena.agents.llm.training.problems import situations
    from arena.agents.llm.training.scribe import Scribe
    from arena.envs.registry import make_game

    game = make_game(options.game)
    found = situations(
        game, options.agent, Scribe(game, options.prompt), count=options.problems,
        rollouts=options.rollouts, illegal=options.illegal, seed=options.seed,
        latest=options.latest,
    )  # fmt: skip
    return list(found)


def _from_pokerbench(options: argparse.Namespace) -> list[Problem]:
    from arena.agents.llm.suites import pokerbench
    from arena.agents.llm.templates import load_template
    from arena.agents.llm.training.problems import exact_matches
    from arena.envs import seeding

    template = load_template(pokerbench.PROMPTS, options.prompt)
    template.check(pokerbench.FIELDS)
    rows, _ = pokerbench.split(
        pokerbench.load_all(options.pokerbench), options.share, options.split_seed, options.by
    )
    drawn = sorted(rows, key=lambda row: seeding.derive(options.seed, "problem", row.key))
    return exact_matches(list(islice(drawn, options.problems)), template)
