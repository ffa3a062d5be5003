"""Science Birds leagues by the competition's formula."""

import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from arena.agents.registry import make_agent
from arena.envs.errors import InputError
from arena.envs.registry import make_game
from arena.envs.science_birds.scoring import measure
from arena.evaluation.letters.levels import play_letters, score_league
from arena.leagues import runner
from arena.leagues.executors import make_executor
from arena.leagues.league import League
from arena.leagues.store import Store

CONFIG = {
    "name": "letters",
    "game": "science_birds?letters=HIL,trials=2",
    "seed": 5,
    "agents": ["birds_vocabulary", "random", "illegal"],
    "schedule": {"deals": 6, "deals_per_match": 3},
}


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    league = League.from_config(CONFIG, "test")
    store = Store(str(tmp_path_factory.mktemp("letters") / "arena.db"), create=True)
    with make_executor(runner.roster(league), 0) as executor:
        list(runner.run(league, store, executor))
    return store, league


def test_a_recorded_league_is_scored_from_its_replays(played):
    competition = score_league(*played, trials=2)
    assert set(competition.teams) == {"birds_vocabulary", "random", "illegal"}
    assert set(competition.letters) <= set("HIL")
    table = competition.table()
    assert table[0]["team"] == "birds_vocabulary"
    assert table[0]["stability"] > 0.9
    assert next(row["total"] for row in table if row["team"] == "illegal") == 0


def test_trials_beyond_those_scored_are_left_out(played):
    assert score_league(*played, trials=1).stability.shape[2] == 1


def test_another_game_has_no_letters(tmp_path):
    config = {**CONFIG, "game": "gymnasium?id=CartPole-v1", "agents": ["random", "first"]}
    league = League.from_config(config, "test")
    with pytest.raises(InputError, match="only science_birds has letters"):
        score_league(Store(str(tmp_path / "a.db"), create=True), league)


def test_an_illegal_answer_costs_the_letter():
    game = make_game("science_birds?letters=IL")
    built = dict(play_letters(game, {"illegal": make_agent("illegal", game)}, 0))
    assert measure(built, letters="IL", trials=1).totals.tolist() == [0.0]


def test_all_agents_meet_the_same_letters_and_seeds():
    game = make_game("science_birds?letters=QXZ")
    pair = {name: make_agent("random", game) for name in ("a", "b")}
    built = dict(play_letters(game, pair, 7))
    assert list(built["a"]) == ["Q", "X", "Z"]
    for letter in "QXZ":
        a, b = built["a"][letter][0], built["b"][letter][0]
        assert (a.stability, a.embedding.tobytes()) == (b.stability, b.embedding.tobytes())
