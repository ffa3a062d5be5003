"""A seat at Hold'em imagines what it cannot know, and nothing of it comes from the truth."""

import numpy as np
import pytest

from arena.envs.conformance import check_game
from arena.envs.errors import NotConforming
from arena.envs.game import Turns
from arena.envs.holdem import Holdem
from arena.envs.holdem.tables import HoldemTables
from arena.envs.registry import make_game

SEEDS = np.arange(40).astype(np.uint64)


def deal(game, decks):
    """Tables with those decks, each one call further."""
    tables, n = game.tables(len(decks)), len(decks)
    tables.deal(
        np.arange(n), stacks=[10_000, 10_000], blinds=[100, 50], antes=[0, 0], decks=np.array(decks)
    )
    return tables


def test_two_deals_that_look_alike_are_imagined_alike():
    one = deal(Holdem(), [[0, 1, 50, 51, 20, 21, 22, 23, 24]])
    two = deal(Holdem(), [[2, 3, 50, 51, 30, 31, 32, 33, 34]])  # seat 1 holds the same
    rows = np.zeros(40, np.int64)
    first, second = one.turns().imagine(rows, SEEDS), two.turns().imagine(rows, SEEDS)
    assert (first.hands == second.hands).all()
    assert len({hand["deck"].tobytes() for hand in first.hands}) == 40


def test_an_imagined_deck_holds_every_card_once_and_what_is_known():
    tables = make_game("holdem?seats=6").tables(8)
    tables.begin(np.arange(8), SEEDS[:8])
    for _ in range(6):  # everybody calls, up to the flop
        turns = tables.turns()
        tables.step(turns.tables, turns.seats, np.ones(8, np.int64))
    turns = tables.turns()
    imagined = turns.imagine(np.arange(8), SEEDS[:8])
    assert (np.sort(imagined.hands["deck"], axis=1) == np.arange(52)).all()
    seen = [Turns(t, np.arange(8), turns.seats).observation for t in (tables, imagined)]
    for name, part in seen[0].items():
        assert (part == seen[1][name]).all(), name
    assert (imagined.hands["deck"] != tables.hands["deck"]).any(axis=1).all()


def test_hands_to_come_are_imagined_too():
    game = make_game("holdem?hands=2")
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))

    def second_hand(at):
        """The cards of the next hand, once this one is folded."""
        turns = at.turns()
        at.step(turns.tables, turns.seats, np.zeros(len(turns), np.int64))
        return {deck.tobytes() for deck in at.hands["deck"]}

    imagined = second_hand(tables.turns().imagine(np.zeros(40, np.int64), SEEDS))
    assert len(imagined) == 40
    assert not imagined & second_hand(tables)


def test_imagined_holes_are_uniform():
    turns = deal(Holdem(), [[0, 1, 50, 51, 20, 21, 22, 23, 24]]).turns()
    n = 20_000
    imagined = turns.imagine(np.zeros(n, np.int64), np.arange(n).astype(np.uint64))
    counts = np.bincount(imagined.hands["deck"][:, :2].ravel(), minlength=52)
    assert counts[50] == counts[51] == 0
    expected = 2 * n / 50
    assert (np.abs(counts[:50] - expected) < 5 * np.sqrt(expected)).all()


def test_the_check_finds_an_imagination_that_depends_on_what_is_hidden(monkeypatch):
    def redeal(self, tables, seats, seeds):
        hidden = self.hands["deck"][tables, -1].astype(np.uint64)  # a card that nobody sees
        honest(self, tables, seats, seeds + hidden)

    honest = HoldemTables.redeal
    monkeypatch.setattr(HoldemTables, "redeal", redeal)
    with pytest.raises(NotConforming, match="knows what is hidden"):
        check_game(make_game("holdem?hands=3"))
