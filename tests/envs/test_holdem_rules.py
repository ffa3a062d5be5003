"""The rules of a hand, one by one, and all of them against PokerKit."""

import warnings

import numpy as np
import pytest

from arena.envs.holdem import Holdem, cards, rules

ONE = np.zeros(1, np.int64)


class Table:
    """One hand with given stacks and stakes; seat 0 is left of the button, the last seat has it."""

    def __init__(self, stacks, blinds=(50, 100), ante=0, deck="", min_bet=None, ante_by="each"):
        seats = len(stacks)
        self.tables = Holdem(seats=seats, ante_by=ante_by).tables(1)
        posts = list(blinds)[:seats] + [0] * (seats - len(blinds))
        if seats == 2:
            posts.reverse()  # the button, seat 1, posts the small blind
        known = cards.parse(deck)
        self.tables.deal(
            ONE,
            stacks=np.array(stacks),
            blinds=np.array(posts),
            antes=np.full(seats, ante) if ante_by == "each" else np.array(ante),
            decks=np.array(known + [cards.UNKNOWN] * (2 * seats + 5 - len(known))),
            min_bet=min_bet,
        )
        self.first_raise = self.tables.game.action_space.n

    @property
    def hand(self):
        return self.tables.hands[0]

    @property
    def actor(self):
        return int(self.hand["actor"])

    @property
    def to_call(self):
        owed = self.hand["level"] - self.hand["bets"][self.actor]
        return int(min(owed, self.hand["stacks"][self.actor]))

    @property
    def raises(self):
        """The least and the most that the actor may raise to, or None."""
        least, most = self.tables.raise_bounds(ONE)[0].tolist()
        return (least, most) if most else None

    @property
    def stacks(self):
        return self.hand["stacks"][: self.hand["seats"]].tolist()

    def legal(self, action):
        return bool(self.tables.legal(ONE, np.array([self.actor]), np.array([action]))[0])

    def play(self, *moves):
        """``f`` folds, ``c`` checks or calls, a number bets or raises to it."""
        for move in moves:
            action = {"f": 0, "c": 1}.get(move)
            if action is None:
                action = self.first_raise + move
            assert self.legal(action), f"{move} of seat {self.actor}"
            self.tables.step(ONE, np.array([self.actor]), np.array([action]))
        return self


# -- who posts, who acts ---------------------------------------------------------------------------


def test_heads_up_the_button_posts_the_small_blind_and_acts_first_before_the_flop_only():
    table = Table([1000, 1000])
    assert table.hand["bets"][:2].tolist() == [100, 50]
    assert table.actor == 1
    table.play("c", "c")
    assert table.hand["street"] == 1
    assert table.actor == 0


def test_three_handed_the_button_acts_first_before_the_flop_and_last_after():
    table = Table([1000] * 3)
    assert table.hand["bets"][:3].tolist() == [50, 100, 0]
    assert table.actor == 2
    table.play("c", "c", "c")
    assert table.hand["street"] == 1
    assert table.actor == 0


def test_the_big_blind_has_the_option():
    table = Table([1000] * 3).play("c", "c")
    assert (table.actor, table.to_call, table.raises) == (1, 0, (200, 1000))


def test_the_big_blind_wins_the_blinds_when_all_fold():
    table = Table([1000] * 4).play("f", "f", "f")
    assert table.actor == rules.OVER
    assert table.stacks == [950, 1050, 1000, 1000]


def test_antes_are_posted_before_blinds_and_are_no_bet():
    table = Table([1000, 60, 1000, 15], ante=20)
    assert table.hand["committed"][:4].tolist() == [70, 60, 20, 15]
    assert table.hand["bets"][:4].tolist() == [50, 40, 0, 0]
    assert table.hand["pot"] == 165


def test_a_straddle_is_the_bring_in_of_the_hand():
    table = Table([5000] * 4, blinds=(50, 100, 200))
    assert (table.actor, table.to_call, table.raises) == (3, 200, (400, 5000))
    table.play("c", "c", "c")
    assert table.actor == 2  # the straddler has the option
    table.play("c")
    assert table.raises == (200, 4800)


def test_a_short_big_blind_does_not_lower_the_price():
    """RRoP 14.2: nobody enters for less than the bring-in, unless all-in."""
    table = Table([1000, 60, 1000, 1000])
    assert (table.actor, table.to_call, table.raises) == (2, 100, (200, 1000))


def test_nobody_is_asked_for_more_than_two_players_can_match():
    assert Table([60, 1000]).to_call == 10  # the blind is all-in for 60, against 50 of the button
    assert Table([1000, 30]).actor == rules.OVER  # the button is all-in for less than the blind


# -- raises ----------------------------------------------------------------------------------------


def test_a_raise_is_at_least_as_large_as_the_last_one():
    table = Table([10_000] * 3)
    assert table.raises == (200, 10_000)
    table.play(300)  # a raise of 200
    assert table.raises == (500, 10_000)
    table.play(1000)  # of 700
    assert table.raises == (1700, 10_000)
    table.play("f", "c")
    assert table.raises == (100, 9000)  # a new street: the big blind again
    assert not table.legal(table.first_raise + 99)
    assert not table.legal(table.first_raise + 9001)


def test_less_than_a_minimum_raise_only_all_in():
    table = Table([1000, 1000, 150])
    assert table.raises == (150, 150)
    table.play(150)
    assert table.raises == (250, 1000)  # the last full bet was the big blind


def test_a_short_all_in_does_not_reopen_the_betting():
    """RRoP 14.3's example: A bets 100, B raises to 200, C is all-in for 280, A calls."""
    table = Table([2000, 2000, 380]).play("c", "c", "c")
    table.play(100, 200, 280)
    assert table.raises is not None  # A, because B raised
    table.play("c")
    assert (table.actor, table.to_call) == (1, 80)
    assert table.raises is None  # B was not fully raised


def test_short_all_ins_that_amount_to_a_full_raise_together_reopen_it():
    """TDA 47's illustration: A bets 100, B all-in 125, C calls, D all-in 200, E calls."""
    table = Table([5000, 225, 5000, 300, 5000]).play("c", "c", "c", "c", "c")
    table.play(100, 125, "c", 200, "c")
    assert (table.actor, table.to_call, table.raises) == (0, 100, (300, 4900))
    table.play("c")
    assert (table.actor, table.to_call, table.raises) == (2, 75, None)


def test_a_short_all_in_bet_does_not_reopen_to_who_checked():
    """RRoP 14.3: an all-in bet below the minimum bet is no full bet."""
    table = Table([1000, 1000, 140]).play("c", "c", "c")
    table.play("c", "c", 40)
    assert (table.actor, table.to_call, table.raises) == (0, 40, None)


def test_who_has_not_acted_may_raise_a_short_all_in():
    table = Table([1000, 140, 1000]).play("c", "c", "c")
    table.play("c", 40)
    assert (table.actor, table.raises) == (2, (140, 900))


def test_nobody_raises_whom_nobody_can_call():
    table = Table([400, 1000, 400]).play(400, "c")
    assert (table.actor, table.to_call, table.raises) == (1, 300, None)


def test_a_call_may_be_all_in_for_less():
    table = Table([1000, 300]).play(300)
    assert (table.to_call, table.raises) == (200, None)
    table = Table([300, 1000]).play(1000)
    assert (table.to_call, table.raises) == (200, None)


def test_folding_is_for_who_faces_a_bet():
    table = Table([1000] * 2)
    assert table.legal(0)
    table.play("c")
    assert not table.legal(0)


# -- pots ------------------------------------------------------------------------------------------

BOARD = "2c7d9hJsKd"


def test_side_pots_go_to_the_best_hand_that_has_a_share_in_them():
    deck = "AcAd" + "KcKh" + "QcQd" + "3c4d" + BOARD
    table = Table([100, 300, 700, 700], deck=deck)
    table.play(700, "c", "c", "c")
    # three kings win the main pot of 400 and the side pot of 600, queens the one of 800
    assert table.stacks == [0, 1000, 800, 0]


def test_an_uncalled_bet_is_returned():
    table = Table([500, 2000], deck="AcAd" + "3c4d" + BOARD).play(2000, "c")
    assert table.stacks == [1000, 1500]


def test_a_folded_player_leaves_his_chips():
    table = Table([1000] * 3, deck="AcAd" + "KcQc" + "3c4d" + BOARD)
    table.play(300, "c", "c", "c", "c", 400, 700, "f", "f")
    assert table.stacks == [2000, 700, 300]


def test_a_board_that_plays_is_split():
    table = Table([1000] * 3, deck="2c3d" + "2d3c" + "2h3h" + "TcJcQcKcAc")
    table.play("c", "c", "c", "c", "c", "c", "c", "c", "c", "c", "c", "c")
    assert table.stacks == [1000] * 3


ACES_WITH_KING = ["AcKh", "AdKs", "AhKc"]
DRY_BOARD = "As7dQh8c4s"


@pytest.mark.parametrize(
    ("holes", "stacks"),
    [
        (["2c3d", "2d3h", "AdKs", "AhKc"], [999, 998, 1002, 1001]),
        (["2c3d", "AdKs", "2d3h", "AhKc"], [999, 1002, 998, 1001]),
        (["2c3d", *ACES_WITH_KING], [999, 1001, 1000, 1000]),
    ],
)
def test_an_odd_chip_goes_to_the_first_winner_left_of_the_button(holes, stacks):
    table = Table([1000] * 4, blinds=(1, 2), deck="".join(holes) + DRY_BOARD)
    table.play("c", "c", "f", "c", *["c"] * 9)  # a pot of 7
    assert table.stacks == stacks


def test_two_odd_chips_go_to_the_same_winner():
    table = Table([1000] * 4, (1, 2), ante=1, deck="2c3d" + "".join(ACES_WITH_KING) + DRY_BOARD)
    table.play("c", "c", "f", "c", *["c"] * 9)  # a pot of 11 for three
    assert table.stacks == [998, 1002, 1000, 1000]


def test_pots_that_the_same_hands_can_win_are_one_pot():
    """Seat 1, all-in for 4, is beaten: the pots of 15 and 9 are one of 24, without odd chips."""
    deck = "AcKh" + "2d3c" + "AdKs" + "4c4h" + DRY_BOARD
    table = Table([1000, 5, 1000, 1000], (1, 2), ante=0, deck=deck)
    table.play(8, "f", "c", "c", "c", "c", "c", "c", "c", "c")
    assert table.stacks == [1003, 0, 1002, 1000]


def test_an_unknown_hand_loses_the_showdown():
    table = Table([1000] * 2, deck="????" + "2c3d" + DRY_BOARD).play(1000, "c")
    assert table.stacks == [0, 2000]


# -- the record of it ------------------------------------------------------------------------------


def test_the_history_keeps_seat_street_kind_and_the_total_of_the_street():
    table = Table([1000] * 3).play("c", 250, "f", "c", "c", 400)
    hand = table.hand
    kinds = [rules.CALLED, rules.RAISED, rules.FOLDED, rules.CALLED, rules.CHECKED, rules.BET]
    n = hand["decisions"]
    assert n == len(kinds)
    assert hand["history_kind"][:n].tolist() == kinds
    assert hand["history_seat"][:n].tolist() == [2, 0, 1, 2, 0, 2]
    assert hand["history_street"][:n].tolist() == [0, 0, 0, 0, 1, 1]
    assert hand["history_amount"][:n].tolist() == [100, 250, 100, 250, 0, 400]


def test_a_longer_war_of_raises_than_the_history_holds_corrupts_nothing():
    stack = 100 * (rules.HISTORY + 60)
    table = Table([stack, stack], deck="2c3d" + "AdKs" + DRY_BOARD)
    while table.raises and table.raises[0] < table.raises[1]:
        table.play(table.raises[0])
    hand = table.hand
    assert hand["decisions"] > rules.HISTORY
    assert (
        np.diff(np.roll(hand["history_amount"], -(hand["decisions"] % rules.HISTORY))) > 0
    ).all()
    table.play(stack, "c")
    assert table.stacks == [0, 2 * stack]


def test_a_hand_is_the_same_wherever_the_button_is():
    seats, rng = 5, np.random.default_rng(4)
    tables = Holdem(seats=seats).tables(seats)
    everywhere = np.arange(seats)
    for _ in range(40):
        stacks = rng.integers(1, 2000, seats)
        deck = rng.permutation(52)[: 2 * seats + 5]
        blinds = np.array([50, 100, 0, 0, 0])

        def turned(values, width=1):
            return np.stack([np.roll(values, turn * width) for turn in range(seats)])

        tables.deal(
            everywhere,
            stacks=turned(stacks),
            blinds=turned(blinds),
            antes=np.full(seats, 7),
            decks=np.hstack([turned(deck[: 2 * seats], 2), np.tile(deck[2 * seats :], (seats, 1))]),
            button=(seats - 1 + everywhere) % seats,
        )
        while not tables.done.any():
            _, acting = tables.to_act()
            assert len(set((acting - everywhere) % seats)) == 1
            mask = tables.action_mask(everywhere, acting)
            assert (mask == mask[0]).all()
            action = rng.choice(np.flatnonzero(mask[0]))
            tables.step(everywhere, acting, np.full(seats, action))
        assert tables.done.all()
        final = tables.hands["stacks"][:, :seats]
        assert (final == turned(final[0])).all()


def test_a_short_all_in_does_not_let_a_limper_raise_though_it_is_the_first_raise():
    table = Table([1000, 1000, 1000, 150], blinds=(50, 100))
    table.play("c", 150, "c", "c")
    assert (table.actor, table.to_call, table.raises) == (2, 50, None)


# -- a big blind's ante ----------------------------------------------------------------------------


def test_a_big_blinds_ante_is_the_main_pots_and_never_comes_back():
    deck = "2c7dAcAdKcKd" + "3h4h9sJsQd"
    table = Table([1000] * 3, ante=[0, 100, 0], deck=deck, ante_by="big_blind")
    assert table.stacks == [950, 800, 1000]
    assert table.hand["pot"] == 250
    table.play("c", "f", "c", "c", "c", "c", "c", "c", "c")
    assert table.stacks == [950, 1150, 900]


def test_who_has_no_more_than_the_ante_plays_for_the_ante_alone():
    deck = "KcKd" + "AcAd" + "2c7d" + "3h4h9sJsQd"
    table = Table([1000, 60, 1000], ante=[0, 100, 0], deck=deck, ante_by="big_blind")
    table.play("c", "c", "c", "c", "c", "c", "c", "c")
    assert table.stacks == [1100, 60, 900]


def test_a_big_blinds_ante_moves_with_the_blind():
    tables = Holdem(seats=3, hands=2, ante=30, ante_by="big_blind").tables(1)
    tables.begin(ONE, np.array([3], np.uint64))
    assert tables.hands["antes"][0][:3].tolist() == [0, 30, 0]
    for _ in range(2):
        tables.step(*tables.to_act(), np.array([0]))
    assert tables.hands["antes"][0][:3].tolist() == [0, 0, 30]


# -- against PokerKit ------------------------------------------------------------------------------


class Differential:
    """One random hand played in lockstep with PokerKit.

    Of the four departures that ``arena.envs.holdem.rules`` names, the first is kept out: the
    largest blind is always posted in full. The others are about who may raise again.
    ``may_raise_again`` states the rule without the engine, and ``departures`` counts where PokerKit
    has it otherwise.
    """

    def __init__(self, seed):
        pokerkit = pytest.importorskip("pokerkit")
        rng = self.rng = np.random.default_rng(seed)
        seats = int(rng.integers(2, 10))
        small, big = [(50, 100), (1, 2), (3, 7)][rng.integers(3)]
        straddles = int(rng.integers(0, min(3, seats - 1))) if rng.random() < 0.4 else 0
        posts = [small, big] + [big << (i + 1) for i in range(straddles)]
        ante = int(rng.integers(0, big)) if rng.random() < 0.5 else 0
        for_all = rng.random() < 0.3  # the big blind posts the ante
        deepest = big * int(rng.choice([3, 10, 40, 200]))
        stacks = rng.integers(1, deepest + 1, seats)
        poster = 0 if seats == 2 else len(posts) - 1
        stacks[poster] = max(stacks[poster], ante + posts[-1])
        deck = rng.permutation(52)[: 2 * seats + 5]
        self.start = stacks.tolist()
        self.min_bet = posts[-1]
        self.names = [cards.name(card) for card in deck]
        antes = [ante * (seat == (0 if seats == 2 else 1)) for seat in range(seats)]
        self.table = (
            Table(self.start, posts, antes, "".join(self.names), ante_by="big_blind")
            if for_all
            else Table(self.start, posts, ante, "".join(self.names))
        )
        automation = pokerkit.Automation
        self.state = pokerkit.NoLimitTexasHoldem.create_state(
            (
                automation.ANTE_POSTING,
                automation.BET_COLLECTION,
                automation.BLIND_OR_STRADDLE_POSTING,
                automation.HOLE_CARDS_SHOWING_OR_MUCKING,
                automation.HAND_KILLING,
                automation.CHIPS_PUSHING,
                automation.CHIPS_PULLING,
            ),
            not for_all,
            tuple(antes[::-1] if seats == 2 else antes) if for_all else ante,
            tuple(posts),
            self.min_bet,
            tuple(self.start),
            seats,
        )
        self.acted: set[int] = set()
        self.full = self.min_bet
        self.street = 0
        self.departures = 0
        self.decisions = 0

    def run(self):
        state = self.state
        while (seat := state.hole_dealee_index) is not None:
            state.deal_hole("".join(self.names[2 * seat : 2 * seat + 2]))
        board = self.names[2 * len(self.start) :]
        while True:
            while state.status and state.actor_index is None:
                if state.can_burn_card("??"):
                    state.burn_card("??")
                state.deal_board("".join(board[: state.board_dealing_count]))
                board = board[3 if len(board) == 5 else 1 :]
            if not state.status:
                break
            self.decide()
        assert self.table.actor == rules.OVER
        won = [now - before for now, before in zip(self.table.stacks, self.start, strict=True)]
        assert won == list(state.payoffs)

    def decide(self):
        state, table, seat = self.state, self.table, self.state.actor_index
        if state.street_index != self.street:
            self.street, self.full = state.street_index, self.min_bet
            self.acted.clear()
        assert table.actor == seat
        assert table.hand["street"] == self.street
        assert table.hand["pot"] == state.total_pot_amount
        assert table.to_call == state.checking_or_calling_amount
        assert table.legal(0) == state.can_fold()
        bounds = (
            state.min_completion_betting_or_raising_to_amount,
            state.max_completion_betting_or_raising_to_amount,
        )
        theirs = None if bounds[0] is None else bounds
        if theirs != table.raises:
            assert seat in self.acted
            assert (table.raises is not None) == self.may_raise_again(seat)
            self.departures += 1
        self.act(seat, None if theirs is None else table.raises)
        self.acted.add(seat)
        self.decisions += 1

    def may_raise_again(self, seat):
        return max(self.state.bets) - self.state.bets[seat] >= self.full

    def act(self, seat, raises):
        draw = self.rng.random()
        if raises and draw < 0.45:
            least, most = raises
            kind = self.rng.random()
            total = least if kind < 0.5 else most if kind < 0.65 else None
            total = int(self.rng.integers(least, most + 1)) if total is None else total
            self.full = max(self.full, total - max(self.state.bets))
            self.state.complete_bet_or_raise_to(total)
            self.table.play(total)
        elif draw < 0.6 and self.state.can_fold():
            self.state.fold()
            self.table.play("f")
        else:
            self.state.check_or_call()
            self.table.play("c")


def test_random_hands_come_out_as_pokerkits():
    """2 to 9 seats, unequal stacks, antes, straddles: same actions, amounts, chips in the end."""
    decisions = departures = 0
    for seed in range(500):
        hand = Differential(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PokerKit's own
            hand.run()
        decisions += hand.decisions
        departures += hand.departures
    assert decisions > 4000
    assert 0 < departures < decisions / 200
