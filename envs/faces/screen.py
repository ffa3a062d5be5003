"""What a face shows: words, a picture, or a window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.envs.errors import InputError

MODES = ("human", "ansi", "rgb_array")
FPS = 4


class Screen:
    """One render mode: ``human`` (a window), ``ansi`` (words), ``rgb_array``, or None.

    Raises:
        InputError: for another mode, or a window without pygame.
    """

    def __init__(self, mode: str | None) -> None:
        if mode is not None and mode not in MODES:
            raise InputError(f"render_mode={mode} is none of {', '.join(MODES)}")
        self.mode = mode
        self._window: Any = None

    def render(self, words: Callable[[], str], picture: Callable[[], NDArray[np.uint8]]) -> Any:
        """The words or the picture; None where a window shows it, or nothing is shown."""
        match self.mode:
            case "ansi":
                return words()
            case "rgb_array":
                return picture()
            case "human":
                self._show(picture())
        return None

    def refresh(self, picture: Callable[[], NDArray[np.uint8]]) -> None:
        """Let a window show what has come of a step."""
        if self.mode == "human":
            self._show(picture())

    def _show(self, picture: NDArray[np.uint8]) -> None:
        try:
            import pygame
        except ImportError as error:
            raise InputError("a window needs pygame: pip install pygame-ce") from error
        if self._window is None:
            pygame.display.init()
            self._window = pygame.display.set_mode(picture.shape[1::-1])
            self._clock = pygame.time.Clock()
        self._window.blit(pygame.surfarray.make_surface(picture.swapaxes(0, 1)), (0, 0))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(FPS)

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            import pygame

            pygame.display.quit()
            self._window = None
