"""Each decoding, on a model whose answers are planted."""

import numpy as np
import pytest
from fake_backend import Fake

from arena.agents.agent import CannotPlay
from arena.agents.llm.backends.backend import Answer, Message
from arena.agents.llm.decoding.kinds import CONTENT_FREE, make_decoding
from arena.agents.llm.decoding.question import Question
from arena.envs.errors import InputError
from arena.envs.game import exactly_one

CHOICES = ("fold", "call 1", "raise to 3")


def question(text="?", **more):
    return Question(
        (Message("user", text),), CHOICES, lambda answer: exactly_one(CHOICES, answer), **more
    )


def seeds(n):
    return np.arange(n, dtype=np.uint64) * np.uint64(2**61 + 12345)


def decide(kind, backend, questions=None, **options):
    questions = questions or [question()]
    return make_decoding(kind, **options).decide(backend, questions, seeds(len(questions)))


# -- scoring -----------------------------------------------------------------------------------


def liking(**logprobs):
    return lambda prompt, text: logprobs[text.split()[0]]


def test_score_takes_the_highest_log_probability_per_token():
    # "raise to 3" has three tokens of -1 each, "call 1" two of -1.25, "fold" one of -2.
    (reply,) = decide("score", Fake(like=liking(fold=-2.0, call=-2.5, **{"raise": -3.0})))
    assert (reply.value, reply.text, reply.failure) == (2, "raise to 3", None)
    assert reply.probabilities.tolist() == [0, 0, 1]
    assert reply.notes == {
        "prompt": [{"role": "user", "content": "?"}],
        "answer": "raise to 3",
        "scores": {"raise to 3": -1.0, "call 1": -1.25, "fold": -2.0},
        "tokens_in": 1,
        "tokens_out": 0,
        "seconds": 0.5,
    }


@pytest.mark.parametrize("noise", [0.0, 1e-6, -1e-6])
def test_the_noise_of_arithmetic_breaks_no_tie(noise):
    (reply,) = decide("score", Fake(like=liking(fold=-1.0, call=-2.0 + noise, **{"raise": -9.0})))
    assert reply.text == "fold"  # the first of equals


def test_above_temperature_0_an_action_is_drawn_from_the_softmax():
    fake = Fake(like=liking(fold=np.log(0.5), call=2 * np.log(0.3), **{"raise": 3 * np.log(0.2)}))
    replies = decide("score", fake, [question()] * 2000, temperature=1.0)
    expected = np.array([0.5, 0.3, 0.2])
    np.testing.assert_allclose(replies[0].probabilities, expected, atol=1e-4)
    counts = np.bincount([reply.value for reply in replies], minlength=3) / 2000
    np.testing.assert_allclose(counts, expected, atol=4 * np.sqrt(0.25 / 2000))
    # By each question's own seed, whatever else is in the batch.
    alone = make_decoding("score", temperature=1.0).decide(fake, [question()], seeds(2000)[7:8])
    assert alone[0].value == replies[7].value


def test_calibrated_scores_ask_how_much_likelier_the_prompt_makes_a_choice():
    def like(prompt, text):
        usual = {"fold": -1.0, "call": -5.0, "raise": -9.0}[text.split()[0]]
        return usual if prompt == CONTENT_FREE else usual + (text == "call 1")

    (reply,) = decide("score", Fake(like=like), calibrate=True)
    assert reply.text == "call 1"
    assert reply.notes["scores"] == {"call 1": 1.0, "fold": 0.0, "raise to 3": 0.0}
    assert decide("score", Fake(like=like))[0].text == "fold"


def test_a_prompt_that_cannot_be_scored_fails_alone():
    def like(prompt, text):
        return "the prompt is too long" if prompt[0].content == "long" else -1.0

    bad, good = decide("score", Fake(like=like), [question("long"), question("short")])
    assert (bad.value, bad.failure) == (None, "crash")
    assert bad.notes["error"] == "the prompt is too long"
    assert good.failure is None


def test_scoring_needs_a_model_that_scores():
    with pytest.raises(CannotPlay, match="use decode=constrained or decode=generate"):
        make_decoding("score").check(Fake())
    make_decoding("score").check(Fake(like=liking()))
    make_decoding("vote").check(Fake())


# -- writing -----------------------------------------------------------------------------------


def test_constrained_answers_are_choices():
    (reply,) = decide("constrained", Fake(lambda prompt, seed: "raise"))
    assert (reply.value, reply.text) == (2, "raise to 3")


@pytest.mark.parametrize(
    ("prompt", "answer", "text"),
    [
        ("?", "fold", "fold"),
        ("?", "\n  Raise  TO 3 \nbecause it is fun", "Raise  TO 3"),
        ("?", "<think>fold\n\nor not</think>\n\ncall 1", "call 1"),
        ("End with ACTION:", "I could fold.\nACTION: fold\nNo:\nACTION: call 1", "call 1"),
    ],
)
def test_of_a_free_answer_one_line_counts(prompt, answer, text):
    (reply,) = decide("generate", fake := Fake(lambda *_: answer), [question(prompt)])
    assert (reply.text, reply.failure) == (text, None)
    assert reply.value == exactly_one(CHOICES, text)
    assert reply.notes["answer"] == answer
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    ("prompt", "answer", "says"),
    [
        ("?", "I fold", "'I fold' is not a legal action"),
        ("?", "fold, call 1 or raise to 3", "is not a legal action"),
        ("?", "", "'' is not a legal action"),
        ("?", "ACTION: fold", "is not a legal action"),
        ("End with ACTION:", "fold", "no line of the answer begins with 'ACTION:'"),
        ("End with ACTION:", "My ACTION: fold", "no line of the answer begins with 'ACTION:'"),
    ],
)
def test_an_illegal_answer_gets_one_feedback_and_no_more(prompt, answer, says):
    fake = Fake(lambda *_: answer)
    (reply,) = decide("generate", fake, [question(prompt)])
    assert (reply.value, reply.failure) == (None, "illegal")
    assert says in reply.notes["error"]
    assert len(fake.asked) == 2
    first, said, feedback = fake.asked[1]
    assert first.content == prompt
    assert said == Message("assistant", answer or "(nothing)")
    assert feedback.role == "user" and says in feedback.content
    assert reply.notes["tokens_in"] == 20


def test_a_long_answer_is_quoted_in_short():
    (reply,) = decide("generate", Fake(lambda *_: "so " * 1000 + "fold"))
    assert len(reply.notes["error"]) < 200
    assert "'so so" in reply.notes["error"] and "legal are: fold" in reply.notes["error"]


@pytest.mark.parametrize(
    "thought",
    [
        "<think>\nlong\n</think>\n\n",
        "<think>\n\n</think>\n\n",
        "The template has opened it.\ncall 1\n</think>\n\n",
        "<thinking>call 1</thinking>\n",
        "<Think>call 1</think >",
        "<think>a</think><think>b</think>",
        "[THINK]hm[/THINK]",
        "<seed:think>hm</seed:think>",
        "◁think▷hm◁/think▷",
        "<unused94>thought\nhm<unused95>",
        "<|START_THINKING|>hm<|END_THINKING|>",
        "<|channel|>analysis<|message|>call 1<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>commentary<|message|>hm<|end|><|channel|>final <|constrain|>x<|message|>",
    ],
)
@pytest.mark.parametrize("prompt", ["?", "End with ACTION:"])
def test_what_counts_stands_after_the_last_thought(thought, prompt):
    said = thought + ("fold" if prompt == "?" else "So.\nACTION: fold")
    (reply,) = decide("generate", Fake(lambda *_: said), [question(prompt)])
    assert (reply.text, reply.failure) == ("fold", None)


@pytest.mark.parametrize(
    "said",
    [
        "<think>Options.\nACTION: fold\nno wait",
        "<think>a</think><think>\nACTION: fold",
        "[THINK]\nACTION: fold",
        "<|channel|>analysis<|message|>We think.\nACTION: fold",
    ],
)
@pytest.mark.parametrize("more", [{"prompt": "End with ACTION:"}, {"prompt": "?"}, {"whole": True}])
def test_a_thought_that_is_not_closed_is_no_answer(said, more):
    asked = question(more.pop("prompt", "?"), **more)
    for reader in ("strict", "lenient"):
        (reply,) = decide("generate", Fake(lambda *_: said), [asked], reader=reader)
        assert reply.failure == "illegal"
        assert "ends in the model's thought" in reply.notes["error"]
        assert reply.notes["answer"] == said


@pytest.mark.parametrize(
    ("prompt", "said", "text"),
    [
        ("?", "raise to 3", None),
        ("?", "raise to 3\nbecause it is", "raise to 3"),
        ("?", "", None),
        ("End with ACTION:", "Hm.\nACTION: fold", None),
        ("End with ACTION:", "Hm.\nACTION: fold\nOn the other hand", None),
    ],
)
@pytest.mark.parametrize("reader", ["strict", "lenient"])
def test_of_an_answer_that_was_cut_counts_what_could_not_have_gone_on(prompt, said, text, reader):
    fake = Fake(lambda *_: Answer(said, cut=True))
    (reply,) = decide("generate", fake, [question(prompt)], reader=reader)
    assert (reply.text or None) == text
    if text is None:
        assert reply.failure == "illegal" and "cut short" in reply.notes["error"]
        assert "max_tokens" in reply.notes["error"]


def test_a_sample_that_was_cut_has_no_vote():
    said = iter([Answer("raise to 3", cut=True)] * 3 + [Answer("fold"), Answer("fold")])
    (reply,) = decide("vote", Fake(lambda *_: next(said)))
    assert reply.notes["votes"] == {"fold": 2}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("?", "**fold**"),
        ("?", "“fold”"),
        ("?", "fold."),
        ("?", "```\nfold\n```"),
        ("?", "fold\u200b"),
        ("?", "\ufefffold\u00a0"),
        ("?", "Action: fold"),
        ("?", "**Final answer:** `fold`."),
        ("?", "fold<|im_end|>"),
        ("End with ACTION:", "So:\n**Action:** fold"),
    ],
)
def test_a_lenient_reader_reads_without_ornaments(prompt, said):
    fake = Fake(lambda *_: said)
    (reply,) = decide("generate", fake, [question(prompt)], reader="lenient")
    assert (reply.text, reply.failure) == ("fold", None)
    (reply,) = decide("generate", fake, [question(prompt)])
    assert reply.text != "fold"


@pytest.mark.parametrize("said", ["I would fold", "fold fold", "fold, call 1", "", "**", "弃牌"])
def test_a_lenient_reader_guesses_nothing(said):
    (reply,) = decide("generate", Fake(lambda *_: said), reader="lenient")
    assert reply.failure == "illegal"


def test_what_is_legal_as_it_stands_is_not_read_leniently():
    marks = Question(
        (Message("user", "?"),), ("*", "."), lambda text: exactly_one(("*", "."), text)
    )
    (reply,) = decide("generate", Fake(lambda *_: "."), [marks], reader="lenient")
    assert reply.text == "."


def test_only_those_who_answered_illegally_are_asked_again():
    def say(prompt, seed):
        if len(prompt) > 1:
            return "fold"
        return prompt[0].content

    fake = Fake(say)
    replies = decide("generate", fake, [question("call 1"), question("bluff"), question("fold")])
    assert [reply.text for reply in replies] == ["call 1", "fold", "fold"]
    assert len(fake.calls[1]) == 1
    assert replies[1].notes["first_answer"] == "bluff"
    assert "'bluff' is not a legal action" in replies[1].notes["feedback"]
    assert "feedback" not in replies[0].notes


def test_a_question_can_have_all_of_an_answer_read():
    lines = Question((Message("user", "?"),), (), lambda text: text.split("\n"), whole=True)
    (reply,) = decide("generate", Fake(lambda *_: "one\ntwo"), [lines])
    assert reply.value == ["one", "two"]


WRITING = ["generate", "constrained", "vote", "best_of", "reflect"]


@pytest.mark.parametrize("kind", WRITING)
def test_a_model_that_cannot_answer_one_prompt_answers_the_others(kind):
    def say(prompt, seed):
        if prompt[0].content == "long":
            return Answer("", error="the prompt is too long")
        return Answer("fold", 10, 1, 0.5, logprob=-1.0, cost=0.25)

    bad, good = decide(kind, Fake(say), [question("long"), question("short")])
    assert (bad.value, bad.failure, bad.notes["error"]) == (None, "crash", "the prompt is too long")
    assert (good.value, good.failure) == (0, None)
    calls = {"generate": 1, "constrained": 1, "vote": 5, "best_of": 5, "reflect": 3}[kind]
    assert good.notes["tokens_in"] == 10 * calls
    assert good.notes["cost"] == 0.25 * calls


def drawing(*answers):
    """Gives a question's samples the planted answers, in the order in which they are asked."""
    left = list(answers)
    return lambda prompt, seed: left.pop(0)


def test_a_vote_is_won_by_what_most_legal_samples_name():
    fake = Fake(drawing("bluff", "bluff", "bluff", "fold", "call 1", "Call  1"))
    (reply,) = decide("vote", fake, samples=6)
    assert reply.value == 1
    assert reply.notes["votes"] == {"fold": 1, "call 1": 2}
    assert len(fake.calls) == 1


def test_a_tied_vote_goes_to_the_first():
    (reply,) = decide("vote", Fake(drawing("raise to 3", "fold", "fold", "raise to 3")), samples=4)
    assert reply.text == "raise to 3"


@pytest.mark.parametrize("kind", ["vote", "best_of"])
def test_where_no_sample_is_legal_there_is_one_feedback(kind):
    fake = Fake(drawing("bluff", "cheat", "fold"))
    (reply,) = decide(kind, fake, samples=2)
    assert reply.text == "fold"
    assert reply.notes["first_answer"] == "bluff"
    assert [len(call) for call in fake.calls] == [2, 1]


@pytest.mark.parametrize("kind", ["vote", "best_of"])
def test_samples_differ_in_their_seeds_and_repeat_with_the_questions(kind):
    seen = []

    def say(prompt, seed):
        seen.append(seed)
        return Answer("fold", logprob=-1.0)

    decide(kind, Fake(say), [question(), question()], samples=4)
    decide(kind, Fake(say), [question(), question()], samples=4)
    assert len(set(seen[:8])) == 8
    assert seen[:8] == seen[8:]
    assert all(0 <= seed < 2**63 for seed in seen)


def test_the_best_sample_is_the_one_the_model_finds_likeliest():
    samples = [("fold", -3.0), ("bluff", -0.1), ("call 1", -1.0), ("raise to 3", -2.0)]
    fake = Fake(drawing(*(Answer(text, logprob=value) for text, value in samples)))
    (reply,) = decide("best_of", fake, samples=4)
    assert reply.text == "call 1"
    assert reply.notes["ranked"] == {"fold": -3.0, "raise to 3": -2.0, "call 1": -1.0}


def test_samples_without_log_probabilities_are_scored():
    fake = Fake(drawing("fold", "call 1"), like=liking(fold=-3.0, call=-4.0))
    (reply,) = decide("best_of", fake, samples=2)
    assert reply.text == "call 1"


def test_without_any_log_probabilities_there_is_no_best():
    (reply,) = decide("best_of", Fake(drawing("fold", "call 1")), samples=2)
    assert reply.failure == "crash"
    assert "use decode=vote" in reply.notes["error"]


def test_reflection_answers_criticises_and_answers_again():
    fake = Fake(drawing("fold", "Too timid.", "raise to 3"))
    (reply,) = decide("reflect", fake)
    assert reply.text == "raise to 3"
    assert (reply.notes["draft"], reply.notes["critique"]) == ("fold", "Too timid.")
    said = [message.content for message in fake.asked[2] if message.role == "assistant"]
    assert said == ["fold", "Too timid."]


# -- options -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        ("guess", {}, "decode=guess is none of score, constrained, generate"),
        ("score", {"temperature": -1}, "must not be negative"),
        ("vote", {"temperature": 0.0}, "all samples would be equal"),
        ("vote", {"samples": 1}, "samples=1 must be at least 2"),
        ("generate", {"samples": 3}, "draws no samples"),
        ("score", {"max_tokens": 3}, "no free answer that max_tokens could limit"),
        ("generate", {"max_tokens": 0}, "must be at least 1"),
        ("score", {"reader": "lenient"}, "no free answer that reader=lenient could read"),
        ("generate", {"calibrate": True}, "calibrate is an option of decode=score"),
    ],
)
def test_an_option_without_a_use_is_refused(kind, options, says):
    with pytest.raises(InputError, match=says):
        make_decoding(kind, **options)
