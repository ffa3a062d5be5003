"""Every registered game keeps the contract, and the checker finds those that do not."""

from pathlib import Path

import numpy as np
import pytest

from arena.envs.conformance import check_game
from arena.envs.errors import InputError, NotConforming
from arena.envs.registry import game_names, make_game

# A game that is not named here is checked as its bare name makes it.
CONFIGURATIONS = {
    "gymnasium": [
        "gymnasium?id=CartPole-v1",
        "gymnasium?id=FrozenLake-v1",  # an ansi picture
        "gymnasium?id=Taxi-v3",  # a mask in info
        "gymnasium?id=Pendulum-v1",  # Box actions, a time limit
        "gymnasium?id=Blackjack-v1",  # a nested observation
    ],
    "aec": ["aec?id=classic/tictactoe-v3", "aec?id=classic/leduc_holdem-v4"],
    "parallel": ["parallel?id=classic/rps-v2"],
    "science_birds": ["science_birds?letters=IL,drops=10", "science_birds?mode=one_shot,drops=10"],
    "matrix": [f"matrix?file={Path(__file__).parent / 'pennies.json'}"],
    "holdem": [
        "holdem",
        "holdem?seats=6,ante=10,straddles=1,menu=0.33/0.75/1.5",
        "holdem?seats=9,hands=3,stacks=carry,stack=20",
        "holdem?seats=4,hands=4,stacks=rebuy,stack=3",
        "holdem?seats=3,format=sit_and_go,stack=10,hands_per_level=3,prizes=0.7/0.3",
    ],
}
SPECS = [spec for name in game_names() for spec in CONFIGURATIONS.get(name, [name])]


@pytest.mark.parametrize("spec", SPECS)
def test_a_registered_game_keeps_the_contract(spec):
    try:
        game = make_game(spec)
    except InputError as error:
        if isinstance(error.__cause__, ImportError):
            pytest.skip(str(error))  # an extra is missing
        raise
    tables = 2 if spec.startswith("science_birds") else 4  # a level is simulated block by block
    assert check_game(game, tables=tables).decisions > 0


@pytest.mark.parametrize(
    ("spec", "offers"),
    [
        ("holdem", {"copy", "redeal", "facts"}),
        ("rtb", {"copy", "redeal", "facts"}),
        ("errand", {"copy", "redeal", "facts"}),
        ("gridworld", {"copy"}),  # nobody can draw the rooms that are out of sight
        ("gymnasium?id=CartPole-v1", {"copy"}),  # by playing its path again
    ],
)
def test_a_game_says_which_optional_parts_it_has(spec, offers):
    assert make_game(spec).offers == offers


def test_a_third_partys_game_is_found_and_keeps_the_contract(nim_plugin):
    assert "nim" in game_names()
    assert check_game(make_game("nim?most=4")).ended == 4


def broken(fault):
    """Nim with one method of its tables replaced."""
    from nim.game import Nim, NimTables

    class Tables(NimTables):
        pass

    class Broken(Nim):
        def tables(self, capacity):
            return Tables(self, capacity)

    fault(Tables, NimTables)
    return Broken()


def leaking_between_tables(tables, nim):
    def step(self, at, seats, actions):
        nim.step(self, at, seats, actions)
        self.stones[-1] = max(self.stones[-1] - 1, 1)

    tables.step = step


def remembering_the_last_episode(tables, nim):
    def begin(self, at, seeds):
        won_before = self.returns[at].sum(axis=1).astype(int)
        nim.begin(self, at, seeds)
        self.stones[at] -= won_before

    tables.begin = begin


def looking_at_the_slot(tables, nim):
    def begin(self, at, seeds):
        nim.begin(self, at, seeds)
        self.stones[at] += at % 2 - 1

    tables.begin = begin


def drawing_from_global_randomness(tables, nim):
    def begin(self, at, seeds):
        nim.begin(self, at, np.random.default_rng().integers(0, 2**63, len(at)).astype(np.uint64))

    tables.begin = begin


def masking_what_is_legal(tables, nim):
    tables.action_mask = lambda self, at, seats: nim.action_mask(self, at, seats)[:, ::-1]
    tables.legal = lambda self, at, seats, a: np.array(
        [
            isinstance(x, np.integer) and 0 <= x < min(3, self.stones[t])
            for t, x in zip(at, a, strict=True)
        ]
    )


def reading_too_much(tables, nim):
    tables.parse = lambda self, at, seat, answer: int("".join(filter(str.isdigit, answer)) or 1) - 1


def describing_wrongly(tables, nim):
    tables.describe = lambda self, at, seat, action: f"take {action}"


def seeing_outside_of_the_space(tables, nim):
    tables.observe = lambda self, at, seats: {"stones": self.stones[at] + 20}


def showing_its_own_memory(tables, nim):
    shown = {}

    def observe(self, at, seats):
        key = at.tobytes(), self.stones[at].tobytes()
        return {"stones": shown.setdefault(key, self.stones[at])}

    tables.observe = observe


def picturing_in_numpy(tables, nim):
    tables.frame = lambda self, at, seat=None: {"stones": self.stones[at]}


def asking_who_forfeited(tables, nim):
    tables.forfeit = lambda self, at, seats: None


def asking_when_done(tables, nim):
    tables.to_act = lambda self: (np.arange(self.capacity), self.seat)


def showing_what_is_hidden(tables, nim):
    def redeal(self, at, seats, seeds):
        self.stones[at] = 1 + seeds % 20

    tables.redeal = redeal


def truncating_what_goes_on(tables, nim):
    def step(self, at, seats, actions):
        nim.step(self, at, seats, actions)
        self.truncated[at] = True

    tables.step = step


def giving_no_reasons(tables, nim):
    tables.why_not = lambda self, at, seat, action: None


def giving_reasons_against_what_is_legal(tables, nim):
    tables.why_not = lambda self, at, seat, action: "it would be unwise"


def telling_facts_in_numpy(tables, nim):
    tables.facts = lambda self, at, seat: {"stones": self.stones[at]}


def copying_only_a_part(tables, nim):
    tables.state = ("stones",)


def copying_by_playing_on(tables, nim):
    def copy(self, at, into, slots=None):
        nim.copy(self, at, into, slots)
        self.stones[at] -= 1

    tables.copy = copy


def advancing_otherwise(tables, nim):
    def advance(self, at, seats, actions, seeds):
        return nim.advance(self, at, seats, actions, seeds + np.uint64(1))

    tables.advance = advance


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (leaking_between_tables, "another|outside|allows"),
        (remembering_the_last_episode, "another"),
        (looking_at_the_slot, "another"),
        (drawing_from_global_randomness, "another"),
        (masking_what_is_legal, "mask"),
        (reading_too_much, "reads"),
        (describing_wrongly, "reads|describes"),
        (seeing_outside_of_the_space, "outside"),
        (showing_its_own_memory, "has written into"),
        (picturing_in_numpy, "JSON"),
        (asking_who_forfeited, "has forfeited"),
        (asking_when_done, "idle|done"),
        (showing_what_is_hidden, "hidden"),
        (truncating_what_goes_on, "truncated and not done"),
        (giving_no_reasons, "does not say why"),
        (giving_reasons_against_what_is_legal, "says why it is not"),
        (telling_facts_in_numpy, "facts"),
        (copying_only_a_part, "copy differs"),
        (copying_by_playing_on, "copy"),
        (advancing_otherwise, "advance"),
    ],
)
def test_the_checker_finds_a_game(fault, says, nim_plugin):
    with pytest.raises(NotConforming, match=says):
        check_game(broken(fault))
