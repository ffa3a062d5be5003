"""Leagues from Python: the same matches as the command line's, as data frames."""

from pathlib import Path

import pytest

from arena import league
from arena.cli import main
from arena.envs.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def played():
    return league("kuhn", {"chance": "random", "one": "first"}, deals=60, seed=3).run()


def test_ratings_are_a_frame_with_a_row_for_each_agent_and_intervals(played):
    ratings = played.ratings
    assert set(ratings.index) == {"chance", "one"}
    assert (ratings["rating_low"] <= ratings["rating"]).all()
    assert (ratings["rating"] <= ratings["rating_high"]).all()
    assert ratings["deals"].tolist() == [60, 60]
    assert "chance" in played._repr_html_()


def test_matches_hold_every_seat_of_every_deal_and_sum_to_zero(played):
    matches = played.matches
    assert len(matches) == 60 * 2 * 2
    assert matches.groupby(["match", "deal", "seating"])["return"].sum().abs().max() == 0
    assert set(matches["status"]) == {"done"}
    mean = matches.groupby("agent")["return"].mean()
    scale = played.league.make_game().unit_scale
    assert played.payoffs.loc["chance", "one"] == pytest.approx(scale * mean["chance"])
    assert played.win_rates.loc["chance", "one"] + played.win_rates.loc["one", "chance"] == (
        pytest.approx(1)
    )


def test_a_store_is_continued_and_read_by_the_command_line(tmp_path, capsys):
    store = tmp_path / "mine.db"
    seen = []
    league("rps", ["random", "first"], deals=10, store=store).run()
    league("rps", ["random", "first"], deals=10, store=store).run(
        progress=lambda played, total: seen.append((played, total))
    )
    assert seen == [(1, 1)]
    assert main(["tournament", "table", "--store", str(store)]) == 0
    assert "first" in capsys.readouterr().out


def test_what_a_league_file_would_be_refused_for_is_refused():
    with pytest.raises(InputError, match="rnadom"):
        league("kuhn", ["rnadom", "first"])


def test_the_notebook_runs():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(EXAMPLES / "league.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": "."}}).execute()
    outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
    assert all(outputs[1:])  # every cell but the imports shows something
