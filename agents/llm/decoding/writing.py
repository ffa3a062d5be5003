"""Decodings in which the model writes freely and a strict parser reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from arena.agents.llm.backends.backend import Answer, Backend, Message, Prompt
from arena.agents.llm.decoding.question import Question, Reply
from arena.agents.llm.decoding.reading import DECIMALS, Candidate, Decoding, Inquiry, Seeds, draws

_CRITIQUE = (
    "Look at your answer critically. Is it legal, and is there a better one? Name its weakest "
    "point in one or two sentences."
)
_REVISE = "Now give your final answer, in the form that was asked for at the beginning."
_FEEDBACK = 1 << 16  # the number of the feedback round's draws, beyond any sample's


def as_message(text: str) -> Message:
    """What a model wrote, as its turn of a conversation (chat templates take no empty ones)."""
    return Message("assistant", text or "(nothing)")


class Writing(Decoding):
    """What these kinds share: after an illegal answer, one legality feedback and no more.

    ``lenient``: an answer that is not legal as it stands is read without its ornaments, too.
    """

    writes = True
    lenient = False

    def __init__(self, temperature: float, max_tokens: int) -> None:
        super().__init__(temperature)
        self.max_tokens = max_tokens

    def decide(self, backend: Backend, questions: Sequence[Question], seeds: Seeds) -> list[Reply]:
        """See ``Decoding``."""
        seeds = np.asarray(seeds, np.uint64)
        records = [Inquiry(replace(question, lenient=self.lenient)) for question in questions]
        replies = self.answer(backend, records, seeds)
        illegal = [i for i, reply in enumerate(replies) if reply.failure == "illegal"]
        prompts = []
        for i in illegal:
            said, problem = records[i].said, records[i].problem
            feedback = f"{problem}. Answer again, legally and in the form that was asked for."
            records[i].notes |= {"first_answer": said, "feedback": feedback}
            question = records[i].question
            prompts.append((*question.prompt, as_message(said), Message("user", feedback)))
        rows = [records[i] for i in illegal]
        answers = self.write(backend, rows, prompts, seeds[illegal], _FEEDBACK)
        for i, answer in zip(illegal, answers, strict=True):
            replies[i] = records[i].settle(answer)
        return replies

    @abstractmethod
    def answer(self, backend: Backend, records: list[Inquiry], seeds: Seeds) -> list[Reply]:
        """Replies, of which the illegal ones will be asked for once more."""

    def write(
        self,
        backend: Backend,
        records: Sequence[Inquiry],
        prompts: Sequence[Prompt],
        seeds: Seeds,
        number: int,
    ) -> list[Answer]:
        """An answer to each prompt, counted in its record; ``number`` tells draws apart."""
        if not prompts:
            return []
        answers = backend.generate(
            prompts,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seeds=draws(seeds, number),
        )
        for record, answer in zip(records, answers, strict=True):
            record.count(answer)
        return answers

    def sample(
        self,
        backend: Backend,
        records: Sequence[Inquiry],
        prompts: Sequence[Prompt],
        seeds: Seeds,
        count: int,
        first: int = 0,
    ) -> list[list[Answer]]:
        """``count`` answers to each prompt, drawn with the numbers from ``first`` on."""
        if not prompts:
            return []
        numbers = np.tile(np.arange(first, first + count), len(prompts))
        answers = backend.generate(
            [prompt for prompt in prompts for _ in range(count)],
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            seeds=draws(np.repeat(seeds, count), numbers),
        )
        own = [answers[i * count : (i + 1) * count] for i in range(len(prompts))]
        for record, some in zip(records, own, strict=True):
            for answer in some:
                record.count(answer)
        return own


class Free(Writing):
    """One free answer."""

    def answer(self, backend: Backend, records: list[Inquiry], seeds: Seeds) -> list[Reply]:
        """See ``Writing``."""
        prompts = [record.question.prompt for record in records]
        answers = self.write(backend, records, prompts, seeds, 0)
        return [record.settle(answer) for record, answer in zip(records, answers, strict=True)]


class Reflecting(Writing):
    """An answer, its critique, and the answer that counts (Self-Refine)."""

    def answer(self, backend: Backend, records: list[Inquiry], seeds: Seeds) -> list[Reply]:
        """See ``Writing``."""
        prompts = [record.question.prompt for record in records]
        last: list[Answer] = [Answer("")] * len(records)
        for number, (name, request) in enumerate(
            (("draft", _CRITIQUE), ("critique", _REVISE), (None, None))
        ):
            going = [i for i, answer in enumerate(last) if answer.error is None]
            written = self.write(
                backend,
                [records[i] for i in going],
                [prompts[i] for i in going],
                seeds[going],
                number,
            )
            for i, answer in zip(going, written, strict=True):
                last[i] = answer
                if name is not None and request is not None:
                    records[i].notes[name] = answer.text
                    prompts[i] = (*prompts[i], as_message(answer.text), Message("user", request))
        return [record.settle(answer) for record, answer in zip(records, last, strict=True)]


class Sampling(Writing):
    """Several free answers to each question, one of which is picked."""

    def __init__(self, temperature: float, max_tokens: int, samples: int) -> None:
        super().__init__(temperature, max_tokens)
        self.samples = samples

    def answer(self, backend: Backend, records: list[Inquiry], seeds: Seeds) -> list[Reply]:
        """See ``Writing``; where no sample is legal, the first answer is what was said."""
        prompts = [record.question.prompt for record in records]
        answers = self.sample(backend, records, prompts, seeds, self.samples)
        legal = [
            [s for s in (Candidate(record.question, answer) for answer in own) if s.legal]
            for record, own in zip(records, answers, strict=True)
        ]
        picked = iter(
            self.pick(
                backend,
                [record for record, own in zip(records, legal, strict=True) if own],
                [own for own in legal if own],
            )
        )
        replies = []
        for record, own, all_of_them in zip(records, legal, answers, strict=True):
            fallen = next((a for a in all_of_them if a.error is None), all_of_them[0])
            replies.append(next(picked) if own else record.settle(fallen))
        return replies

    @abstractmethod
    def pick(
        self, backend: Backend, records: list[Inquiry], legal: list[list[Candidate]]
    ) -> list[Reply]:
        """The reply of each record, from its legal samples, at least one each."""


class Voting(Sampling):
    """The action that most samples name, the first of equals."""

    def pick(
        self, backend: Backend, records: list[Inquiry], legal: list[list[Candidate]]
    ) -> list[Reply]:
        """See ``Sampling``."""
        replies = []
        for record, samples in zip(records, legal, strict=True):
            named: dict[bytes, list[Candidate]] = {}
            for sample in samples:
                named.setdefault(sample.key, []).append(sample)
            record.notes["votes"] = {one[0].text: len(one) for one in named.values()}
            replies.append(record.settle(max(named.values(), key=len)[0].answer))
        return replies


class BestOf(Sampling):
    """The sample with the highest mean log-probability, the first of equals.

    Where the back end does not tell that of what it wrote, what counts of each sample is scored.
    """

    def pick(
        self, backend: Backend, records: list[Inquiry], legal: list[list[Candidate]]
    ) -> list[Reply]:
        """See ``Sampling``."""
        ranks = [[sample.answer.logprob for sample in samples] for samples in legal]
        untold = [i for i, own in enumerate(ranks) if None in own]
        errors: dict[int, str] = {}
        if untold and backend.scores:
            prompts = [records[i].question.prompt for i in untold]
            scores = backend.score(prompts, [[sample.text for sample in legal[i]] for i in untold])
            for i, score in zip(untold, scores, strict=True):
                records[i].tokens_in += score.tokens_in
                records[i].seconds += score.seconds
                if score.error is not None:
                    errors[i] = score.error
                else:
                    ranks[i] = list((score.logprobs / score.tokens).tolist())
        else:
            problem = f"{backend.name} tells no log-probabilities to rank by; use decode=vote"
            errors = dict.fromkeys(untold, problem)
        replies = []
        for i, (record, samples) in enumerate(zip(records, legal, strict=True)):
            if i in errors:
                replies.append(record.failed("crash", errors[i]))
                continue
            rounded = np.round(np.array(ranks[i], np.float64), DECIMALS)
            shown = list(zip((s.text for s in samples), rounded.tolist(), strict=True))
            record.notes["ranked"] = dict(sorted(shown, key=lambda one: one[1]))
            replies.append(record.settle(samples[int(rounded.argmax())].answer))
        return replies
