"""CALM's examination: transitions of KeyRoom whose subgoals are known, and what needs no model.

Kwon et al. (2409.12798, §4): is a language model a judge of transitions that reinforcement learning
could be rewarded by? Its answers are compared with exact labels
(``arena.agents.exploration.pairs``), and so are those of baselines, which a judge must beat to be
worth its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from arena.agents.exploration.pairs import Pair
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.prompting.calm.judge import Variant, Verdict
from arena.envs import seeding


def questions(pairs: Sequence[Pair], variant: Variant) -> dict[str, Question]:
    """A question about each pair, named by its place."""
    return {
        f"{number:05}": variant.question(pair.before, pair.action, pair.after)
        for number, pair in enumerate(pairs)
    }


def truth(pair: Pair, variant: Variant) -> Verdict:
    """What the answer to the pair's question should be."""
    if variant.subgoals == "own" and pair.label != "none":
        return "achieved"
    return pair.label


def achieved(verdict: str | None) -> str | None:
    """A verdict without the name of the subgoal: "achieved", "none", or None for no answer."""
    return "achieved" if verdict not in (None, "none") else verdict


# -- what needs no model ---------------------------------------------------------------------------


def always_none(_pair: Pair) -> Verdict:
    """No step ever achieves anything."""
    return "none"


def always_key(_pair: Pair) -> Verdict:
    """Every step achieves something: what a judge says that cannot say no."""
    return "key"


def at_random(pair: Pair) -> Verdict:
    """One of the three verdicts, all as likely."""
    kinds: tuple[Verdict, ...] = ("key", "door", "none")
    return kinds[seeding.derive(pair.seed, pair.step, "verdict") % 3]


def mentioned(pair: Pair) -> Verdict:
    """What the message after the step mentions: a key, or else a door."""
    message = pair.after["message"].casefold()
    return "key" if "key" in message else "door" if "door" in message else "none"


def told(pair: Pair) -> Verdict:
    """What the message after the step says by NetHack's own phrases."""
    message = pair.after["message"]
    if message[1:4] == " - " and "key" in message:  # an item as it enters the inventory
        return "key"
    return "door" if "door opens" in message or "unlock the door" in message else "none"


BASELINES: Mapping[str, Callable[[Pair], Verdict]] = {
    "always none": always_none,
    "always key": always_key,
    "at random": at_random,
    "message mentions it": mentioned,
    "message says so": told,
}
