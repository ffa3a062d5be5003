"""llama.cpp in this process, with a server that says what a test wants; at the end a real one."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from arena.agents.llm.backends.backend import Message, Prompt
from arena.agents.llm.backends.llamacpp import LlamaCpp
from arena.envs.errors import InputError

QUESTION: Prompt = (Message("user", "You hold a pair of aces. Fold or call?"),)


def completion(text: str) -> dict[str, Any]:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    logprobs = {"content": [{"logprob": -0.5}, {"logprob": -0.1}]}
    choice = {"message": {"content": text}, "finish_reason": "stop", "logprobs": logprobs}
    return {"choices": [choice], "usage": usage}


class Server:
    """Notes its requests and answers with ``reply``."""

    requests: list[dict[str, Any]]
    reply: Any

    def __init__(self, params: Any) -> None:
        if "broken" in params.model.path:
            raise RuntimeError("failed to\nload model")

    def handle_chat_completions(self, body: dict[str, Any]) -> Any:
        self.requests.append(body)
        return self.reply


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library: Any = ModuleType("xllamacpp")
    library.CommonParams = lambda: SimpleNamespace(
        model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
    )
    library.Server = Server
    Server.requests, Server.reply = [], completion("call")
    monkeypatch.setitem(sys.modules, "xllamacpp", library)
    for name in ("model.gguf", "broken.gguf"):
        (tmp_path / name).touch()
    return tmp_path / "model.gguf"


def test_prompts_are_answered_one_by_one_without_what_was_before(file: Path) -> None:
    backend = LlamaCpp(file)
    assert (backend.name, backend.scores) == ("model", False)
    answers = backend.generate(
        [QUESTION] * 2, max_tokens=5, temperature=0.5, seeds=[1, 2], stop=["\n"]
    )
    assert [(a.text, a.tokens_in, a.tokens_out, a.error) for a in answers] == [
        ("call", 9, 2, None)
    ] * 2
    assert answers[0].logprob == pytest.approx(-0.3)
    assert [body["seed"] for body in Server.requests] == [1, 2]
    assert not any(body["cache_prompt"] for body in Server.requests)


def test_choices_are_a_grammar(file: Path) -> None:
    (answer,) = LlamaCpp(file).generate([QUESTION], max_tokens=1, choices=[["fold", "call"]])
    assert answer.text == "call"
    assert Server.requests[0]["grammar"] == 'root ::= "fold" | "call"'


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ({"error": {"code": 400, "message": "exceeds the context"}}, "model: exceeds the context"),
        ({}, "model: its field 'choices' is missing"),
        (completion("raise"), "none of the choices"),
    ],
)
def test_what_fails_is_told_in_the_answer(file: Path, reply: Any, sentence: str) -> None:
    Server.reply = reply
    (answer,) = LlamaCpp(file).generate([QUESTION], max_tokens=1, choices=[["fold", "call"]])
    assert answer.text == "" and answer.error is not None and sentence in answer.error


def test_what_is_no_model_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (file.parent, file.parent / "absent.gguf", Path("org/model")):
        with pytest.raises(InputError, match=r"needs a \.gguf file"):
            LlamaCpp(path)
    with pytest.raises(InputError, match=r"cannot be loaded by .*: failed to load model"):
        LlamaCpp(file.parent / "broken.gguf")
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(InputError, match="pip install"):
        LlamaCpp(file)


def test_smollm2_answers_the_same_whatever_was_asked_before() -> None:
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    from arena.agents.llm.backends.models import gguf_file

    try:
        backend = LlamaCpp(gguf_file())
    except InputError as error:
        pytest.skip(str(error))
    other: Prompt = (Message("user", "You hold a pair of aces. What is the capital of France?"),)
    first, paris = backend.generate([QUESTION, other], max_tokens=12)
    again, held = backend.generate([other, QUESTION], max_tokens=12)
    assert "Paris" in paris.text
    assert (first.text, first.logprob) == (held.text, held.logprob)
    assert (paris.text, paris.logprob) == (again.text, again.logprob)
    (chosen,) = backend.generate([QUESTION], max_tokens=12, choices=[["fold", 'call "all"']])
    assert chosen.error is None and chosen.text in ("fold", 'call "all"')
    (long,) = backend.generate([(Message("user", "so " * 9000),)], max_tokens=4)
    assert long.error is not None and "context" in long.error
