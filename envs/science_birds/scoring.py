"""ChatGPT4PCG's scores: weights over all teams, trial, letter, total and normalised scores.

With T trials of C letters by each team: the weight of a letter is the product, over stability,
similarity and diversity, of max(1 − mean over all teams, 1/C); a trial scores weight × stability ×
similarity, a letter diversity × mean trial score, a team the mean over letters. Normalised scores
are percentages of the sum over teams. The first edition knew no diversity: it is left out of the
weights and of a letter's score there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.envs import outside
from arena.envs.errors import InputError
from arena.envs.science_birds.assessment import Assessment, assess, failed
from arena.envs.science_birds.similarity import LETTERS, diversity
from arena.envs.science_birds.text import FUNCTIONS, read_program

TRIALS = 10
LONGEST_ANSWER = 1_000_000
"""Bytes; a raw answer that is longer than this is no answer (25,000 tokens are a tenth of it)."""

Floats = NDArray[np.float64]
Edition = Literal[1, 2]


@dataclass(frozen=True)
class Competition:
    """The measures of all teams and the scores that follow from them.

    Attributes:
        teams, letters: what the axes stand for.
        stability, similarity: float64 ``(teams, letters, trials)``.
        diversity: float64 ``(teams, letters)``.
        edition: of the competition, whose formula holds.
    """

    teams: tuple[str, ...]
    letters: str
    stability: Floats
    similarity: Floats
    diversity: Floats
    edition: Edition = 2

    def __post_init__(self) -> None:
        shape = (len(self.teams), len(self.letters))
        if self.stability.shape[:2] != shape or self.diversity.shape != shape:
            raise ValueError("measures do not fit the teams and letters")
        if self.similarity.shape != self.stability.shape:
            raise ValueError("stability and similarity differ in shape")

    @property
    def weights(self) -> Floats:
        """Each letter's weights for stability, similarity and diversity, ``(letters, 3)``.

        In the first edition for stability and similarity, ``(letters, 2)``.
        """
        means = [self.stability.mean(axis=(0, 2)), self.similarity.mean(axis=(0, 2))]
        if self.edition == 2:
            means.append(self.diversity.mean(axis=0))
        return np.asarray(np.maximum(1 - np.stack(means, axis=1), 1 / len(self.letters)))

    @property
    def trial_scores(self) -> Floats:
        """``(teams, letters, trials)``."""
        return np.asarray(self.weights.prod(axis=1)[:, None] * self.stability * self.similarity)

    @property
    def letter_scores(self) -> Floats:
        """``(teams, letters)``."""
        means = self.trial_scores.mean(axis=2)
        return np.asarray(self.diversity * means if self.edition == 2 else means)

    @property
    def totals(self) -> Floats:
        """``(teams,)``."""
        return np.asarray(self.letter_scores.mean(axis=1))

    @property
    def normalised(self) -> Floats:
        """Percentages, ``(teams,)``; zeros where no team scored."""
        total = self.totals.sum()
        return 100 * (self.totals / (total if total > 0 else 1.0))

    def table(self) -> list[dict[str, str | float]]:
        """A row for each team, best first: normalised score, total, and mean measures."""
        order = sorted(range(len(self.teams)), key=lambda i: (-self.totals[i], self.teams[i]))
        normalised, totals = self.normalised, self.totals
        return [
            {
                "team": self.teams[i],
                "normalised": float(normalised[i]),
                "total": float(totals[i]),
                "stability": float(self.stability[i].mean()),
                "similarity": float(self.similarity[i].mean()),
                "diversity": float(self.diversity[i].mean()),
            }
            for i in order
        ]


def measure(
    assessments: Mapping[str, Mapping[str, Sequence[Assessment]]],
    *,
    letters: str = LETTERS,
    trials: int = TRIALS,
    edition: Edition = 2,
) -> Competition:
    """The competition among teams: team → letter → assessments of its trials.

    Trials that are missing score 0. A trial that built no level has no picture, so it counts
    nothing towards diversity.
    """
    teams = tuple(assessments)
    stability = np.zeros((len(teams), len(letters), trials))
    similarity = np.zeros_like(stability)
    spread = np.zeros(stability.shape[:2])
    for i, team in enumerate(teams):
        for j, letter in enumerate(letters):
            row = assessments[team].get(letter, ())
            if len(row) > trials:
                raise InputError(f"{team} has {len(row)} trials of {letter}; at most {trials}")
            for k, assessed in enumerate(row):
                stability[i, j, k] = assessed.stability
                similarity[i, j, k] = assessed.similarity(letter)
            spread[i, j] = diversity([a.embedding for a in row if not a.failure])
    return Competition(teams, letters, stability, similarity, spread, edition)


_TRIAL = re.compile(r".*_([0-9]{1,4})\.(?:txt|md)")


def answers(folder: Path) -> Iterator[tuple[str, str, int, Path]]:
    """The raw answers in a competition's folder: team, letter, trial from 1, file.

    The folder holds ``team/raw/A/team_A_1.txt``. Raises InputError where it does not.
    """
    teams = sorted(p for p in _listed(folder) if (p / "raw").is_dir())
    if not teams:
        raise InputError(f"{folder} holds no team's answers; expected e.g. team/raw/A/team_A_1.txt")
    for team in teams:
        for letter in _listed(team / "raw"):
            if len(letter.name) != 1 or letter.name not in LETTERS or not letter.is_dir():
                raise InputError(f"{letter} is not a folder named by a capital letter")
            for file in _listed(letter):
                match = _TRIAL.fullmatch(file.name)
                if match is None:
                    raise InputError(f"{file} is not named by its trial, e.g. team_A_1.txt")
                yield team.name, letter.name, int(match[1]), file


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"{folder} cannot be listed ({error.strerror})") from error


def assess_answer(answer: str, edition: Edition = 2) -> Assessment:
    """Extract, build, let fall and read; an answer without a level is a failure, not an error."""
    try:
        drops = read_program(answer, FUNCTIONS[edition])
    except InputError as error:
        return failed(str(error))
    return assess(drops)


def score_folder(
    folder: Path,
    *,
    letters: str = LETTERS,
    trials: int = TRIALS,
    edition: Edition = 2,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Competition, list[tuple[Path, str]]]:
    """Score a competition's folder of raw answers, from extraction to the table.

    ``edition`` says which calls are read and which formula holds. ``progress`` is told how many
    answers of how many are scored. Returns the competition, and the files that built no level with
    the reasons.
    """
    collected: dict[str, dict[str, list[Assessment]]] = {}
    failures: list[tuple[Path, str]] = []
    found = list(answers(folder))
    progress(0, len(found))
    for number, (team, letter, trial, file) in enumerate(found, 1):
        row = collected.setdefault(team, {}).setdefault(letter, [failed("missing")] * trials)
        if not 1 <= trial <= trials:
            raise InputError(f"{file} is trial {trial}; there are trials 1 to {trials}")
        assessed = assess_answer(read_answer(file), edition)
        row[trial - 1] = assessed
        if assessed.failure:
            failures.append((file, assessed.failure))
        progress(number, len(found))
    competition = measure(collected, letters=letters, trials=trials, edition=edition)
    return competition, failures


def read_answer(file: Path) -> str:
    """A model's answer in a file, nothing where it is too long; InputError where there is none."""
    if file.is_file() and file.stat().st_size > LONGEST_ANSWER:
        return ""
    return outside.read_bytes(file).decode("utf-8-sig", "replace")
