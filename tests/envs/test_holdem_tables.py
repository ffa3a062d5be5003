"""Many tables: the deal, actions, sessions, tournaments; and that batching changes nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.envs.errors import InputError
from arena.envs.game import Tables
from arena.envs.holdem import Holdem, rules
from arena.envs.holdem.observation import View
from arena.envs.registry import make_game

ONE = np.zeros(1, np.int64)


def begin(game, seeds):
    tables = game.tables(len(seeds))
    tables.begin(np.arange(len(seeds)), np.asarray(seeds, np.uint64))
    return tables


def random_actions(tables, at, seats, rng, exact=0.5):
    """Legal actions, uniform over the menu; with probability ``exact`` a raise is any amount."""
    mask = tables.action_mask(at, seats)
    actions = (rng.random(mask.shape) * mask).argmax(axis=1)
    bounds = tables.raise_bounds(at)
    amounts = bounds[:, 0] + (rng.random(len(at)) * (bounds[:, 1] - bounds[:, 0] + 1)).astype(int)
    chosen = (actions > 1) & (rng.random(len(at)) < exact)
    return np.where(chosen, mask.shape[1] + amounts, actions)


def play_out(tables, rng, before=None):
    """Random play to the end of every episode; ``before(at, seats)`` looks at every decision."""
    while not tables.done.all():
        at, seats = tables.to_act()
        if before:
            before(at, seats)
        actions = random_actions(tables, at, seats, rng)
        assert tables.legal(at, seats, actions).all()
        tables.step(at, seats, actions)


# -- the deal --------------------------------------------------------------------------------------


def test_a_deal_is_a_function_of_the_seed_and_fixed_before_the_first_action():
    game = Holdem(seats=6)
    tables, again = begin(game, range(50)), begin(game, range(50))
    decks = tables.hands["deck"].copy()
    play_out(tables, np.random.default_rng(0))
    assert (tables.hands["deck"] == decks).all()
    assert (again.hands["deck"] == decks).all()
    assert len(np.unique(decks[:, :17], axis=0)) == 50


def test_every_card_is_as_likely_in_every_place():
    n = 40_000
    decks = begin(Holdem(seats=10), range(n)).hands["deck"]
    assert (np.sort(decks, axis=1) == np.arange(52)).all()
    counts = np.array([np.bincount(decks[:, place], minlength=52) for place in range(25)])
    chi_square = ((counts - n / 52) ** 2 / (n / 52)).sum(axis=1)
    assert chi_square.max() < 110  # 51 degrees of freedom: beyond one in a million
    pairs = np.bincount(decks[:, 0].astype(int) * 52 + decks[:, 1], minlength=52 * 52)
    expected = n / (52 * 51)
    chi_square = ((pairs[pairs > 0] - expected) ** 2 / expected).sum()
    assert abs(chi_square - 2651) < 6 * (2 * 2651) ** 0.5


def test_the_hands_of_a_session_have_decks_of_their_own():
    tables = begin(Holdem(hands=2), range(1))
    first = tables.hands["deck"][0].copy()
    tables.step(ONE, np.array([1]), np.array([0]))
    assert tables.hands["number"][0] == 1
    assert (tables.hands["deck"][0] != first).any()


# -- actions ---------------------------------------------------------------------------------------


def offered(tables):
    """Of each raise on the menu that is offered, the total it comes to."""
    at, seats = tables.to_act()
    mask = tables.action_mask(at, seats)[0]
    totals = {}
    for action in np.flatnonzero(mask[2:]) + 2:
        copy = tables.game.tables(1)
        copy.hands[:] = tables.hands
        copy.done[:] = False
        copy.step(ONE, seats, np.array([action]))
        totals[int(action)] = int(copy.hands["history_amount"][0][tables.hands["decisions"][0]])
    return totals


def test_a_pot_raise_calls_first():
    """Small blind, heads-up, 1/2: the pot after a call is 4, so a pot raise is to 6."""
    tables = begin(Holdem(small_blind=1, big_blind=2, menu=(0.5, 1.0)), [0])
    assert offered(tables) == {2: 4, 3: 6, 4: 200}


def test_fractions_that_are_no_raise_of_their_own_are_not_offered():
    tables = begin(Holdem(stack=7, menu=(0.1, 0.5, 0.502, 1.0, 3.0)), [0])
    # 0.1 is below the minimum raise; 0.502 comes to 2.004 bb, 0.5 to 2; 3 is more than the stack
    assert offered(tables) == {3: 200, 5: 300, 7: 700}


def test_an_exact_amount_is_an_action_beyond_the_menu():
    tables = begin(Holdem(), [0])
    seat = np.array([1])
    amounts = np.array([199, 200, 237, 9999, 10_000, 10_001, 0, -99])
    at = np.zeros(len(amounts), np.int64)
    legal = tables.legal(at, np.ones_like(at), 5 + amounts)
    assert legal.tolist() == [False, True, True, True, True, False, False, False]
    tables.step(ONE, seat, np.array([5 + 237]))
    assert tables.hands["bets"][0, :2].tolist() == [100, 237]


def test_an_all_in_of_a_single_chip_is_a_bet():
    game = Holdem(small_blind=1, big_blind=2)
    tables = game.tables(1)
    tables.deal(
        ONE,
        stacks=np.array([3, 50]),
        blinds=np.array([2, 1]),
        antes=np.zeros(2, int),
        decks=np.arange(9),
    )
    tables.step(ONE, np.array([1]), np.array([1]))
    tables.step(ONE, np.array([0]), np.array([1]))
    assert tables.raise_bounds(ONE).tolist() == [[1, 1]]
    for action in (4, 5 + 1):  # all-in, or an exact amount
        assert tables.legal(ONE, ONE, np.array([action]))[0]
    tables.step(ONE, ONE, np.array([5 + 1]))
    assert tables.hands["history_kind"][0, 2] == rules.BET


def test_an_illegal_action_is_named_and_not_taken():
    tables = begin(Holdem(), [0, 1])
    seats = np.array([1, 1])
    with pytest.raises(ValueError, match="action 77 is not legal at table 1 for seat 1"):
        tables.step(np.array([0, 1]), seats, np.array([1, 77]))
    assert tables.hands["decisions"].tolist() == [1, 0]


@pytest.mark.parametrize("odd", [np.array([0.0]), np.array([[0]]), np.array(["0"]), [None]])
def test_legal_says_no_to_whatever_is_no_integer(odd):
    assert not begin(Holdem(), [0]).legal(ONE, np.array([1]), odd).any()


# -- sessions --------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    seats=st.integers(2, 10),
    stack=st.sampled_from([1, 3, 20, 100]),
    ante=st.sampled_from([0, 13]),
    straddles=st.integers(0, 2),
    mode=st.sampled_from(["reset", "carry", "rebuy", "sit_and_go"]),
    seed=st.integers(0, 2**32),
)
def test_no_chip_is_made_or_lost(seats, stack, ante, straddles, mode, seed):
    session = {"stacks": mode, "hands": 4}
    tournament = {"format": mode, "hands_per_level": 3}
    game = Holdem(
        seats=seats,
        stack=stack,
        ante=ante,
        straddles=min(straddles, seats - 2),
        **(tournament if mode == "sit_and_go" else session),
    )
    tables = begin(game, range(seed, seed + 8))

    def look(at, acting):
        hands = tables.hands[at]
        stacks, committed = hands["stacks"], hands["committed"]
        assert (stacks >= 0).all()
        assert (hands["bets"] <= committed).all()
        assert (stacks + committed).sum(axis=1).tolist() == hands["starting"].sum(axis=1).tolist()
        assert (hands["pot"] == committed.sum(axis=1)).all()
        # who acts has chips and cards
        assert (stacks[np.arange(len(at)), acting] > 0).all()
        assert ((hands["live"] >> acting) & 1).all()
        if mode in ("carry", "sit_and_go"):
            assert (hands["starting"].sum(axis=1) == stack * 100 * seats).all()
        if mode == "reset":
            assert (hands["starting"][:, :seats] == stack * 100).all()
        if mode == "rebuy":
            assert (hands["starting"][:, :seats] > 0).all()

    play_out(tables, np.random.default_rng(seed), look)
    assert np.allclose(tables.returns.sum(axis=1), 0)
    final = tables.hands["stacks"].sum(axis=1)
    assert (final == tables.hands["starting"].sum(axis=1)).all()
    assert (tables.hands["stacks"][:, :seats] >= 0).all()


def test_the_button_moves_over_seats_without_chips():
    game = Holdem(seats=4, hands=50, stacks="carry", stack=3)
    tables = begin(game, range(40))
    seen = [{} for _ in range(40)]
    chips = [{} for _ in range(40)]

    def look(at, _):
        for table in at:
            hand = tables.hands[table]
            seen[table][int(hand["number"])] = int(hand["button"])
            chips[table][int(hand["number"])] = hand["starting"][:4].copy()

    play_out(tables, np.random.default_rng(3), look)
    moves = 0
    for buttons, starts in zip(seen, chips, strict=True):
        assert buttons[0] == 3
        for number in set(buttons) & {n - 1 for n in buttons}:
            expected = (buttons[number] + 1) % 4
            while starts[number + 1][expected] == 0:
                expected = (expected + 1) % 4
                moves += 1
            assert buttons[number + 1] == expected
    assert moves > 10


def test_two_players_left_play_heads_up():
    tables = Holdem(seats=4).tables(1)
    tables.deal(
        ONE,
        stacks=np.array([0, 500, 0, 500]),
        blinds=np.array([0, 50, 0, 100]),
        antes=np.zeros(4, int),
        decks=np.arange(13),
        button=1,
    )
    assert tables.to_act()[1].tolist() == [1]
    tables.step(ONE, np.array([1]), np.array([1]))
    tables.step(ONE, np.array([3]), np.array([1]))
    assert tables.to_act()[1].tolist() == [3]  # the button acts last after the flop


def test_returns_are_big_blinds_a_hand():
    game = Holdem(hands=4)
    tables = begin(game, [0])
    for _ in range(4):  # the small blind, each in turn, folds
        tables.step(*tables.to_act(), np.array([0]))
    assert tables.done[0]
    assert tables.returns[0].tolist() == [0, 0]
    tables = begin(Holdem(hands=1), [0])
    tables.step(*tables.to_act(), np.array([0]))
    assert tables.returns[0].tolist() == [0.5, -0.5]


def test_a_session_ends_when_one_player_has_all_chips():
    tables = begin(Holdem(seats=3, stacks="carry", hands=1000, stack=2), range(20))
    play_out(tables, np.random.default_rng(0))
    assert ((tables.hands["stacks"] > 0).sum(axis=1) == 1).all()
    assert (tables.hands["number"] < 1000).all()


def test_who_forfeits_is_not_asked_again_and_the_others_play_on():
    tables = begin(Holdem(seats=3, hands=6), [5])
    at, seats = tables.to_act()
    out = int(seats[0])
    tables.forfeit(at, seats)
    asked = set()
    play_out(tables, np.random.default_rng(0), lambda _, acting: asked.update(acting.tolist()))
    assert asked == {0, 1, 2} - {out}
    assert tables.hands["number"][0] == 6
    assert tables.returns[0, out] == pytest.approx(-(0.5 + 1) * 2 / 6)  # two rounds of blinds


def test_an_episode_ends_when_all_forfeit():
    tables = begin(Holdem(seats=3, hands=6), [5])
    while not tables.done.all():
        tables.forfeit(*tables.to_act())
    assert np.isclose(tables.returns.sum(), 0)


# -- tournaments -----------------------------------------------------------------------------------


def test_two_states_of_a_tournament_whose_next_blinds_differ_look_different():
    """The level, when the blinds rise and to what are told in arrays and in words."""
    one = {"seats": 2, "format": "sit_and_go", "ante": 10}
    games = [Holdem(**one, hands_per_level=2), Holdem(**one, hands_per_level=3, levels=(1, 2))]
    seen = []
    for game in games:
        tables = game.tables(1)
        tables.begin(np.zeros(1, np.int64), np.array([5], np.uint64))
        seen.append((tables.turns().observation, tables.text(0, 1)))
    (first, words), (second, others) = seen
    same = [name for name in first if (first[name] == second[name]).all()]
    assert set(first) - set(same) == {"hands_left", "level_hands", "next_stakes"}
    assert first["level_hands"].tolist() == [[2]]
    assert np.allclose(first["next_stakes"], [[0.75, 1.5, 0.15]])
    assert "Level 1; in 2 hands the blinds will be 0.75 and 1.5, the ante 0.15." in words
    assert "Level 1; in 3 hands the blinds will be 1 and 2, the ante 0.2." in others


def test_who_has_forfeited_is_seen_by_all_in_arrays_and_in_words():
    tables = Holdem(seats=3, hands=5).tables(1)
    tables.begin(np.zeros(1, np.int64), np.array([5], np.uint64))
    _, [away] = tables.to_act()
    assert "forfeited" not in tables.text(0, 0)
    tables.forfeit(np.zeros(1, np.int64), np.array([away]))
    for seat in range(3):
        seen = tables.observe(np.zeros(1, np.int64), np.array([seat]))
        assert np.flatnonzero(seen["away"][0]).tolist() == [(away - seat) % 3]
        assert seen["hands_left"].tolist() == [[4]]
        assert (
            tables.text(0, seat).count("(folded, forfeited)")
            + tables.text(0, seat).count("(you, folded, forfeited)")
            == 1
        )


def test_a_sit_and_go_has_rising_blinds_and_one_winner():
    game = make_game("holdem?seats=5,format=sit_and_go,stack=20,hands_per_level=4,ante=10")
    tables = begin(game, range(60))
    blinds = {}

    def look(at, _):
        for hand in tables.hands[at]:
            level = int(hand["number"]) // 4
            blinds.setdefault(level, set()).add((int(hand["big_blind"]), int(hand["antes"][0])))

    play_out(tables, np.random.default_rng(1), look)
    assert blinds[0] == {(100, 10)}
    assert blinds[1] == {(150, 15)}
    assert blinds[2] == {(200, 20)}
    assert ((tables.hands["stacks"] > 0).sum(axis=1) == 1).all()
    winners = tables.hands["stacks"].argmax(axis=1)
    assert (tables.returns[np.arange(60), winners] == 4).all()  # the pool of 5, less a buy-in
    assert (np.sort(tables.returns, axis=1)[:, :4] == -1).all()
    assert game.unit == "buy-ins"


def test_prizes_go_by_place_and_equals_share_them():
    game = Holdem(seats=3, format="sit_and_go", stack=(5, 2, 2), prizes=(0.6, 0.3, 0.1))
    deck = np.arange(52)
    tables = begin(game, [0])
    # seats 1 and 2, with 200 each, go out in the same hand against the aces of seat 0
    deck[:6] = [48, 49, 0, 5, 1, 4]
    deck[6:11] = [24, 29, 34, 39, 12]
    tables.hands["deck"][0] = deck
    while not tables.done.all():
        at, seats = tables.to_act()
        mask = tables.action_mask(at, seats)[0]
        tables.step(at, seats, np.array([4 if mask[4] else 1]))
    assert tables.returns[0] == pytest.approx([0.6 * 3 - 1, 0.2 * 3 - 1, 0.2 * 3 - 1])


def test_who_had_more_chips_when_going_out_is_placed_higher():
    game = Holdem(seats=3, format="sit_and_go", stack=(5, 3, 2), prizes=(0.6, 0.3, 0.1))
    tables = begin(game, [0])
    deck = np.arange(52)
    deck[:6] = [48, 49, 0, 5, 1, 4]
    deck[6:11] = [24, 29, 34, 39, 12]
    tables.hands["deck"][0] = deck
    while not tables.done.all():
        at, seats = tables.to_act()
        mask = tables.action_mask(at, seats)[0]
        tables.step(at, seats, np.array([4 if mask[4] else 1]))
    assert tables.returns[0] == pytest.approx([0.6 * 3 - 1, 0.3 * 3 - 1, 0.1 * 3 - 1])


# -- batches ---------------------------------------------------------------------------------------


def test_what_happens_at_a_table_depends_on_its_seed_and_actions_only():
    game = Holdem(seats=4, hands=3, stacks="carry", stack=15)
    seeds = np.arange(30)
    log = {seed: [] for seed in range(30)}
    together = begin(game, seeds)
    rng = np.random.default_rng(0)
    while not together.done.all():
        at, seats = together.to_act()
        actions = random_actions(together, at, seats, rng)
        seen = together.observe(at, seats)
        for row, table in enumerate(at):
            log[table].append((int(seats[row]), int(actions[row]), seen["stacks"][row].tolist()))
        together.step(at, seats, actions)
    alone = game.tables(3)
    for seed, decisions in log.items():
        slot = np.array([seed % 3])
        alone.begin(slot, seeds[seed : seed + 1].astype(np.uint64))
        for seat, action, stacks in decisions:
            assert alone.observe(slot, np.array([seat]))["stacks"][0].tolist() == stacks
            alone.step(slot, np.array([seat]), np.array([action]))
        assert alone.done[slot[0]]
        assert alone.returns[slot[0]].tolist() == together.returns[seed].tolist()


@pytest.mark.parametrize("spec", ["holdem", "holdem?seats=6", "holdem?seats=3,stack=1,hands=2"])
def test_the_compiled_advance_is_the_one_that_every_game_has(spec):
    game, n = make_game(spec), 40
    fast, slow = game.tables(n), game.tables(n)
    for tables in (fast, slow):
        tables.renew(np.arange(n), np.arange(n).astype(np.uint64))
    turns = slow.turns()
    rng = np.random.default_rng(0)
    for turn in range(1, 60):
        seeds = np.arange(n).astype(np.uint64) + np.uint64(turn * n)
        actions = random_actions(slow, turns.tables, turns.seats, rng)
        one = fast.advance(turns.tables, turns.seats, actions, seeds)
        two = Tables.advance(slow, turns.tables, turns.seats, actions, seeds)
        turns = two.turns
        assert one.ended.tolist() == two.ended.tolist()
        assert one.returns.tolist() == two.returns.tolist()
        assert not one.truncated.any() and one.final is None
        assert one.turns.tables.tolist() == turns.tables.tolist() == list(range(n))
        assert one.turns.seats.tolist() == turns.seats.tolist()
        for name, part in one.turns.observation.items():
            assert (part == turns.observation[name]).all(), name
        assert (one.turns.action_mask == turns.action_mask).all()
        assert (fast.hands == slow.hands).all()


def test_advance_refuses_an_illegal_action_and_takes_the_others():
    game = Holdem()
    tables = begin(game, [1, 2])
    turns = tables.turns()
    with pytest.raises(ValueError, match="action 9 is not legal at table 1"):
        tables.advance(turns.tables, turns.seats, np.array([1, 9]), np.zeros(2, np.uint64))
    assert tables.hands["decisions"].tolist() == [1, 0]


def test_advance_says_so_where_every_hand_ends_at_the_deal():
    tables = Holdem(stack=0.5).tables(1)
    with pytest.raises(InputError, match="ends before anybody is asked"):
        tables.renew(ONE, np.zeros(1, np.uint64))


def test_a_view_that_is_used_again_keeps_nothing():
    game = Holdem(seats=3)
    tables, view = begin(game, range(25)), View(25, 3)

    def look(at, seats):
        order = np.random.default_rng(len(at)).permutation(len(at))
        tables.observe_into(view, at[order], seats[order])
        fresh = tables.observe(at[order], seats[order])
        for name, part in view.parts.items():
            assert (part[: len(at)] == fresh[name]).all(), name

    play_out(tables, np.random.default_rng(0), look)


def test_an_observation_fits_its_space_and_says_what_is_so():
    game = Holdem(seats=3)
    tables = begin(game, [7])
    tables.step(ONE, np.array([2]), np.array([6 + 250 - 1]))  # the button raises to 250
    tables.step(ONE, np.array([0]), np.array([0]))
    seen = {name: part[0] for name, part in tables.observe(ONE, np.array([1])).items()}
    assert game.observation_space.contains(seen)
    assert seen["hole"].tolist() == tables.hands["deck"][0, 2:4].tolist()
    assert seen["board"].tolist() == [-1] * 5
    assert (seen["button"], seen["actor"], seen["decisions"]) == (1, 0, 2)
    assert seen["live"].tolist() == [1, 1, 0]
    assert seen["stacks"] == pytest.approx([99, 97.5, 99.5])
    assert seen["committed"] == pytest.approx([1, 2.5, 0.5])
    assert seen["pot"] == pytest.approx([4])
    assert seen["to_call"] == pytest.approx([1.5])
    assert (seen["min_raise"], seen["max_raise"]) == (pytest.approx(4), pytest.approx(100))
    assert seen["history"][:3].tolist() == [[1, 0, rules.RAISED], [2, 0, rules.FOLDED], [0, 0, 0]]
    assert seen["history_amount"][:3] == pytest.approx([2.5, 0.5, 0])


# -- options ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("seats=11", "seats=11; 2 to 10 can play"),
        ("seats=3,stack=10/20", "names 2 stacks; give one, or one for each of the 3 seats"),
        ("stack=0", "positive whole number of chips"),
        ("stack=0.333", "positive whole number of chips"),
        ("small_blind=200", "the small one positive and no larger"),
        ("ante=-1", "ante=-1; it is 0 or more chips"),
        ("straddles=1", "with 2 seats 0 to 0 players can straddle"),
        ("menu=1/0.5", "positive pot fractions, ascending"),
        ("hands=0", "hands=0"),
        ("stacks=keep", "stacks=keep is none of reset, carry, rebuy"),
        ("format=sit_and_go,prizes=0.5/0.4", "sum to 1"),
        ("format=sit_and_go,levels=2/1", "never fall"),
        ("format=sit_and_go,hands_per_level=0", "hands_per_level=0"),
    ],
)
def test_a_bad_option_is_named_in_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence):
        make_game(f"holdem?{options}")


@pytest.mark.parametrize(
    "options",
    [
        "format=sit_and_go,hands=5",
        "format=sit_and_go,stacks=carry",
        "hands_per_level=3",
        "prizes=1/0",
    ],
)
def test_options_that_would_have_no_effect_are_refused(options):
    with pytest.raises(InputError, match="are options of"):
        make_game(f"holdem?{options}")
