"""What reasoning models think before they answer, in the marks that their families use.

The answer is what stands after the last thought. A chat template may open the thought itself, so
that only its end is seen; a thought that is not closed is no answer, whatever stands in it.
"""

from __future__ import annotations

import re

from arena.envs.errors import InputError

_NAMES = "(?:seed:)?(?:think|thinking|thought|reasoning)"
_OPENED = re.compile(
    rf"<{_NAMES}\s*>|\[THINK\]|◁think▷|<unused94>|<\|START_THINKING\|>", re.IGNORECASE
)
_CLOSED = re.compile(
    rf"</{_NAMES}\s*>|\[/THINK\]|◁/think▷|<unused95>|<\|END_THINKING\|>", re.IGNORECASE
)
# Harmony (gpt-oss): the thought is in a channel of its own, the answer in the one called final.
_CHANNEL = "<|channel|>"
_FINAL = re.compile(
    r"<\|channel\|>\s*final\b.*?<\|message\|>(.*?)(?:<\|(?:end|return|call|start|channel)\|>|\Z)",
    re.DOTALL,
)


def answer_in(text: str) -> str:
    """What a model wrote after it had thought; InputError where it has not come to that."""
    if _CHANNEL in text:
        finals = _FINAL.findall(text)
        if not finals:
            raise InputError("the answer ends in the model's thought: it has no final channel")
        text = finals[-1]
    ends = [match.end() for match in _CLOSED.finditer(text)]
    rest = text[ends[-1] :] if ends else text
    if opened := _OPENED.search(rest):
        raise InputError(f"the answer ends in the model's thought: {opened[0]} is not closed")
    return rest
