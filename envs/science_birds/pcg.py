"""Science Birds as a problem of content generation, with pcg_benchmark's face.

Content is a whole program of drops, control a letter: quality is how stable the level is,
controllability how much it looks like the letter, diversity how far it is from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from arena.envs.science_birds.assessment import Assessment, assess
from arena.envs.science_birds.game import ProgramSpace
from arena.envs.science_birds.grid import STOP, Program
from arena.envs.science_birds.similarity import LETTERS


@dataclass(frozen=True)
class Evaluation:
    """Measures of contents, each float64 ``(n,)`` in 0 to 1.

    Attributes:
        quality: stability.
        diversity: mean cosine distance of the embedding from those of the other contents.
        controllability: probability of the letter that was asked for; 0 without controls.
        infos: everything known of each level.
    """

    quality: NDArray[np.float64]
    diversity: NDArray[np.float64]
    controllability: NDArray[np.float64]
    infos: Sequence[Assessment]


class LetterProblem:
    """The generation of letters.

    Attributes:
        content_space: programs of up to ``drops`` drops (see ``game.Programs``).
        control_space: ``{"letter": 0 … 25}``.
    """

    def __init__(self, drops: int = 40, seed: int | None = None) -> None:
        self.content_space = ProgramSpace(drops, seed=seed)
        self.control_space = spaces.Dict({"letter": spaces.Discrete(len(LETTERS))}, seed=seed)

    def evaluate(
        self, contents: Sequence[Program], controls: Sequence[dict[str, Any]] | None = None
    ) -> Evaluation:
        """Build each content, let it fall, look at it; ``controls[i]`` is what it should be."""
        if controls is not None and len(controls) != len(contents):
            raise ValueError(f"{len(controls)} controls for {len(contents)} contents")
        infos = []
        for content in contents:
            program = np.asarray(content, np.int64)
            infos.append(assess(program[program != STOP]))
        vectors = np.array([info.embedding for info in infos]).reshape(len(infos), -1)
        lengths = np.linalg.norm(vectors, axis=1)
        unit = vectors / np.where(lengths > 0, lengths, 1.0)[:, None]
        others = max(len(infos) - 1, 1)
        similar = (unit @ unit.sum(axis=0) - (unit * unit).sum(axis=1)) / others
        built = lengths > 0
        asked = [0.0] * len(infos)
        if controls is not None:
            asked = [
                float(info.probabilities[control["letter"]])
                for info, control in zip(infos, controls, strict=True)
            ]
        return Evaluation(
            np.array([info.stability for info in infos]),
            np.where(built, np.clip(1 - similar, 0, 1), 0.0) * (len(infos) > 1),
            np.array(asked),
            infos,
        )
