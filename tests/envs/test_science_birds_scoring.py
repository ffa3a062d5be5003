"""The competition's scores."""

import csv
import io
import json
import lzma

import numpy as np
import pytest

pytest.importorskip("Box2D")
pytest.importorskip("safetensors")

from arena.envs.errors import InputError
from arena.envs.science_birds import grid, text
from arena.envs.science_birds.scoring import Competition, score_folder
from arena.envs.science_birds.similarity import LETTERS


def table_of(path):
    return list(csv.DictReader(io.StringIO(lzma.decompress(path.read_bytes()).decode())))


@pytest.fixture(scope="module")
def edition2(arena_data):
    """The published measures of edition 2 as a competition, with the published trial scores."""
    rows = table_of(arena_data / "science_birds" / "edition2_trial_scores.csv.xz")
    teams = tuple(dict.fromkeys(row["teamName"] for row in rows))
    stability, similarity, published = (np.zeros((len(teams), 26, 10)) for _ in range(3))
    diversity = np.zeros((len(teams), 26))
    for row in rows:
        i, j, k = teams.index(row["teamName"]), LETTERS.index(row["character"]), int(row["trial"])
        stability[i, j, k - 1] = float(row["stabilityScore"])
        similarity[i, j, k - 1] = float(row["similarityScore"])
        published[i, j, k - 1] = float(row["trial_score"])
        diversity[i, j] = float(row["diversityScore"])
    return Competition(teams, LETTERS, stability, similarity, diversity), published


def test_edition_2_weights_come_out(edition2, arena_data):
    published = json.loads((arena_data / "science_birds" / "edition2_weights.json").read_text())
    names = ("weightStability", "weightSimilarity", "weightDiversity")
    expected = np.array([[float(w[name]) for name in names] for w in published["weights"]])
    assert np.abs(edition2[0].weights - expected).max() < 1e-12


def test_edition_2_trial_scores_come_out(edition2):
    competition, published = edition2
    assert np.abs(competition.trial_scores - published).max() < 1e-12


def test_edition_2_letter_scores_come_out(edition2, arena_data):
    competition = edition2[0]
    for row in table_of(arena_data / "science_birds" / "edition2_character_scores.csv.xz"):
        i, j = competition.teams.index(row["teamName"]), LETTERS.index(row["character"])
        assert abs(competition.letter_scores[i, j] - float(row["characterScore"])) < 1e-12


def test_edition_1_knows_no_diversity(edition2):
    """Two letters and two teams, by hand: w = (1 - mean stability)(1 - mean similarity)."""
    stability = np.array([[[1.0, 0.5], [0.0, 0.0]], [[0.0, 0.5], [1.0, 1.0]]])
    similarity = np.array([[[0.5, 0.5], [0.2, 0.2]], [[0.1, 0.1], [0.4, 0.4]]])
    first = Competition(("a", "b"), "AB", stability, similarity, np.ones((2, 2)), edition=1)
    weights = (0.5 * 0.7, 0.5 * 0.7)
    assert np.allclose(first.weights.prod(axis=1), weights)
    assert np.allclose(first.letter_scores, [[0.375 * 0.35, 0], [0.025 * 0.35, 0.4 * 0.35]])
    assert np.allclose(first.normalised, [100 * 0.375 / 0.8, 100 * 0.425 / 0.8])


def test_edition_1_reads_calls_of_its_own_function():
    assert text.read_program("```ab_drop('b31', 5)```", "ab_drop").tolist() == [
        grid.action("b31", 5)
    ]
    with pytest.raises(InputError, match=r"no call like ab_drop"):
        text.read_program("```drop_block('b31', 5)```", "ab_drop")


@pytest.mark.parametrize("call", ["drop_block('b31', \uff15)", "drop_bloc\u212a('b31', 5)"])
def test_a_call_is_written_in_ascii(call):
    with pytest.raises(InputError, match="holds no call"):
        text.read_program(f"```\n{call}\n```")


def test_edition_2_totals_come_out(edition2, arena_data):
    competition = edition2[0]
    published = json.loads((arena_data / "science_birds" / "edition2_result.json").read_text())
    named = {row["teamName"]: row for row in published}
    table = competition.table()
    assert [row["team"] for row in table[:3]] == ["TheAlmostEngineer", "ijbot", "SpiralTeam"]
    found = 0
    for row in table:
        names = [n for n in named if row["team"] in (n, n.split(" (")[0])]
        for name in names:
            found += 1
            assert abs(row["total"] - named[name]["promptScore"]) < 1e-12
            assert abs(row["normalised"] - named[name]["normalizedPromptScore"]) < 1e-11
    assert found >= 8


LETTER_I = grid.program([("b31", 5), ("b13", 5), ("b31", 5)])


def folder_of(path, answers):
    for (team, letter, trial), answer in answers.items():
        file = path / team / "raw" / letter / f"{team}_{letter}_{trial}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(answer)
    return path


def test_a_folder_is_scored_from_extraction_to_the_table(tmp_path):
    folder = folder_of(tmp_path, {
        ("good", "I", 1): "Sure!\n" + text.write_program(LETTER_I),
        ("good", "I", 2): text.write_program(grid.program([("b13", 2), ("b13", 2)])),
        ("bad", "I", 1): "no code",
        ("bad", "I", 2): "```\ndrop_block('b31', 0)\n```",
    })  # fmt: skip
    competition, failures = score_folder(folder, letters="I", trials=2)
    assert competition.teams == ("bad", "good")
    assert competition.stability.tolist() == [[[0.0, 0.0]], [[1.0, 1.0]]]
    assert competition.similarity[1].min() > 0.3
    assert 0 < competition.diversity[1, 0] < 1
    assert competition.normalised.tolist() == [0.0, 100.0]
    assert [reason for _, reason in failures] == [
        "the answer has no block fenced by ``` that holds drop_block calls",
        "the width boundary is intruded",
    ]


def test_a_missing_trial_scores_nothing(tmp_path):
    folder = folder_of(tmp_path, {("a", "I", 2): text.write_program(LETTER_I)})
    competition, _ = score_folder(folder, letters="I", trials=3)
    assert competition.stability.tolist() == [[[0.0, 1.0, 0.0]]]
    assert competition.diversity.tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("team/raw/AB/team_AB_1.txt", "not a folder named by a capital letter"),
        ("team/raw/A/first.txt", "is not named by its trial"),
        ("team/raw/A/team_A_11.txt", "there are trials 1 to 10"),
        ("team/answers/A/team_A_1.txt", "holds no team's answers"),
    ],
)
def test_a_folder_of_another_shape_is_refused_in_a_sentence(tmp_path, name, message):
    file = tmp_path / name
    file.parent.mkdir(parents=True)
    file.write_text("x")
    with pytest.raises(InputError, match=message):
        score_folder(tmp_path)


def test_the_grammar_reads_the_last_fenced_block_only():
    answer = (
        "```drop_block('b11', 1)```\nthen\n```python\nx = 1\nDROP_BLOCK(\"B31\",   5)\n"
        "drop_block('b13', 7)  # a leg\ndrop_block(b11, 3)\n```\ndrop_block('b11', 9)"
    )
    expected = grid.program([("b31", 5), ("b13", 7)])
    assert text.read_program(answer).tolist() == expected.tolist()
    assert text.read_program(text.write_program(expected)).tolist() == expected.tolist()


@pytest.mark.parametrize(
    "answer",
    [
        "drop_block('b11', 1)",
        "```x```",
        "```drop_block('b33', 1)```",
        "```drop_block('b11', 20)```",
        "```drop_block('b11', -1)```",
        "```drop_block('b11', " + "9" * 99 + ")```",
    ],
)
def test_answers_without_a_program_are_refused(answer):
    with pytest.raises(InputError):
        text.read_program(answer)
