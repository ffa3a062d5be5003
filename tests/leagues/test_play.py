"""A match is a function of its seed and its agents, and no agent can spoil another's."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from arena.envs.holdem.tables import HoldemTables
from arena.leagues import notes, recording, replay, runner
from arena.leagues.block import Timing
from arena.leagues.league import League
from arena.leagues.match import Match, Result, Status, seatings
from arena.leagues.play import Roster, play


def results(league: League, capacity: int = 1024) -> dict[frozenset[str], list[Result]]:
    """All results of a league, by the names of who met, in order of deals."""
    roster = runner.roster(league)
    game, agents = roster.build()
    pairings = league.make_schedule().pairings(game.seats, len(league.entrants), league.seed, ())
    matches = [runner.make_match(league, game.seats, pairing) for pairing in pairings or ()]
    out: dict[frozenset[str], list[Result]] = {}
    for result in play(game, agents, matches, roster.agents, clock=league.clock, capacity=capacity):
        names = frozenset(league.names[key] for key in result.match.entrants)
        out.setdefault(names, []).append(result)
    for found in out.values():
        found.sort(key=lambda result: result.match.first_deal)
    return out


def facts(result: Result) -> tuple[bytes, bytes, bytes, int]:
    return (
        result.returns.tobytes(),
        result.tiebreaks.tobytes(),
        result.statuses.tobytes(),
        result.decisions,
    )


def lines(result: Result) -> list[dict[str, object]]:
    """The replay without the times, which alone may differ."""
    record = replay.read(result.replay, "test")
    return [
        {key: value for key, value in decision.items() if key != "ms"}
        for episode in record.episodes
        for decision in episode.decisions
    ]


def of(found: dict[frozenset[str], list[Result]], *names: str) -> list[Result]:
    return found[frozenset(names)]


def test_a_result_does_not_depend_on_the_block_it_is_played_in(make_league):
    together = results(make_league(["random", "first", "wordy"]))
    alone = results(make_league(["random", "first"]), capacity=1)
    for a, b in zip(of(together, "random", "first"), of(alone, "random", "first"), strict=True):
        assert facts(a) == facts(b)
        assert lines(a) == lines(b)


def test_another_seed_gives_another_match(make_league):
    one, other = (
        of(results(make_league(["random", "first"], seed=s)), "random", "first") for s in (1, 2)
    )
    assert facts(one[0]) != facts(other[0])


def test_a_deal_is_replayed_with_the_seats_swapped_on_the_same_cards(make_league):
    """Two copies of one player earn nothing from each other over a deal's seatings."""
    league = make_league(["random"] * 1 + ["first"])
    roster = runner.roster(league)
    game, agents = roster.build()
    key = league.entrants[0].identity.key
    match = Match(
        league.game, game.version, (key, key), ("random", "random"), 7, 0, 50, seatings(2, 2)
    )
    (result,) = play(game, agents, [match], roster.agents)
    first_seating = result.returns[:, 0]
    assert (first_seating != 0).any()
    assert np.array_equal(first_seating, result.returns[:, 1])


def test_every_replay_plays_out_alike(make_league):
    for found in results(make_league(["random", "first", "wordy", "illegal", "crash"])).values():
        for result in found:
            assert replay.verify(replay.read(result.replay, "test")) == []


@pytest.mark.parametrize(
    ("agent", "status"),
    [
        ("illegal", Status.ILLEGAL),
        ("crash", Status.CRASH),
        ("short", Status.CRASH),
        ("quitter", Status.CRASH),
    ],
)
def test_a_failing_agent_forfeits_every_deal_and_stops_nobody(make_league, agent, status):
    found = results(make_league([agent, "first", "random"]))
    result = of(found, agent, "first")[0]
    loser = result.match.specs.index(agent)
    for turn, seating in enumerate(result.match.seatings):
        seat = seating.index(loser)
        # Heads-up seat 1 is the first to act, in every deal.
        expected = status if seat == 1 else Status.DONE
        assert (result.statuses[:, turn, seat] == expected).all()
        assert (result.statuses[:, turn, 1 - seat] == Status.DONE).all()
    assert (of(found, "first", "random")[0].statuses == Status.DONE).all()


def test_a_crash_at_one_table_costs_that_table_only(make_league):
    """The answers of a flaky agent at other tables are those it would have given alone."""
    together = of(results(make_league(["flaky", "random"])), "flaky", "random")
    alone = of(results(make_league(["flaky", "random"]), capacity=1), "flaky", "random")
    crashed = sum(int((r.statuses == Status.CRASH).sum()) for r in together)
    assert 0 < crashed < sum(r.statuses.size for r in together) // 2
    for a, b in zip(together, alone, strict=True):
        assert facts(a) == facts(b)


def test_an_agent_may_say_that_it_has_no_answer(make_league):
    """It forfeits that deal, and is asked again in the next."""
    (result, *_) = of(results(make_league(["silent", "first"])), "silent", "first")
    timeouts = (result.statuses == Status.TIMEOUT).any(axis=(1, 2))
    assert timeouts.any()
    assert not timeouts.all()


def test_an_answer_of_its_own_at_one_table_does_not_bar_it_at_others(make_league):
    """Asked one by one, a reported time-out is that table's; only the clock ends the batch."""
    together = of(results(make_league(["patchy", "first"])), "patchy", "first")
    alone = of(results(make_league(["patchy", "first"]), capacity=1), "patchy", "first")
    for a, b in zip(together, alone, strict=True):
        assert (a.statuses == Status.TIMEOUT).any()
        assert facts(a) == facts(b)


@pytest.mark.parametrize("agent", ["unready", "sore"])
def test_who_fails_as_its_episodes_begin_or_end_forfeits_them(make_league, agent):
    (result, *_) = of(results(make_league([agent, "first"])), agent, "first")
    loser = result.match.specs.index(agent)
    for turn, seating in enumerate(result.match.seatings):
        seat = seating.index(loser)
        assert (result.statuses[:, turn, seat] == Status.CRASH).all()
        assert (result.statuses[:, turn, 1 - seat] == Status.DONE).all()


def test_an_interrupt_is_the_users_and_no_forfeit(make_league):
    with pytest.raises(KeyboardInterrupt):
        results(make_league(["interrupted", "first"]))


def test_probabilities_may_be_lists(make_league):
    (result, *_) = of(results(make_league(["listed", "first"])), "listed", "first")
    assert (result.statuses == Status.DONE).all()


@pytest.mark.parametrize("agent", ["ragged", "narrow", "unwritable", "mumbling", "confused"])
def test_answers_that_are_none_are_crashes(make_league, agent):
    """Probabilities of another shape, notes that are none, a failure nobody knows."""
    (result, *_) = of(results(make_league([agent, "first"])), agent, "first")
    assert (result.statuses == Status.CRASH).any()
    record = replay.read(result.replay, "test")
    errors = [d["notes"]["error"] for e in record.episodes for d in e.decisions if "status" in d]
    assert errors


def test_the_clock_stands_still_while_a_kernel_is_compiled(make_league):
    """Whoever comes first on a fresh machine must not forfeit for it."""
    league = make_league(["compiler", "first"], clock=0.2)
    (result, *_) = of(results(league), "compiler", "first")
    assert (result.statuses == Status.DONE).all()


@pytest.mark.parametrize("agent", ["timeout", "stubborn", "swallower", "sleeper"])
def test_the_clock_interrupts_who_hangs_once_and_asks_no_more(make_league, agent):
    league = make_league([agent, "random"], clock=0.3)
    roster, timing = runner.roster(league), Timing()
    game, agents = roster.build()
    matches = [
        runner.make_match(league, 2, pairing)
        for pairing in league.make_schedule().pairings(2, 2, 7, ()) or ()
    ]
    found = list(play(game, agents, matches, roster.agents, clock=0.3, capacity=1, timing=timing))
    assert timing.agents < 4  # not one clock for each of 40 tables
    for result in found:
        assert (result.statuses == Status.TIMEOUT).any()


def test_an_agent_is_told_when_its_tables_begin_and_end(make_league):
    (result, *_) = of(
        results(make_league(["rememberer", "random"]), capacity=7), "rememberer", "random"
    )
    assert (result.statuses == Status.DONE).all()


def test_notes_and_probabilities_are_in_the_replay(make_league):
    (result, *_) = of(results(make_league(["wordy", "first"])), "wordy", "first")
    record = replay.read(result.replay, "test")
    noted = [d for e in record.episodes for d in e.decisions if "notes" in d]
    assert noted
    for decision in noted:
        assert decision["notes"]["answer"] == f"seat {decision['seat']}"
        assert sum(decision["probabilities"]) == pytest.approx(1, abs=1e-3)


def test_probabilities_are_kept_as_they_were_given(make_league):
    """As float32 in its shortest form: what is read is what was given."""
    (result, *_) = of(results(make_league(["wordy", "first"])), "wordy", "first")
    for episode in replay.read(result.replay, "test").episodes:
        for decision in episode.decisions:
            if "notes" in decision:
                share = np.float32(1 / len(decision["legal"]))
                given = np.float32(decision["probabilities"])
                assert given[decision["legal"]].tolist() == [share] * len(decision["legal"])


@pytest.mark.parametrize("note", [{"prompt": "é" * 10**6, "tokens": 7}, {"x": ["\0"] * 10**6}])
def test_a_long_note_is_cut_and_says_so(note):
    """In every language, and where JSON makes six characters of one."""
    (text,) = notes.written([note], 1)
    kept = orjson.loads(text)
    assert len(text) <= notes.LONGEST
    assert kept["cut"] == len(orjson.dumps(note))
    assert kept.get("tokens") == note.get("tokens")
    assert all(
        str(value).endswith("(cut)") for key, value in kept.items() if key in ("prompt", "x")
    )


def test_a_match_has_room_for_so_many_notes(make_league, monkeypatch):
    """Its replay could not be read otherwise."""
    monkeypatch.setattr(recording, "_MOST_NOTES", 200)
    (result, *_) = of(results(make_league(["wordy", "first"])), "wordy", "first")
    record = replay.read(result.replay, "test")
    found = [d["notes"] for e in record.episodes for d in e.decisions if "notes" in d]
    kept = [note for note in found if "cut" not in note]
    assert 0 < len(kept) < len(found)
    assert sum(len(orjson.dumps(note)) for note in kept) <= 200


def test_notes_of_too_many_names_leave_only_the_mark():
    (text,) = notes.written([{str(number): "" for number in range(10**5)}], 1)
    assert set(orjson.loads(text)) == {"cut"}


def test_a_solo_game_is_a_race_of_all_on_the_same_deals(make_league):
    league = make_league(
        ["random", "first"], game="gymnasium?id=CartPole-v1", deals=4, deals_per_match=4
    )
    (result,) = next(iter(results(league).values()))
    assert result.returns.shape == (4, 2, 1)
    assert (result.returns > 0).all()


def test_a_simultaneous_game_asks_all_seats_together(make_league):
    league = make_league(["random", "first"], game="parallel?id=classic/rps-v2", deals=4)
    for found in results(league).values():
        for result in found:
            assert replay.verify(replay.read(result.replay, "test")) == []


def test_a_return_that_is_no_number_ends_the_league(make_league, monkeypatch):
    stepped = HoldemTables.step

    def step(self, *turns):
        stepped(self, *turns)
        self.returns.fill(np.nan)

    monkeypatch.setattr(HoldemTables, "step", step)
    with pytest.raises(RuntimeError, match=r"game holdem: .* not a finite number"):
        results(make_league(["random", "first"]))


def test_a_game_that_waits_for_nobody_ends_the_league(make_league, monkeypatch):
    nobody = np.zeros(0, np.int64)
    monkeypatch.setattr(HoldemTables, "to_act", lambda self: (nobody, nobody))
    with pytest.raises(RuntimeError, match=r"game holdem: .* wait for nobody"):
        results(make_league(["random", "first"]))


def test_a_clock_needs_the_main_thread():
    import threading

    failure: list[BaseException] = []

    def body() -> None:
        from arena.agents.registry import identify

        who = identify("random")
        game, agents = Roster("holdem", {who.key: who}).build()
        match = Match(
            "holdem", game.version, (who.key,) * 2, ("random",) * 2, 0, 0, 1, seatings(2, 2)
        )
        try:
            list(play(game, agents, [match], {who.key: who}, clock=1.0))
        except RuntimeError as error:
            failure.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert "main thread" in str(failure[0])
