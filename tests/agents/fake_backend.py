"""A model whose answers are planted."""

import numpy as np

from arena.agents.llm.backends.backend import Answer, Backend, Likelihood


class Fake(Backend):
    """Answers by ``say(prompt, seed)`` and scores by ``like(prompt, continuation)``.

    What ``say`` returns is the text, or an ``Answer`` of the test's own. ``calls`` holds the
    prompts of every call, ``asked`` all prompts that were generated for.
    """

    name, context = "fake", None

    def __init__(self, say=None, like=None):
        self.say, self.like = say, like
        self.scores = like is not None
        self.calls = []
        self.asked = []

    def score(self, prompts, continuations):
        self.calls.append(list(prompts))
        found = []
        for prompt, texts in zip(prompts, continuations, strict=True):
            tokens = np.array([len(text.split()) for text in texts])
            values = [self.like(prompt, text) for text in texts]
            error = next((value for value in values if isinstance(value, str)), None)
            logprobs = np.zeros(0) if error else np.array(values, float)
            found.append(Likelihood(logprobs, tokens, len(prompt), 0.5, error))
        return found

    def generate(self, prompts, *, max_tokens, temperature=0.0, seeds=None, choices=None, stop=()):
        self.calls.append(list(prompts))
        self.asked += prompts
        seeds = seeds or [0] * len(prompts)
        answers = []
        for i, (prompt, seed) in enumerate(zip(prompts, seeds, strict=True)):
            said = self.say(prompt, seed)
            if choices is not None and isinstance(said, str):
                said = next(choice for choice in choices[i] if choice.startswith(said))
            if isinstance(said, str):
                said = Answer(said, 10, len(said.split()), 0.5)
            answers.append(said)
        return answers
