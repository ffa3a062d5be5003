"""The transformers back end against the plainest way to the same figures."""

import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.agents.llm.backends.backend import Message
from arena.agents.llm.backends.local import Local
from arena.agents.llm.backends.models import gguf_file, tiny_folder
from arena.agents.llm.backends.opening import open_backend
from arena.agents.llm.backends.trie import Trie
from arena.envs.errors import InputError

CHOICES = ("fold", "call 0.5", "call", "raise to 2", "raise to 22", "all-in")


def ask(text, rules="You play cards. Answer with one legal action and nothing else."):
    return (Message("system", rules), Message("user", text))


PROMPTS = [ask("You hold Kd Qd."), ask("The pot is 12.5; you hold 7c 2h."), ask("?")]


@pytest.fixture(scope="module")
def tiny():
    return open_backend("tiny")


def plainly(backend, prompt, continuation):
    """The log-probability of a continuation: one pass, no cache, no batch."""
    (ids,) = backend._encode([prompt])
    answer = list(backend._spell(continuation))
    with torch.inference_mode():
        logits = backend.model(torch.tensor([ids + answer])).logits[0].double()
    steps = torch.log_softmax(logits, -1)
    return sum(steps[len(ids) - 1 + i, token].item() for i, token in enumerate(answer))


def test_a_score_is_the_sum_of_a_plain_pass_however_prompts_are_batched(tiny):
    scores = tiny.score(PROMPTS, [CHOICES] * 3)
    for prompt, score in zip(PROMPTS, scores, strict=True):
        want = [plainly(tiny, prompt, choice) for choice in CHOICES]
        np.testing.assert_allclose(score.logprobs, want, atol=1e-4)
        assert score.tokens.tolist() == [len(choice) + 1 for choice in CHOICES]  # bytes and the end
        (alone,) = tiny.score([prompt], [CHOICES])
        np.testing.assert_allclose(alone.logprobs, want, atol=1e-4)


def test_a_beginning_kept_from_another_batch_does_no_harm(tiny):
    other = [ask("You hold As Ad.", "Other rules, longer than the first ones were."), ask("!", "x")]
    for batch in (PROMPTS, other, PROMPTS[:2], other, [PROMPTS[1], other[0]], PROMPTS[2:]):
        for prompt, score in zip(batch, tiny.score(batch, [CHOICES] * len(batch)), strict=True):
            want = [plainly(tiny, prompt, choice) for choice in CHOICES]
            np.testing.assert_allclose(score.logprobs, want, atol=1e-4)


def test_beginnings_shared_at_several_depths_are_computed_once(tiny):
    """Rules, then the state of the table, then a player's own cards: a tree of three levels."""
    rules = "Rules " * 20
    states = [f"The pot is {pot} and everybody has called, so far at least. " for pot in "123"]
    prompts = [ask(s + f"You hold {card}.", rules) for s in states for card in ("Kd", "2c", "9s")]
    read = []

    def count(model, args, kwargs):
        read.append(int((kwargs["attention_mask"].shape[0]) * kwargs["input_ids"].shape[1]))

    fresh = Local(str(tiny_folder()))
    hook = fresh.model.register_forward_pre_hook(count, with_kwargs=True)
    scores = fresh.score(prompts, [("fold", "call")] * 9)
    first, again = sum(read), (read.clear(), fresh.score(prompts, [("fold", "call")] * 9))[1]
    hook.remove()
    # Rules once, three states once each, nine times a few letters, the frame and the trie.
    tokens = [score.tokens_in for score in scores]
    assert sum(tokens) > 3 * first
    assert first < 1.1 * (len(rules) + 100 + 3 * len(states[0]) + 9 * 50)
    assert sum(read) < 9 * 60  # rules and states are known from the first call
    for prompt, one, two in zip(prompts, scores, again, strict=True):
        want = [plainly(tiny, prompt, choice) for choice in ("fold", "call")]
        np.testing.assert_allclose(one.logprobs, want, atol=1e-4)
        np.testing.assert_allclose(two.logprobs, want, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(["ab" * 30, "c" * 40, "d", "ef"]), min_size=1, max_size=5),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_any_sharing_gives_the_figures_of_none(texts):
    backend = open_backend("tiny")
    prompts = [ask("".join(parts), "r") for parts in texts]
    for prompt, score in zip(
        prompts, backend.score(prompts, [["x", "xy"]] * len(texts)), strict=True
    ):
        want = [plainly(backend, prompt, choice) for choice in ("x", "xy")]
        np.testing.assert_allclose(score.logprobs, want, atol=1e-4)


def test_prompts_may_have_different_choices_in_any_number(tiny):
    choices = [("fold",), CHOICES, ("stop", "drop_block('b11', 5)")]
    scores = tiny.score(PROMPTS, choices)
    for prompt, texts, score in zip(PROMPTS, choices, scores, strict=True):
        want = [plainly(tiny, prompt, text) for text in texts]
        np.testing.assert_allclose(score.logprobs, want, atol=1e-4)


def test_many_rows_are_split_into_passes_and_come_back_in_order(tiny, monkeypatch):
    prompts = [ask(f"hand {i} " + "x" * (i % 7)) for i in range(40)]
    whole = tiny.score(prompts, [CHOICES] * 40)
    monkeypatch.setattr(tiny, "_budget", 200)
    for one, other in zip(whole, tiny.score(prompts, [CHOICES] * 40), strict=True):
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-4)


def test_greedy_answers_are_those_of_transformers(tiny):
    answers = tiny.generate(PROMPTS, max_tokens=12)
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        (ids,) = tiny._encode([prompt])
        peer = tiny.model.generate(
            torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=12,
            do_sample=False, pad_token_id=0,
        )[0, len(ids) :]  # fmt: skip
        assert answer.text == tiny.tokenizer.decode(peer, skip_special_tokens=True)
        assert answer.tokens_in == len(ids)


def test_an_answer_that_max_tokens_ended_is_cut(tiny):
    (cut,) = tiny.generate(PROMPTS[:1], max_tokens=3)
    (stopped,) = tiny.generate(PROMPTS[:1], max_tokens=3, stop=[cut.text[0]])
    (chosen,) = tiny.generate(PROMPTS[:1], max_tokens=3, choices=[["fold", "call"]])
    assert [cut.cut, stopped.cut, chosen.cut] == [True, False, False]


def test_drawn_answers_depend_on_their_seed_alone(tiny):
    seeds = [3, 4, 3]
    same = [PROMPTS[0]] * 3
    first = tiny.generate(same, max_tokens=8, temperature=1.0, seeds=seeds)
    assert first[0].text == first[2].text != first[1].text
    alone = [
        tiny.generate([p], max_tokens=8, temperature=1.0, seeds=[s])[0]
        for p, s in zip(same, seeds, strict=True)
    ]
    assert [a.text for a in first] == [a.text for a in alone]
    with pytest.raises(ValueError, match="seeds"):
        tiny.generate(same, max_tokens=8, temperature=1.0)


def test_constrained_answers_are_choices_drawn_as_the_model_would(tiny):
    n = 400
    prompts, choices = [PROMPTS[1]] * n, [("aa", "ab", "b", "abc")] * n
    answers = tiny.generate(prompts, max_tokens=1, temperature=1.0, seeds=range(n), choices=choices)
    assert {a.text for a in answers} <= set(choices[0])
    # The policy is the model's, renormalised at each token: worked out for "b" against a….
    (score,) = tiny.score(PROMPTS[1:2], [["a", "b"]])
    (first,) = tiny._encode(PROMPTS[1:2])
    with torch.inference_mode():
        logits = tiny.model(torch.tensor([first])).logits[0, -1]
    a, b = (logits[tiny._spell(c)[0]].item() for c in "ab")
    want = 1 / (1 + np.exp(a - b))
    share = np.mean([answer.text == "b" for answer in answers])
    assert abs(share - want) < 4 * np.sqrt(want * (1 - want) / n)
    assert len(score.logprobs) == 2


def test_a_stop_string_ends_an_answer_and_is_not_part_of_it(tiny):
    (full,) = tiny.generate(PROMPTS[:1], max_tokens=30)
    middle = full.text[3]
    (cut,) = tiny.generate(PROMPTS[:1], max_tokens=30, stop=[middle])
    assert cut.text == full.text[: full.text.index(middle)]
    assert cut.tokens_out < full.tokens_out


def test_an_overflow_is_the_error_of_its_prompt_alone(tiny, monkeypatch):
    monkeypatch.setattr(tiny, "context", 200)
    prompts = [PROMPTS[0], ask("long " * 100)]
    good, bad = tiny.score(prompts, [CHOICES] * 2)
    assert good.error is None and len(good.logprobs) == len(CHOICES)
    assert "more than the 200 that tiny" in bad.error
    good, bad = tiny.generate(prompts, max_tokens=5)
    assert good.error is None and good.tokens_out
    assert bad.text == "" and "shorter history" in bad.error


@pytest.mark.parametrize(
    ("checkpoint", "sentence"),
    [
        ("/nowhere/model", "is not there"),
        ("{tmp}", "holds no config.json"),
        ("{tmp}/model.gguf", "is not there"),
        ("{tmp}/broken", "cannot be loaded as a language model"),
    ],
)
def test_what_is_no_model_is_refused_in_a_sentence(tmp_path, checkpoint, sentence):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(InputError, match=sentence) as refusal:
        open_backend(checkpoint.format(tmp=tmp_path))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("num_hidden_layers", -2, "num_hidden_layers=-2 must be from 1 to 1,000"),
        ("hidden_size", 2**16, "vocab_size x hidden_size is more than the folder's weights"),
    ],
)
def test_sizes_that_cannot_be_are_refused_before_a_model_is_built(tmp_path, name, value, why):
    shutil.copytree(tiny_folder(), tmp_path / "lm")
    config = tmp_path / "lm" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {name: value}))
    with pytest.raises(InputError, match=why):
        Local(str(tmp_path / "lm"))


def test_a_folder_that_is_missing_among_ours_is_not_looked_for_on_a_hub(tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="runs/sfft is not there"):
        open_backend("runs/sfft")


def test_a_base_model_without_a_chat_template_reads_plain_text(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny_folder())
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    AutoModelForCausalLM.from_pretrained(tiny_folder()).save_pretrained(tmp_path)
    backend = open_backend(str(tmp_path))
    (ids,) = backend._encode([ask("state", "rules")])
    assert backend.tokenizer.decode(ids) == "rules\n\nstate"


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.integers(0, 3), min_size=1, max_size=5).map(tuple), min_size=1, max_size=6,
        unique=True,
    )
)  # fmt: skip
def test_a_trie_spells_its_sequences(sequences):
    trie = Trie(sequences)
    assert len(trie.tokens) == len({s[:i] for s in sequences for i in range(1, len(s))})
    for sequence, path in zip(sequences, trie.paths, strict=True):
        assert tuple(trie.edges[edge][1] for edge in path) == sequence
        for depth, edge in enumerate(path[1:]):
            node = trie.edges[edge][0] - 1
            assert trie.depths[node] == depth
            line = np.flatnonzero(trie.ancestors[node])
            assert trie.tokens[line].tolist() == list(sequence[: depth + 1])


def test_the_embedded_model_loads_and_knows_some_english():
    try:
        gguf_file()
    except InputError as missing:
        pytest.skip(str(missing))
    backend = open_backend("smollm2")
    prompt = (Message("user", "Which animal says meow? Answer in one word."),)
    (score,) = backend.score([prompt], [["Cat", "Banana", "Tuesday"]])
    assert int(score.logprobs.argmax()) == 0
