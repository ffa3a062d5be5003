"""Hand histories: every real hand comes out to the chip, and others read what we write."""

import lzma
import warnings
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.envs.errors import InputError
from arena.envs.game import Recording, Tables
from arena.envs.holdem import Holdem, acpc, notation, phh
from arena.envs.holdem.cards import parse
from arena.envs.holdem.history import Action, HandHistory, episode_histories, history_of

pokerkit = pytest.importorskip("pokerkit", reason="PokerKit is the reference for PHH")

HAND = """\
variant = 'NT'
ante_trimming_status = true
antes = [0, 0, 0]
blinds_or_straddles = [50, 100, 0]
min_bet = 100
starting_stacks = [10000, 10000, 5000]
actions = ['d dh p1 TcQc', 'd dh p2 8s4c', 'd dh p3 AhAd', 'p3 cbr 300', 'p1 cc', 'p2 f', \
'd db 7d5h9d', 'p1 cc', 'p3 cbr 500', 'p1 f']
players = ['Ann', 'Bob', 'Cy']
finishing_stacks = [9700, 9900, 5400]
"""


def random_hands(game: Holdem, n: int, seed: int = 1) -> list[HandHistory]:
    """The histories of ``n`` hands that end after uniformly random play, raises a little rarer."""
    tables = game.tables(n)
    rng = np.random.default_rng(seed)
    tables.begin(np.arange(n), rng.integers(2**64, size=n, dtype=np.uint64))
    while not tables.done.all():
        slots, seats = tables.to_act()
        weights = tables.action_mask(slots, seats) * ([0.5, 2] + [0.5] * (len(game.menu) + 1))
        draw = rng.random(len(slots)) * weights.sum(1)
        tables.step(slots, seats, (weights.cumsum(1) > draw[:, None]).argmax(1))
    names = tuple(f"player {seat}" for seat in range(game.seats))
    return [history_of(tables.hands[i], names, i) for i in range(n)]


GAMES = {
    "heads-up": {"seats": 2, "stack": 20},
    "unequal stacks and antes": {"seats": 5, "stack": (3, 40, 12.5, 100, 7), "ante": 10},
    "a straddle": {"seats": 6, "stack": 30, "straddles": 1},
    "ten seats": {"seats": 10, "stack": 8},
    "short and heads-up": {"seats": 2, "stack": (0.3, 4), "ante": 20},
}


@pytest.fixture(scope="module", params=GAMES)
def hands(request: pytest.FixtureRequest) -> list[HandHistory]:
    return random_hands(Holdem(**GAMES[request.param]), 60)


# -- real hands ------------------------------------------------------------------------------------


def test_every_pluribus_hand_replays_to_the_chip(arena_data: Path) -> None:
    checked = notation.verify_file(arena_data / "holdem" / "pluribus.phhs.xz")
    assert checked == (7674, 7674, [], [])


def test_a_wrong_stack_is_told() -> None:
    hand = phh.loads(HAND.replace("[9700, 9900, 5400]", "[9700, 9899, 5401]"), "x.phh")
    (result,) = notation.replay(hand)
    assert result.status == "mismatch"
    assert result.finishing == (9700, 9900, 5400)
    assert result.detail == "p2 ends with 9900, stated is 9899; p3 ends with 5400, stated is 5401"


# -- our hands, read by others and by ourselves ----------------------------------------------------


def test_phh_round_trip(hands: list[HandHistory], tmp_path: Path) -> None:
    notation.write(tmp_path / "ours.phhs.xz", hands)
    again = notation.read(tmp_path / "ours.phhs.xz")
    assert [phh.dumps(hand) for hand in again] == [phh.dumps(hand) for hand in hands]
    assert again[7].actions == hands[7].actions
    assert {result.status for result in notation.replay(again)} == {"exact"}


def test_pokerkit_plays_our_phh_to_the_same_stacks(hands: list[HandHistory]) -> None:
    for hand in hands:
        theirs = pokerkit.HandHistory.loads(phh.dumps(hand))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            steps = list(theirs.state_actions)
        assert [action for _, action in steps if action] == theirs.actions
        assert steps[-1][0].stacks == list(hand.finishing or ())


def test_acpc_round_trip(hands: list[HandHistory]) -> None:
    if any(hands[0].antes):
        with pytest.raises(InputError, match=r"has antes.*write \.phhs"):
            acpc.dumps(hands)
        return
    text = acpc.dumps(hands)
    again = acpc.loads(text)
    assert acpc.dumps(again) == text
    assert {result.status for result in notation.replay(again)} == {"exact"}


def test_acpc_is_what_pokerkit_writes() -> None:
    for hand in random_hands(Holdem(seats=2, stack=20), 40) + random_hands(Holdem(seats=4), 40):
        theirs = pokerkit.HandHistory.loads(phh.dumps(hand)).to_pluribus_protocol()
        assert theirs in acpc.dumps([hand]).splitlines()


def test_only_what_is_dealt_is_written() -> None:
    game = Holdem(seats=2)
    tables = game.tables(1)
    tables.begin(np.zeros(1, np.int64), np.array([5], np.uint64))
    tables.step(*tables.to_act(), np.array([0]))  # the small blind folds
    text = phh.dumps(history_of(tables.hands[0]))
    assert text.count("d dh") == 2
    assert "d db" not in text and "sm" not in text


@pytest.mark.parametrize(
    "options",
    [
        {"seats": 3, "stack": (5, 8, 0.4), "hands": 30, "stacks": "carry", "ante": 10},
        {"seats": 4, "stack": 10, "format": "sit_and_go", "hands_per_level": 2},
        {"seats": 2, "stack": 0.5, "hands": 3},
    ],
)
def test_an_episodes_hands_are_played_again(options: dict[str, Any]) -> None:
    game = Holdem(**options)
    tables = game.tables(1)
    rng = np.random.default_rng(3)
    tables.begin(np.zeros(1, np.int64), np.array([99], np.uint64))
    decisions: list[int | None] = []
    while not tables.done[0]:
        slots, seats = tables.to_act()
        if len(decisions) == 6:
            decisions.append(None)
            tables.forfeit(slots, seats)
        else:
            action = rng.choice(np.flatnonzero(tables.action_mask(slots, seats)[0]))
            decisions.append(int(action))
            tables.step(slots, seats, np.array([action]))
    names = tuple("ABCD"[: game.seats])
    histories = episode_histories(game, 99, decisions, names)
    assert len(histories) == tables.hands["number"][0]
    assert {result.status for result in notation.replay(histories)} == {"exact"}
    if options.get("stacks") == "carry":
        for before, after in pairwise(histories):
            assert before.players and before.finishing and after.players
            left = {p: s for p, s in zip(before.players, before.finishing, strict=True) if s}
            assert left == dict(zip(after.players, after.stacks, strict=True))
    total = np.zeros(game.seats)
    for history in histories:
        for player, start, end in zip(
            history.players or (), history.stacks, history.finishing or (), strict=True
        ):
            total[names.index(player)] += end - start
    assert (total == tables.hands["net"][0][: game.seats]).all()


def test_recordings_are_exported_by_the_games_own_endings() -> None:
    game = Holdem(seats=2, stack=5, hands=2)

    def episode() -> Iterator[tuple[Tables, list[tuple[int, Any]]]]:
        tables = game.tables(1)
        tables.begin(np.zeros(1, np.int64), np.array([4], np.uint64))
        while not tables.done[0]:
            slots, seats = tables.to_act()
            yield tables, [(int(seats[0]), 1)]
            tables.step(slots, seats, np.array([1]))
        yield tables, []

    recordings = [Recording(("A", "B"), episode()) for _ in range(2)]
    hands = phh.loads(game.exporters()[".phhs"](recordings).decode())
    assert [hand.number for hand in hands] == [0, 1, 2, 3]
    assert [hand.players for hand in hands] == [("A", "B"), ("B", "A")] * 2
    assert {result.status for result in notation.replay(hands)} == {"exact"}
    with pytest.raises(InputError, match="holds one hand, not 2"):
        game.exporters()[".phh"]([Recording(("A", "B"), episode())])


# -- the formats' own examples and oddities --------------------------------------------------------


def test_acpc_example() -> None:
    """The protocol's own example of a hand, with 20,000 chips and blinds of 50 and 100."""
    line = "STATE:19:r200c/cr400c/cr850f:9hQc|5dQd/4h4c6c/4s:-400|400:A|B"
    (hand,) = acpc.loads(f"# a log\n{line}\nSCORE:-400|400:A|B\n")
    assert hand.stacks == (20_000, 20_000)
    assert hand.blinds == (100, 50)
    assert hand.players == ("A", "B")
    assert [(a.verb, a.seat, a.amount) for a in hand.actions[2:]] == [
        ("raise", 1, 200), ("call", 0, 0), ("board", -1, 0),
        ("call", 0, 0), ("raise", 1, 200), ("call", 0, 0), ("board", -1, 0),
        ("call", 0, 0), ("raise", 1, 450), ("fold", 0, 0),
    ]  # fmt: skip
    assert [result.status for result in notation.replay([hand])] == ["exact"]
    assert acpc.dumps([hand]).splitlines()[2:] == [line, "SCORE:-400|400:A|B"]


def test_phh_lists_heads_up_blinds_against_the_seats() -> None:
    """As in PokerKit, ``[1, 2]`` makes p1 the big blind, who acts last before the flop."""
    text = (
        "variant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [1, 2]\nmin_bet = 2\n"
        "starting_stacks = [200, 100]\nfinishing_stacks = [201, 99]\n"
        "actions = ['d dh p1 ????', 'd dh p2 ????', 'p2 f']\n"
    )
    (hand,) = phh.loads(text)
    assert hand.blinds == (2, 1)
    assert notation.replay([hand])[0].status == "exact"
    assert pokerkit.HandHistory.loads(phh.dumps(hand)).blinds_or_straddles == [1, 2]


def test_amounts_with_decimals_are_counted_in_cents() -> None:
    text = (
        "variant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [0.25, 0.50]\nmin_bet = 0.50\n"
        "starting_stacks = [50, 20.00]\nfinishing_stacks = [51.5, 18.50]\n"
        "actions = ['d dh p1 AhAd', 'd dh p2 KhKd', 'p2 cbr 1.5', 'p1 cbr 5', 'p2 f']\n"
    )
    (hand,) = phh.loads(text)
    assert (hand.chip, hand.stacks, hand.blinds) == (Decimal("0.01"), (5000, 2000), (50, 25))
    assert notation.replay([hand])[0].status == "exact"
    assert phh.loads(phh.dumps(hand)) == [hand]


def test_mucked_hands_lose_and_unseen_ones_leave_it_open() -> None:
    text = (
        "variant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [1, 2]\nmin_bet = 2\n"
        "starting_stacks = [10, 10]\nfinishing_stacks = [20, 0]\n"
        "actions = ['d dh p1 2c7d', 'd dh p2 ????', 'p2 cbr 10', 'p1 cc', 'p2 sm', 'p1 sm 2c7d', "
        "'d db AhKhQh', 'd db Jh', 'd db Th']\n"
    )
    assert notation.replay(phh.loads(text))[0].status == "exact"
    unseen = notation.replay(phh.loads(text.replace("'p2 sm', ", "")))[0]
    assert (unseen.status, unseen.detail) == ("open", "the cards of p2 are unknown")


def test_antes_come_back_or_are_dead_money_as_the_source_says() -> None:
    """A big blind's ante: trimmed, what nobody matched comes back; else all of it is won."""
    trimmed = (
        "variant = 'NT'\nante_trimming_status = true\nantes = [0, 2, 0]\nmin_bet = 2\n"
        "blinds_or_straddles = [1, 2, 0]\nstarting_stacks = [9, 9, 9]\n"
        "actions = ['d dh p1 2c7d', 'd dh p2 KcKd', 'd dh p3 AcAd', 'p3 cc', 'p1 f', 'p2 cc', "
        "'d db 3h4h9s', 'p2 cc', 'p3 cc', 'd db Js', 'p2 cc', 'p3 cc', 'd db Qd', 'p2 cc', "
        "'p3 cc', 'p2 sm KcKd', 'p3 sm AcAd']\n"
    )
    for text, stacks in ((trimmed, [8, 7, 12]), (trimmed.replace("true", "false"), [8, 5, 14])):
        theirs = list(pokerkit.HandHistory.loads(text))[-1]
        assert theirs.stacks == stacks
    assert notation.replay(phh.loads(trimmed))[0].finishing == (8, 7, 12)
    dead = phh.loads(trimmed.replace("true", "false"))
    assert notation.replay(dead)[0].finishing == (8, 5, 14)
    assert phh.loads(phh.dumps(dead[0]))[0].trimmed is False


def test_other_fields_are_kept() -> None:
    text = HAND + 'event = "It\'s"\ntime = 12:30:00\nseats = [4, 5, 6]\n_note = {a = 1}\n'
    (hand,) = phh.loads(text)
    assert phh.loads(phh.dumps(hand)) == [hand]
    assert hand.details["seats"] == [4, 5, 6]


# -- faults ----------------------------------------------------------------------------------------

FAULTS = {
    "not TOML": (HAND.replace("[1", "[[1", 1), r"hand 2, line 19, column 1: not TOML"),
    "variant": (HAND.replace("'NT'", "'PO'"), "hand 2: variant 'PO' is not 'NT'"),
    "missing field": (HAND.replace("antes", "aunts"), "hand 2: antes must be a list of 3 amounts"),
    "amount": (HAND.replace("min_bet = 100", "min_bet = 'x'"), "hand 2: min_bet 'x' is not an"),
    "seats": (HAND.replace("[10000, 10000, 5000]", "[1]"), "hand 2: starting_stacks lists 1 seats"),
    "card": (HAND.replace("TcQc", "TcQx"), "hand 2: action 1: 'Qx' in 'TcQx' is not a card"),
    "twin": (HAND.replace("TcQc", "AdQc"), "hand 2: Ad is dealt twice"),
    "word": (HAND.replace("'p1 cc'", "'p1 xx'"), "hand 2: action 5, 'p1 xx', is none of"),
    "player": (HAND.replace("p2 f", "p4 f"), "hand 2: action 6, 'p4 f', names no player; p1 to p3"),
    "turn": (HAND.replace("p2 f", "p3 f"), "hand 2: action 6: p3 acts, but p2 is to act"),
    "raise": (
        HAND.replace("cbr 300", "cbr 150"),
        "hand 2: action 4: p3 raises to 150, but a raise is from 200 to 5000",
    ),
    "street": (
        HAND.replace("'d db 7d5h9d', ", ""),
        "hand 2: action 7: p1 acts on a board of 0 cards, but it is the flop",
    ),
    "unfinished": (HAND.replace(", 'p1 f']", "]"), "hand 2: the actions end when p1 is to act"),
    "too long": (
        HAND.replace("'p1 f']", "'p1 f', 'p1 cc']"),
        "hand 2: action 11: p1 acts, but the",
    ),
    "board": (HAND.replace("'p1 f']", "'p1 f', 'd db 2c']"), "the board has 4 cards at the end"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_place(fault: str) -> None:
    text, message = FAULTS[fault]
    with pytest.raises(InputError, match=message):
        notation.replay(phh.loads(f"[1]\n{HAND}\n[2]\n{text}", "hands.phhs"))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    whole = lzma.compress(f"[1]\n{HAND}".encode())
    files: dict[str, tuple[bytes, str]] = {
        "cut.phhs.xz": (whole[:-20], r"cut\.phhs\.xz is not a whole \.xz file"),
        "empty.phhs": (b"", r"empty\.phhs holds no hands"),
        "torn.phh": (HAND[:-40].encode(), r"torn\.phh, line 8, column [0-9]+: not TOML"),
        "empty.log": (b"# nothing\n", r"empty\.log holds no hands"),
        "binary.phh": (b"\xff\xfe", r"binary\.phh, line 1, column 1: not UTF-8"),
        "hands.txt": (b"", r"hands\.txt names no format"),
        "odd.log": (b"STATE:1:f:AhAd", r"odd\.log, hand 1 \(line 1\): STATE has number, betting"),
        "score.log": (
            b"STATE:1:f:AhAd|KhKd:50|-50:A|B\nSCORE:0|0:A|B\n",
            r"score\.log, line 2: SCORE is 0\|0:A\|B, but the hands add up to 50\|-50",
        ),
    }
    for name, (data, message) in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=message):
            notation.read(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        notation.read(tmp_path / "none.phh")


# -- what is read as it is meant, or not at all ----------------------------------------------------

SHORT = """\
variant = 'NT'
antes = [0, 0]
blinds_or_straddles = [5, 10]
min_bet = 10
starting_stacks = [100, 100]
actions = ['d dh p1 AsKs', 'd dh p2 QhJh', 'p2 cbr 32.5', 'p1 f']
finishing_stacks = [90, 110]
"""


@pytest.mark.parametrize("amount", ["32.5", " 32.5", "+32.5", "325e-1", "3.250E1", "0032.50"])
def test_an_amount_is_the_same_however_it_is_written(amount: str) -> None:
    (hand,) = phh.loads(SHORT.replace("32.5", amount))
    assert [action.amount * hand.chip for action in hand.actions if action.verb == "raise"] == [
        32.5
    ]
    assert [result.status for result in notation.replay([hand])] == ["exact"]


@pytest.mark.parametrize("amount", ["0", "-1", "-2", "-10", "10", "19.5", "101"])
def test_a_raise_to_less_or_more_than_may_be_is_refused(amount: str) -> None:
    with pytest.raises(
        InputError, match=r"action 3: p2 raises to -?\d+, but a raise is from \d+ to \d+"
    ):
        notation.replay(phh.loads(SHORT.replace("32.5", amount)))


NONE = {
    "digits of another script": ("32.5", "٣٢", "action 3: '٣٢' is not an amount"),
    "an underscore": ("32.5", "3_2", "action 3: '3_2' is not an amount"),
    "no number": ("32.5", "nan", "action 3: 'nan' is not an amount"),
    "no chip": ("32.5", "32.5000000000001", "not an amount"),
    "a raise beyond 64 bits": ("32.5", "9" * 20, "is not an amount"),
    "a stack beyond the engine": ("[100, 100]", "[9000000000000000000, 100]", "is not an amount"),
    "stacks beyond the engine": ("[100, 100]", "[60000000000, 60000000000]", "add up to 2"),
    "cents beyond the engine": ("[100, 100]", "[100000000000.001, 100]", "starting_stacks are 2"),
    "a negative stack": ("[100, 100]", "[-100, 100]", "starting_stacks -100 is not an amount"),
    "a negative ante": ("[0, 0]", "[-5, 0]", "antes -5 is not an amount"),
    "a bet of nothing": ("min_bet = 10", "min_bet = 0", "min_bet 0 must be above 0"),
    "a negative bet": ("min_bet = 10", "min_bet = -10", "min_bet -10 is not an amount"),
    "a truth that is none": ("min_bet", "ante_trimming_status = 3\nmin_bet", "true or false"),
    "a number that is none": ("min_bet", "hand = [1]\nmin_bet", "is not a whole number"),
    "names that are none": ("min_bet", "players = [1, 2]\nmin_bet", "names in quotes"),
    "a player that is none": ("p2 cbr", "p٢ cbr", "names no player"),
    "an endless ante": ("[0, 0]", "[inf, 0]", "antes Infinity is not an amount"),
}


@pytest.mark.parametrize("fault", NONE)
def test_what_is_no_amount_is_refused(fault: str) -> None:
    old, new, message = NONE[fault]
    with pytest.raises(InputError, match=message):
        phh.loads(SHORT.replace(old, new))


def test_an_endless_stack_covers_every_bet() -> None:
    text = (
        "variant = 'NT'\nantes = [0, 0]\nblinds_or_straddles = [5, 10]\nmin_bet = 10\n"
        "starting_stacks = [inf, 80]\n"
        "actions = ['d dh p1 AsKs', 'd dh p2 QhJh', 'p2 cbr 20', 'p1 cbr 500', 'p2 cc', "
        "'d db 2c3c4d', 'd db 9s', 'd db Td']\n"
    )
    (hand,) = phh.loads(text)
    assert hand.endless == {0}
    (result,) = notation.replay([hand])
    assert (result.status, result.finishing[1]) == ("open", 0)
    assert "starting_stacks = [inf, 80]" in phh.dumps(hand)


def test_the_hands_that_can_be_played_are_and_the_others_are_counted(tmp_path: Path) -> None:
    good, foul = SHORT, SHORT.replace("'p1 f'", "'p2 f'")
    omaha, torn = SHORT.replace("'NT'", "'PO'"), SHORT.replace("[100, 100]", "[100, 100")
    file = tmp_path / "hands.phhs"
    file.write_text(
        "\n".join(f"[{n}]\n{text}" for n, text in enumerate([good, omaha, torn, foul, good], 1))
    )
    checked = notation.verify_file(file)
    assert (checked.hands, checked.exact, checked.mismatches) == (2, 2, [])
    assert [str(fault)[len(str(file)) :] for fault in checked.faults] == [
        ", hand 2: variant 'PO' is not 'NT', no-limit hold'em",
        ", hand 3, line 25, column 1: not TOML (Unclosed array)",
        ", hand 4: action 4: p2 acts, but p1 is to act",
    ]
    for refused in (lambda: notation.verify_file(file, strict=True), lambda: notation.read(file)):
        with pytest.raises(InputError, match="hand 2: variant"):
            refused()
    file.write_text(f"[1]\n{omaha}")
    with pytest.raises(InputError, match="hand 1: variant"):
        notation.verify_file(file)


@pytest.mark.parametrize("packing", ["", ".gz", ".bz2", ".xz", ".zst"])
@pytest.mark.parametrize("ending", [".phhs", ".acpc", ".log"])
def test_files_are_written_and_read_packed_as_they_are_named(
    tmp_path: Path, ending: str, packing: str
) -> None:
    file = tmp_path / f"hands{ending}{packing}"
    hands = random_hands(Holdem(), 3)
    notation.write(file, hands)
    assert [hand.stacks for hand in notation.read(file)] == [hand.stacks for hand in hands]
    assert [result.status for result in notation.replay(notation.read(file))] == ["exact"] * 3


LINE = "STATE:7:r250c/r600f:AsKs|QhJh/2c3c4d:250|-250:A|B"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (LINE.replace("r600", "r200"), "r200 is not a raise: .*in some logs they count by street"),
        (LINE.replace("r250", "r0"), "r0 is not a raise"),
        (LINE.replace("r250", "r" + "9" * 25), "raise to .* is not a whole number"),
        (LINE.replace("r250", "r٢٥٠"), "betting .* must be of f, c, rN and /"),
        (LINE.replace("250|-250", "1/0|-250"), "are not amounts"),
        (LINE.replace("250|-250", "1e999999999|-250"), "are not amounts"),
        (f"# stack = {2**40} 1\n{LINE}", "stack .* is not a whole number"),
        (f"# blind = 0 0\n{LINE}", "the largest blind above 0"),
        ("MATCHSTATE:0:1:r250:AsKs|QhJh:x", "MATCHSTATE has position"),
    ],
)
def test_a_log_that_cannot_be_meant_is_refused(line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        acpc.loads(line)


def test_names_that_would_break_a_line_are_written_so_that_they_can_be_read() -> None:
    names = ("lm:runs/a|b?prompt=brief", "line\nend é%3A")
    (hand,) = random_hands(Holdem(), 1)
    text = acpc.dumps([replace(hand, players=names)])
    (back,) = acpc.loads(text)
    assert back.players == names
    assert [line.count(":") for line in text.splitlines() if line.startswith("STATE")] == [5]
    plain = acpc.dumps([replace(hand, players=("50%3A", "b"))])
    assert acpc.loads(plain)[0].players == ("50%3A", "b")


def test_a_score_may_leave_the_names_out_or_have_one_twice() -> None:
    other = LINE.replace("A|B", "A|A")
    for text in (f"{LINE}\nSCORE:250|-250", f"{other}\nSCORE:250|-250:A|A"):
        (hand,) = acpc.loads(text)
        assert [result.status for result in notation.replay([hand])] == ["exact"]
    assert acpc.loads(acpc.dumps([hand]))[0].players == ("A", "A")
    with pytest.raises(InputError, match=r"SCORE is 200\|-200"):
        acpc.loads(f"{LINE}\nSCORE:200|-200")


def test_what_the_dealer_tells_a_player_is_read_where_it_tells_the_end() -> None:
    told = "MATCHSTATE:0:0::AsKs|\nMATCHSTATE:0:0:r250c/:AsKs|/2c3c4d\n"
    told += "MATCHSTATE:0:0:r250c/r600f:AsKs|/2c3c4d\nMATCHSTATE:0:1:f:|QhJh\n"
    hands = acpc.loads(told)
    assert [(hand.number, hand.players, hand.finishing) for hand in hands] == [
        (0, None, None),
        (1, None, None),
    ]
    assert [result.finishing for result in notation.replay(hands)] == [
        (20250, 19750),
        (20050, 19950),
    ]


def test_a_phh_file_holds_one_hand(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds one hand, not 2"):
        notation.write(tmp_path / "two.phh", phh.loads(HAND) * 2)


def test_history_names_cards_as_the_engine_numbers_them() -> None:
    actions: Any = phh.loads(HAND)[0].actions
    assert actions[0] == Action("hole", 0, 0, tuple(parse("TcQc")))
