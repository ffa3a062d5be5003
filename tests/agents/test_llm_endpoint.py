"""Endpoints, against a server on this machine that does as a test says."""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from arena.agents.llm.backends.backend import Message, Prompt
from arena.agents.llm.backends.endpoint import Endpoint
from arena.agents.llm.backends.endpoint_settings import EndpointSettings, settings_for
from arena.envs.errors import InputError
from arena.leagues.clock import Clock, TimeUp

KEY = "sk-very-secret"
QUESTION: Prompt = (Message("user", "fold or call?"),)

Reply = tuple[int, dict[str, str], Any]


def chat(text: str, *logprobs: float, **choice: Any) -> Reply:
    """A chat completion as OpenAI's reference shows it."""
    told = {"content": [{"token": "x", "logprob": value} for value in logprobs]}
    first = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    if logprobs:
        first["logprobs"] = told
    return 200, {}, {"choices": [first | choice], "usage": usage}


@dataclass
class Fake:
    """A server; ``answer`` makes the reply to a chat request from its body.

    Attributes:
        requests: path and body of each request that came.
        most: the most requests that were under way at once.
    """

    url: str
    answer: Callable[[dict[str, Any]], Reply] = lambda body: chat("call")
    models: Reply = (200, {}, {"data": [{"id": "m", "owned_by": "library"}]})
    scorer: Callable[[str, dict[str, Any]], Reply] = lambda path, body: (404, {}, {"error": "no"})
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)
    under_way: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def chats(self) -> list[dict[str, Any]]:
        return [body for path, body in self.requests if path == "/v1/chat/completions"]

    def reply(self, path: str, body: dict[str, Any]) -> Reply:
        with self.lock:
            self.requests.append((path, body))
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            if path == "/v1/models":
                return self.models
            if path == "/v1/chat/completions":
                return self.answer(body)
            return self.scorer(path, body)
        finally:
            with self.lock:
                self.under_way -= 1


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Fake]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("ARENA_ENDPOINTS", raising=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._do({})

        def do_POST(self) -> None:
            self._do(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _do(self, body: dict[str, Any]) -> None:
            fake.keys.add(self.headers.get("Authorization"))
            status, headers, content = fake.reply(self.path, body)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    fake = Fake(f"http://127.0.0.1:{listening.server_address[1]}/v1")
    thread = threading.Thread(target=listening.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield fake
    listening.shutdown()
    listening.server_close()


def opened(server: Fake, pauses: list[float] | None = None, **settings: Any) -> Endpoint:
    """An endpoint that notes its pauses and does not make them."""
    noted: list[float] = [] if pauses is None else pauses
    transport = {"pause": lambda seconds, _: noted.append(seconds), "jitter": lambda: 1.0}
    return Endpoint(server.url, settings=EndpointSettings(**settings), transport=transport)


def ask(endpoint: Endpoint, prompt: Prompt = QUESTION, **options: Any) -> Any:
    (answer,) = endpoint.generate([prompt], **{"max_tokens": 8, **options})
    return answer


# -- answers -----------------------------------------------------------------------------------


def test_an_answer_comes_with_tokens_and_its_mean_logprob(server: Fake) -> None:
    server.answer = lambda body: chat("call", -0.5, -1.5)
    answer = ask(opened(server), stop=["\n"])
    assert (answer.text, answer.tokens_in, answer.tokens_out) == ("call", 100, 10)
    assert answer.logprob == pytest.approx(-1.0)
    assert answer.error is None and answer.cost is None and answer.seconds > 0
    assert server.chats == [
        {
            "model": "m",
            "messages": [{"role": "user", "content": "fold or call?"}],
            "temperature": 0.0,
            "max_tokens": 8,
            "stop": ["\n"],
            "logprobs": True,
            "top_logprobs": 1,
        }
    ]


def test_answers_come_in_the_order_of_prompts_and_equal_ones_are_asked_once(server: Fake) -> None:
    server.answer = lambda body: chat(body["messages"][0]["content"].upper())
    prompts = [(Message("user", text),) for text in ("a", "b", "a", "c")]
    answers = opened(server).generate(prompts, max_tokens=4)
    assert [answer.text for answer in answers] == ["A", "B", "A", "C"]
    assert len(server.chats) == 3


def test_draws_differ_by_seed_and_the_likeliest_answer_has_none(server: Fake) -> None:
    server.answer = lambda body: chat(f"seed {body.get('seed')}")
    endpoint = opened(server)
    drawn = endpoint.generate(
        [QUESTION] * 3, max_tokens=4, temperature=0.7, seeds=[2**63 + 5, 6, 2**63 + 5]
    )
    assert [answer.text for answer in drawn] == ["seed 5", "seed 6", "seed 5"]
    greedy = endpoint.generate([QUESTION] * 2, max_tokens=4, seeds=[1, 2])
    assert [answer.text for answer in greedy] == ["seed None"] * 2


def test_fields_that_an_endpoint_refuses_are_left_out(server: Fake) -> None:
    ask(opened(server, leave_out=("logprobs", "temperature"), limit="max_completion_tokens"))
    assert set(server.chats[0]) == {"model", "messages", "max_completion_tokens"}


def test_no_more_requests_are_under_way_than_allowed(server: Fake) -> None:
    both = threading.Barrier(2)

    def answer(body: dict[str, Any]) -> Reply:
        both.wait(10)  # two are let in at once, or this breaks
        return chat("call")

    server.answer = answer
    prompts = [(Message("user", str(number)),) for number in range(12)]
    answers = opened(server, concurrency=2).generate(prompts, max_tokens=4)
    assert [answer.text for answer in answers] == ["call"] * 12
    assert server.most == 2


def test_a_message_of_the_assistants_is_gone_on_with(server: Fake) -> None:
    prefilled = (*QUESTION, Message("assistant", "I "))
    server.answer = lambda body: chat("call")
    said = ask(opened(server), prefilled)
    assert said.error is not None and "not known to go on" in said.error
    server.models = 200, {}, {"data": [{"id": "m", "owned_by": "vllm"}]}
    assert ask(opened(server), prefilled).text == "call"
    assert server.chats[-1]["continue_final_message"]
    assert not server.chats[-1]["add_generation_prompt"]
    server.models = 200, {}, {"data": [{"id": "m", "owned_by": "llamacpp"}]}
    server.answer = lambda body: chat("I call")  # it repeats what was there
    assert ask(opened(server), prefilled).text == "call"
    assert ask(opened(server), prefilled, choices=[["fold", "call"]]).text == "call"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "text", "text": "fo"}, {"type": "text", "text": "ld"}], "fold"),
        ([{"type": "thinking", "thinking": "call?"}, {"type": "text", "text": "fold"}], "fold"),
        ([{"type": "text", "text": None}, {"type": "text"}, "fold", None], ""),
        (None, ""),
        ({"text": "fold"}, ""),
    ],
)
def test_the_text_may_come_in_parts_or_not_at_all(server: Fake, content: Any, text: str) -> None:
    server.answer = lambda body: chat("", message={"content": content, "refusal": None})
    answer = ask(opened(server))
    assert (answer.text, answer.error) == (text, None)


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        [{"logprob": -0.1}],
        {"content": None},
        {"content": ["fold"]},
        {"content": [{"token": "fold", "logprob": None}]},
        {"content": [{"token": "fold", "logprob": "-0.1"}]},
        {"token_logprobs": [None, -0.1]},
    ],
)
@pytest.mark.parametrize("usage", [None, {"prompt_tokens": None, "completion_tokens": -1}, [1]])
def test_what_is_optional_may_have_any_shape(server: Fake, told: Any, usage: Any) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        status, headers, data = chat("fold", logprobs=told, finish_reason=None)
        return status, headers, {**data, "usage": usage}

    server.answer = answer
    found = ask(opened(server))
    assert (found.text, found.error, found.logprob) == ("fold", None, None)
    assert (found.tokens_in, found.tokens_out) == (0, 0)


def test_counts_may_be_floats_and_logprobs_as_older_servers_tell_them(server: Fake) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        _, _, data = chat("fold", logprobs={"token_logprobs": [-0.5, -1.5]})
        return 201, {}, {**data, "usage": {"prompt_tokens": 5.0, "completion_tokens": True}}

    server.answer = answer
    found = ask(opened(server))
    assert (found.logprob, found.tokens_in, found.tokens_out) == (-1.0, 5, 0)


def test_an_answer_that_ran_out_of_tokens_is_known_to_be_cut(server: Fake) -> None:
    server.answer = lambda body: chat("raise to 7", finish_reason="length")
    assert ask(opened(server)).cut
    server.answer = lambda body: chat("", message={"content": None}, finish_reason="length")
    answer = ask(opened(server), (Message("user", "?"),))
    assert answer.cut and answer.error is None


def test_a_byte_order_mark_before_the_answer_is_no_fault(server: Fake) -> None:
    server.answer = lambda body: (200, {}, "\ufeff" + json.dumps(chat("fold")[2]))
    assert ask(opened(server)).text == "fold"


# -- choices -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "constraint", "sent"),
    [
        ("vllm", None, {"structured_outputs": {"choice": ["fold", 'raise "4"']}}),
        ("vllm", "guided_choice", {"guided_choice": ["fold", 'raise "4"']}),
        ("llamacpp", None, {"grammar": r'root ::= "fold" | "raise \"4\""'}),
    ],
)
def test_choices_are_put_as_the_server_understands_them(
    server: Fake, owner: str, constraint: Any, sent: dict[str, Any]
) -> None:
    server.models = 200, {}, {"data": [{"id": "m", "owned_by": owner}]}
    server.answer = lambda body: chat('raise "4"')
    answer = ask(opened(server, constraint=constraint), choices=[["fold", 'raise "4"']])
    assert answer.text == 'raise "4"'
    assert server.chats[0] == server.chats[0] | sent


def test_choices_are_put_as_a_schema_where_the_server_is_not_known(server: Fake) -> None:
    server.answer = lambda body: chat('{"answer": "fold"}')
    assert ask(opened(server), choices=[["fold", "call"]]).text == "fold"
    schema = server.chats[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["fold", "call"]


@pytest.mark.parametrize("text", ["I fold.", '{"answer": "raise"}', '{"move": "fold"}', "[]"])
def test_an_answer_that_is_no_choice_is_an_error(server: Fake, text: str) -> None:
    server.answer = lambda body: chat(text)
    answer = ask(opened(server), choices=[["fold", "call"]])
    assert answer.text == "" and answer.error is not None
    assert "none of the choices" in answer.error and "json_schema" in answer.error


@pytest.mark.parametrize(
    "thought", ["<think>\n{}\n</think>\n", "hm\n</think>", "[THINK]hm[/THINK]"]
)
def test_a_choice_may_come_after_a_thought(server: Fake, thought: str) -> None:
    server.answer = lambda body: chat(thought + '{"answer": "fold"}')
    assert ask(opened(server), choices=[["fold", "call"]]).text == "fold"


def test_a_choice_that_was_cut_is_no_choice(server: Fake) -> None:
    server.answer = lambda body: chat("raise to 7", finish_reason="length")
    endpoint = opened(server, constraint="structured_outputs")
    answer = ask(endpoint, choices=[["raise to 7", "raise to 75"]])
    assert answer.text == "" and "was cut before its end" in answer.error
    server.answer = lambda body: chat("<think>so", finish_reason="length")
    error = ask(endpoint, (Message("user", "?"),), choices=[["fold", "call"]]).error
    assert "<think> is not closed" in error


# -- scores ------------------------------------------------------------------------------------


def scorer(path: str, body: dict[str, Any], echo: bool = True) -> Reply:
    """vLLM's /tokenize, a token a letter, and its echo: letter x has log-probability -x/100."""
    if path == "/tokenize":
        text = "".join(m["content"] for m in body.get("messages", ())) or body["prompt"]
        return 200, {}, {"tokens": [ord(letter) for letter in text]}
    assert path == "/v1/completions" and body["echo"] and body["max_tokens"] == 1
    choices = []
    for index, prompt in enumerate(body["prompt"]):
        told = [None, *(-token / 100 for token in prompt[1:])] if echo else []
        logprobs = {"token_logprobs": [*told, -9.0]}
        choices.append({"index": index, "text": "", "logprobs": logprobs})
    return 200, {}, {"choices": choices[::-1]}


def test_continuations_are_scored_where_the_server_echoes_logprobs(server: Fake) -> None:
    server.scorer = scorer
    endpoint = opened(server)
    assert endpoint.scores
    one, two = endpoint.score([QUESTION, (Message("user", "and now"),)], [["ab", "b"], ["c"]])
    np.testing.assert_allclose(one.logprobs, [-(97 + 98) / 100, -98 / 100])
    np.testing.assert_allclose(two.logprobs, [-99 / 100])
    assert one.tokens.tolist() == [2, 1] and one.tokens_in == len("fold or call?")


def test_a_server_that_accepts_echo_in_vain_does_not_score(server: Fake) -> None:
    server.scorer = lambda path, body: scorer(path, body, echo=False)
    endpoint = opened(server)
    assert not endpoint.scores
    with pytest.raises(NotImplementedError):
        endpoint.score([QUESTION], [["a"]])


def test_a_prompt_that_cannot_be_scored_costs_the_others_nothing(server: Fake) -> None:
    def reply(path: str, body: dict[str, Any]) -> Reply:
        if path == "/v1/completions" and len(body["prompt"][0]) > 50:
            return 400, {}, {"error": {"message": "longer than the context"}}
        return scorer(path, body)

    server.scorer = reply
    long = (Message("user", "x" * 100),)
    good, bad = opened(server).score([QUESTION, long], [["a"], ["a"]])
    assert good.error is None and len(good.logprobs) == 1
    assert bad.error is not None and "longer than the context" in bad.error
    assert len(bad.logprobs) == len(bad.tokens) == 0


# -- trouble -----------------------------------------------------------------------------------


def failing(times: int, *reply: Any) -> Callable[[dict[str, Any]], Reply]:
    left = [reply] * times
    return lambda body: left.pop() if left else chat("call")


def test_it_waits_as_long_as_retry_after_asks(server: Fake) -> None:
    pauses: list[float] = []
    endpoint = opened(server, pauses)
    server.answer = failing(2, 429, {"Retry-After": "17"}, {"error": {"message": "slow down"}})
    assert ask(endpoint).text == "call"
    assert pauses == [17.0, 17.0]
    assert len(server.chats) == 3


def test_pauses_grow_exponentially(server: Fake) -> None:
    pauses: list[float] = []
    endpoint = opened(server, pauses, retries=8)
    server.answer = failing(8, 500, {}, "")
    assert ask(endpoint).text == "call"
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_it_gives_up_with_the_servers_words(server: Fake) -> None:
    endpoint = opened(server, retries=2)
    server.answer = failing(9, 503, {}, {"error": {"message": "overloaded"}})
    error = ask(endpoint).error
    assert error == f"{server.url} answers 503 to /v1/chat/completions: overloaded, tried 3 times"
    server.answer = failing(9, 429, {"Retry-After": "86400"}, {"error": "come back tomorrow"})
    assert "come back tomorrow" in ask(endpoint).error
    assert len(server.chats) == 4  # a day is not waited for


@pytest.mark.parametrize(
    ("code", "tried"), [(429, 3), ("503", 3), (402, 1), ("rate_limited", 1), (None, 1)]
)
def test_an_error_within_a_success_is_the_servers_and_is_tried_again(
    server: Fake, code: Any, tried: int
) -> None:
    server.answer = lambda body: (200, {}, {"error": {"message": "upstream", "code": code}})
    error = ask(opened(server, retries=2)).error
    assert f"answers {code if tried == 3 or code == 402 else 200} to /v1" in error
    assert ": upstream" in error
    assert len(server.chats) == tried


def test_an_answer_that_broke_off_is_not_the_models(server: Fake) -> None:
    server.answer = failing(
        1, *chat("fold", finish_reason="error", error={"code": 502, "message": "died"})
    )
    assert ask(opened(server)).text == "call"
    assert len(server.chats) == 2


def test_an_empty_account_is_not_waited_for(server: Fake) -> None:
    said = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
    server.answer = lambda body: (429, {}, said)
    assert "exceeded your quota" in ask(opened(server)).error
    assert len(server.chats) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([{"error": {"message": "API key not valid."}}], "API key not valid."),
        ({"detail": [{"loc": ["body"], "msg": "extra fields"}]}, "extra fields"),
        ({"error": {"message": {"a": 1}}}, "{'a': 1}"),
        ({"error": "no"}, "no"),
    ],
)
def test_servers_words_are_found_where_they_put_them(server: Fake, body: Any, words: str) -> None:
    server.answer = lambda _: (400, {}, body)
    assert ask(opened(server)).error.endswith(f": {words}")


@pytest.mark.parametrize("wait", ["soon", "-5", "nan", "Fri, 99 Foo 0000", ""])
def test_a_wait_that_says_nothing_is_ours_to_choose(server: Fake, wait: str) -> None:
    pauses: list[float] = []
    server.answer = failing(1, 429, {"Retry-After": wait}, {"error": "slow"})
    assert ask(opened(server, pauses)).text == "call"
    assert pauses == [1.0]


def test_what_does_not_pass_is_not_tried_again(server: Fake) -> None:
    server.answer = lambda body: (400, {}, {"error": {"message": "maximum context is 4096 tokens"}})
    error = ask(opened(server)).error
    assert error is not None and "maximum context is 4096 tokens" in error
    assert len(server.chats) == 1


def test_a_silent_server_is_a_time_out_of_its_prompt_alone(server: Fake) -> None:
    released = threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][0]["content"] == "slow":
            released.wait(10)
        return chat("call")

    server.answer = answer
    endpoint = opened(server, timeout=0.2, retries=0)
    slow, quick = endpoint.generate([(Message("user", "slow"),), QUESTION], max_tokens=4)
    released.set()
    assert slow.error == f"{server.url} gave no answer within 0.2 s"
    assert quick.text == "call"


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((200, {}, "<html>Welcome to nginx!</html>"), "no JSON ('<html>Welcome to nginx!</html>')"),
        ((200, {}, '{"choices": [{"mess'), "no JSON"),
        ((200, {}, {"object": "chat.completion"}), "'choices' is missing"),
        ((200, {}, {"choices": []}), "'choices' is empty"),
        ((200, {}, {"choices": [{"index": 0}]}), "'choices[0].message' is missing"),
        ((200, {}, {"choices": ["fold"]}), "'choices[0]' is not a dict"),
        ((200, {}, {"choices": [None]}), "'choices[0]' is not a dict"),
        ((200, {}, [1, 2]), "'choices' is missing"),
        ((404, {}, {"error": {"message": "The model `m` does not exist"}}), "404"),
        ((302, {"Location": "http://127.0.0.1:9/"}, ""), "302"),
        (chat("", finish_reason="content_filter"), "content filter"),
        (chat("", message={"refusal": "I do not gamble"}), "refuses: I do not gamble"),
        (chat("fo", finish_reason="error"), "broke off with an error"),
    ],
)
def test_nonsense_is_told_in_a_sentence(server: Fake, reply: Reply, sentence: str) -> None:
    server.answer = lambda body: reply
    answer = ask(opened(server))
    assert answer.text == "" and answer.error is not None
    assert answer.error.startswith(server.url) and sentence in answer.error
    assert "\n" not in answer.error


def test_a_call_that_the_clock_ends_sends_no_more(server: Fake) -> None:
    released = threading.Event()

    def answer(body: dict[str, Any]) -> Reply:
        released.wait(10)
        return chat("call")

    server.answer = answer
    endpoint = opened(server, concurrency=1)
    with pytest.raises(TimeUp), Clock(0.2).running("agent"):
        endpoint.generate([(Message("user", str(n)),) for n in range(5)], max_tokens=4)
    server.answer = lambda body: chat("again")
    assert ask(endpoint).text == "again"  # while the first request is still under way
    released.set()
    assert len(server.chats) == 2


# -- limits ------------------------------------------------------------------------------------


def test_requests_are_spread_over_the_minute(server: Fake) -> None:
    pauses: list[float] = []
    transport = {"pause": lambda seconds, _: pauses.append(seconds), "clock": lambda: 100.0}
    endpoint = Endpoint(
        server.url, settings=EndpointSettings(per_minute=30, record=None), transport=transport
    )
    before = len(pauses)
    for _ in range(3):
        ask(endpoint)
    np.testing.assert_allclose(np.diff(pauses[before:]), 2.0)


# -- opening -----------------------------------------------------------------------------------


def refusal(checkpoint: str, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        Endpoint(
            checkpoint,
            settings=EndpointSettings(**{"record": None, **settings}),
            transport={"pause": lambda seconds, _: None},
        )
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_endpoint_that_is_down_is_refused(server: Fake) -> None:
    said = refusal("http://127.0.0.1:9/v1")
    assert "http://127.0.0.1:9/v1 cannot be reached" in said and "start the server" in said


def test_a_wrong_url_is_refused(server: Fake) -> None:
    server.models = 404, {}, "<html>not found</html>"
    assert "ends in /v1" in refusal(server.url)
    server.models = 200, {}, "<html>a page</html>"
    assert "no JSON" in refusal(server.url)
    server.models = 200, {}, {"hello": "world"}
    assert "something else than a list of models" in refusal(server.url)
    assert "no user or password" in refusal("https://user:password@example.org/v1")


def test_the_model_is_named_or_the_only_one(server: Fake) -> None:
    server.models = 200, {}, {"data": [{"id": "org/large"}, {"id": "org/small"}]}
    assert refusal(server.url).endswith("serves 2 models; name one: org/large, org/small")
    assert "serves no model 'tiny'" in refusal(f"{server.url}#tiny")
    assert Endpoint(f"{server.url}#org/small").name == "org/small"


@pytest.mark.parametrize(
    "models",
    [
        [{"id": "m"}],
        {"data": ["m"]},
        {"data": {"m": {"id": "m"}}},
        {"data": [{"id": "m", "meta": None, "owned_by": None}, None, 3, {"id": None}]},
    ],
)
def test_lists_of_models_come_in_many_shapes(server: Fake, models: Any) -> None:
    server.models = 200, {}, models
    endpoint = opened(server)
    assert (endpoint.name, endpoint.server, endpoint.context) == ("m", "", None)


def test_a_server_that_lists_no_models_is_used_where_its_setting_says_so(server: Fake) -> None:
    server.models = 404, {}, {"detail": "Not Found"}
    assert "set models: false" in refusal(server.url)
    server.models = 200, {}, {"data": None}
    assert "set models: false" in refusal(server.url)
    assert f"name one: {server.url}#" in refusal(server.url, models=False)
    endpoint = Endpoint(f"{server.url}#own", settings=EndpointSettings(record=None, models=False))
    assert ask(endpoint).text == "call" and server.chats[-1]["model"] == "own"
    assert not any(path == "/v1/models" for path, _ in server.requests[2:])


def test_the_context_is_what_the_server_says(server: Fake) -> None:
    server.models = 200, {}, {"data": [{"id": "m", "max_model_len": 4096}]}
    assert opened(server).context == 4096
    server.models = 200, {}, {"data": [{"id": "m", "meta": {"n_ctx": 2048}}]}
    assert opened(server).context == 2048


def test_a_wanted_key_is_named(server: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    server.models = 401, {}, {"error": {"message": f"Incorrect API key: {KEY}"}}
    said = refusal(server.url)
    assert "$OPENAI_API_KEY" in said and KEY not in said
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "wants a key, and $OPENAI_API_KEY gives none" in refusal(server.url)
    assert "key in $OTHER_KEY, which is not set" in refusal(server.url, key="OTHER_KEY")


# -- the record and the ledger -----------------------------------------------------------------


def test_a_recorded_answer_is_not_asked_for_again(server: Fake, tmp_path: Path) -> None:
    first = ask(opened(server, record=str(tmp_path / "r"), price_in=2.0, price_out=5.0))
    again = ask(opened(server, record=str(tmp_path / "r"), price_in=2.0, price_out=5.0))
    assert first.cost == pytest.approx(100 * 2e-6 + 10 * 5e-6)
    assert (again.text, again.tokens_in, again.cost) == ("call", 100, 0.0)
    assert len(server.chats) == 1


def test_a_league_can_be_asked_again_with_the_server_gone(server: Fake, tmp_path: Path) -> None:
    record = str(tmp_path / "r")
    server.scorer = scorer
    live = opened(server, record=record)
    ask(live)
    score = live.score([QUESTION], [["a", "b"]])
    sent = len(server.requests)
    replayed = Endpoint(server.url, settings=EndpointSettings(record=record, replay=True))
    assert (replayed.name, replayed.scores) == ("m", True)
    assert ask(replayed).text == "call"
    assert replayed.score([QUESTION], [["a", "b"]])[0].logprobs.tolist() == (
        score[0].logprobs.tolist()
    )
    assert "holds no answer" in ask(replayed, (Message("user", "something new"),)).error
    assert len(server.requests) == sent


def test_a_replay_without_a_record_is_refused(server: Fake, tmp_path: Path) -> None:
    assert "there is no record" in refusal(server.url, record=str(tmp_path / "r"), replay=True)
    opened(server, record=str(tmp_path / "r"))
    other = f"{server.url}#other"
    assert "holds nothing of" in refusal(other, record=str(tmp_path / "r"), replay=True)
    (tmp_path / "text").write_text("no database, but long enough to be looked at as one" * 9)
    assert "cannot be opened" in refusal(server.url, record=str(tmp_path / "text"))


def test_a_record_that_breaks_is_an_error_of_the_answer(server: Fake, tmp_path: Path) -> None:
    endpoint = opened(server, record=str(tmp_path / "r"))
    with closing(sqlite3.connect(tmp_path / "r")) as other, other:
        other.execute("DROP TABLE answers")
    error = ask(endpoint).error
    assert error is not None and f"the record {tmp_path / 'r'} cannot be used" in error


def test_errors_are_not_recorded(server: Fake, tmp_path: Path) -> None:
    endpoint = opened(server, record=str(tmp_path / "r"), retries=0)
    server.answer = failing(1, 200, {}, "<html>")
    assert ask(endpoint).error is not None
    assert ask(endpoint).text == "call"


def test_of_two_that_ask_at_once_both_get_the_first_answer(server: Fake, tmp_path: Path) -> None:
    both, numbers = threading.Barrier(2), iter(range(10))

    def answer(body: dict[str, Any]) -> Reply:
        both.wait(10)
        return chat(f"answer {next(numbers)}")

    server.answer = answer
    endpoints = [opened(server, record=str(tmp_path / "r")) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(ask, endpoints)
    assert one.text == two.text
    assert len(server.chats) == 2


def test_the_ledger_has_a_line_for_each_request(server: Fake, tmp_path: Path) -> None:
    log = tmp_path / "costs.jsonl"
    endpoint = opened(server, log=str(log), price_in=1.0, price_out=2.0, retries=1)
    ask(endpoint)
    ask(endpoint)  # recorded: nothing is sent
    server.answer = lambda body: (500, {}, "down")
    ask(endpoint, (Message("user", "other"),))
    good, bad = map(json.loads, log.read_text().splitlines())
    assert good["model"] == "m" and good["attempts"] == 1 and good["seconds"] >= 0
    assert (good["tokens_in"], good["tokens_out"]) == (100, 10)
    assert good["cost"] == pytest.approx(120e-6)
    assert "500" in bad["error"] and "cost" not in bad


def test_the_key_is_sent_and_kept_nowhere(server: Fake, tmp_path: Path) -> None:
    record, log = tmp_path / "r", tmp_path / "l"
    endpoint = opened(server, record=str(record), log=str(log))
    ask(endpoint)
    server.answer = lambda body: (400, {}, {"error": {"message": f"bad request by {KEY}"}})
    error = ask(endpoint, (Message("user", "other"),)).error
    assert server.keys == {f"Bearer {KEY}"}
    assert "bad request by …" in error
    assert KEY.encode() not in record.read_bytes() + log.read_bytes()
    assert KEY not in repr(endpoint) + repr(vars(endpoint))


@pytest.mark.parametrize("end", ["\n", "\r\n", " \t"])
def test_white_space_around_a_key_is_not_part_of_it(
    server: Fake, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY + end)
    assert ask(opened(server)).text == "call"
    assert server.keys == {f"Bearer {KEY}"}


@pytest.mark.parametrize("inside", ["\n", "\r", "é", "\x7f", "\udc80"])
def test_a_key_that_no_header_holds_is_refused_and_not_shown(
    server: Fake, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very" + inside + "secret")
    said = refusal(server.url)
    assert "$OPENAI_API_KEY" in said and "very" not in said and "secret" not in said


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY", "SSL_CERT_FILE"])
def test_a_password_in_the_environment_is_not_shown(
    server: Fake, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv(variable, "foo://user:password@proxy")
    said = refusal(server.url)
    assert f"${variable}" in said and "password" not in said


def test_no_failure_of_the_connection_shows_the_key(server: Fake) -> None:
    """Whatever the client's library says: its errors are not ours to trust."""
    endpoint = opened(server, retries=0)

    def broken(*_: Any, **__: Any) -> Any:
        raise httpx.LocalProtocolError(f"Illegal header value b'Bearer {KEY}'")

    endpoint._transport._client.stream = broken
    error = ask(endpoint).error
    assert "Illegal header value b'Bearer …'" in error and KEY not in error


def test_the_default_key_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []

    class Spy:
        def __init__(self, url: str, *, key: str | None, **_: Any) -> None:
            sent.append(key)

        def ask(self, *_: Any, **__: Any) -> Any:
            return {"data": [{"id": "m"}]}, 1

    monkeypatch.setattr("arena.agents.llm.backends.transport.Transport", Spy)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for url in ("https://example.org/v1", "http://localhost:1/v1", "http://example.org/v1"):
        Endpoint(url, settings=EndpointSettings(record=None))
    Endpoint("http://example.org/v1", settings=EndpointSettings(record=None, key="OPENAI_API_KEY"))
    assert sent == [KEY, KEY, None, KEY]


# -- settings ----------------------------------------------------------------------------------


def test_settings_come_from_a_file_by_url_and_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "endpoints.yaml"
    monkeypatch.setenv("ARENA_ENDPOINTS", str(file))
    file.write_text(
        "http://a/v1: {timeout: 5, per_minute: 60}\n"
        "http://a/v1#large: {timeout: 50, price_in: 1.5, leave_out: [logprobs]}\n"
    )
    assert settings_for("http://b/v1", "large") == EndpointSettings()
    assert settings_for("http://a/v1", None) == EndpointSettings(timeout=5.0, per_minute=60)
    large = EndpointSettings(timeout=50.0, per_minute=60, price_in=1.5, leave_out=("logprobs",))
    assert settings_for("http://a/v1", "large") == large


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("http://a/v1: {timeouts: 5}", "no option 'timeouts'; did you mean 'timeout'?"),
        ("http://a/v1: {timeout: soon}", "is not a finite number"),
        ("http://a/v1: {timeout: 0}", "timeout=0.0 must be above 0"),
        ("http://a/v1: {constraint: regex}", "is none of structured_outputs"),
        ("http://a/v1: {replay: true, record: 'none'}", "replay=true needs a record"),
        ("- http://a/v1", "must map URLs of endpoints to settings"),
        ("a: [", "not YAML"),
        ("http://a/v1: {}\nhttp://a/v1/: {}", "has http://a/v1/ twice"),
        ("http://a/v1: {}\nhttp://a/v1: {}", "is given twice"),
    ],
)
def test_wrong_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    file = tmp_path / "endpoints.yaml"
    file.write_text(text)
    monkeypatch.setenv("ARENA_ENDPOINTS", str(file))
    with pytest.raises(InputError) as caught:
        settings_for("http://a/v1", None)
    assert sentence in str(caught.value) and "endpoints.yaml" in str(caught.value)
