"""A league's configuration is read as it is written, by whoever wrote it."""

from pathlib import Path

import pytest

from arena.envs.errors import InputError
from arena.envs.registry import make_game, trust
from arena.leagues.league import load

TEXT = """\
name: no
game: holdem?seats=2
seed: 010
clock: ~
agents:
- {name: on, spec: call}
- {name: 1:30, spec: fold}
- {name: 010, spec: allin}
- {name: ~, spec: random}
- {name: 2.50, spec: rock}
"""


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_names_are_those_that_are_written(tmp_path: Path, start: str) -> None:
    file = tmp_path / "league.yaml"
    file.write_text(start + TEXT)
    league = load(str(file))
    assert league.name == "no"
    assert [entrant.name for entrant in league.entrants] == ["on", "1:30", "010", "~", "2.50"]
    assert (league.seed, league.clock) == (10, None)


def test_a_module_is_imported_where_the_user_names_it_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("named_by_me", "named_by_a_record"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    record = "gymnasium?id=named_by_a_record:Some-v0"
    with pytest.raises(InputError, match="would import the module named_by_a_record"):
        make_game(record)
    trust("gymnasium?id=named_by_me:Some-v0")
    with pytest.raises(RuntimeError, match="imported"):
        make_game("gymnasium?id=named_by_me:Other-v0")
    monkeypatch.setenv("ARENA_MODULES", "numpy,named_by_a_record")
    with pytest.raises(RuntimeError, match="imported"):
        make_game(record)
