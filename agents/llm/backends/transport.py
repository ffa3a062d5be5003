"""Requests to an endpoint: retried while that may help, and given up with one sentence.

What may pass is tried again: no connection, a time-out, too many requests (429), a server's own
trouble (5xx). The pauses grow exponentially with full jitter (Brooker 2015, Exponential Backoff And
Jitter, AWS Architecture Blog), and are never shorter than what the server's ``Retry-After`` asks
for.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from arena.agents.llm.backends.protocol import NoAnswer, complaint, failure_within
from arena.envs.errors import InputError
from arena.envs.outside import parse_record

_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_LONGEST_PAUSE = 60.0  # seconds, of those that are ours to choose
_LONGEST_WAIT = 300.0  # seconds that a server may ask for and be waited for
_LARGEST_ANSWER = 2**26  # bytes
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RANDOM = random.SystemRandom()  # not the global generator, on which others may depend

Pause = Callable[[float, threading.Event], object]


class Given(Exception):
    """Nobody waits for the answer any more."""


class _Passing(NoAnswer):
    """A failure that may pass, after ``wait`` seconds at least."""

    def __init__(self, sentence: str, status: int | None = None, wait: float = 0.0) -> None:
        super().__init__(sentence, status)
        self.wait = wait


class Transport:
    """Sends JSON and gets JSON; may be used from several threads.

    Args:
        url: of the endpoint, what error sentences begin with.
        key: goes into the Authorization header, and nowhere else.
        key_name: the variable that the key comes from, or would come from.
        timeout: seconds that a request may take, its answer included.
        retries: attempts after the first.
        connections: how many are kept for requests to come; the caller bounds those under way.
        per_minute: how many may begin in a minute, None: any number.
        pause: waits some seconds, or until nobody waits for the answer.
        clock: seconds.
        jitter: uniform in [0, 1).
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None,
        key_name: str,
        timeout: float,
        retries: int,
        connections: int,
        per_minute: int | None,
        pause: Pause = lambda seconds, given_up: given_up.wait(seconds),
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = _RANDOM.random,
    ) -> None:
        self.url = url
        self.timeout = timeout
        self.retries = retries
        self._key, self._key_name = key, key_name
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()
        self._pause, self._clock, self._jitter = pause, clock, jitter
        try:
            self._client = httpx.Client(
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=timeout,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
                follow_redirects=False,  # a key must not go where a server points to
            )
        except Exception:  # what it reads from the environment; its words may hold a password
            raise InputError(
                f"{url} cannot be asked: one of $HTTP_PROXY, $HTTPS_PROXY, $ALL_PROXY, "
                "$SSL_CERT_FILE and $SSL_CERT_DIR is not what httpx takes; correct it"
            ) from None

    def ask(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        *,
        given_up: threading.Event,
        retries: int | None = None,
    ) -> tuple[Any, int]:
        """The JSON that a request is answered with, and how many attempts it took.

        Raises NoAnswer where there is none, Given where ``given_up`` was set meanwhile. The key is
        in no sentence.
        """
        try:
            return self._tried(method, url, body, given_up, retries)
        except NoAnswer as failure:
            raise NoAnswer(self._safe(str(failure)), failure.status) from None

    def _tried(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        given_up: threading.Event,
        retries: int | None,
    ) -> tuple[Any, int]:
        retries = self.retries if retries is None else retries
        for attempt in range(retries + 1):
            self._wait_for_turn(given_up)
            try:
                return self._send(method, url, body, given_up), attempt + 1
            except _Passing as failure:
                if attempt == retries or failure.wait > _LONGEST_WAIT:
                    tries = f", tried {attempt + 1} times" if attempt else ""
                    raise NoAnswer(f"{failure}{tries}", failure.status) from None
                backoff = min(_LONGEST_PAUSE, 2.0**attempt) * self._jitter()
                self._pause(max(failure.wait, backoff), given_up)
        raise AssertionError("unreachable")

    def _wait_for_turn(self, given_up: threading.Event) -> None:
        if self._interval:
            with self._lock:
                now = self._clock()
                begin = max(now, self._next)
                self._next = begin + self._interval
            if begin > now:
                self._pause(begin - now, given_up)
        if given_up.is_set():
            raise Given

    def _send(
        self, method: str, url: str, body: Mapping[str, Any] | None, given_up: threading.Event
    ) -> Any:
        end = self._clock() + self.timeout
        try:
            with self._client.stream(method, url, json=body) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if given_up.is_set():
                        raise Given
                    if self._clock() > end:
                        raise httpx.ReadTimeout("")
                    if len(content) > _LARGEST_ANSWER:
                        raise NoAnswer(f"{self.url} answers with more than 64 MiB")
        except httpx.TimeoutException:
            raise _Passing(f"{self.url} gave no answer within {self.timeout:g} s") from None
        except httpx.ConnectError as error:
            raise _Passing(f"{self.url} cannot be reached ({error})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise _Passing(f"{self.url} broke off the conversation ({reason})") from None
        try:
            data = parse_record(content.removeprefix(_BYTE_ORDER_MARK), self.url)
        except InputError:
            data = None
        if not response.is_success or data is None:
            raise self._failure(response, data, bytes(content))
        if (failure := failure_within(data)) is not None:
            status = failure.status or response.status_code
            raise self._refusal(f"{status} to {response.request.url.path}: {failure.said}", status)
        return data

    def _failure(self, response: httpx.Response, data: Any, content: bytes) -> Exception:
        status = response.status_code
        said = complaint(data) or " ".join(content.decode("utf-8", "replace").split())[:120]
        path = response.request.url.path
        if response.is_success:
            what = f"to {path} with what is no JSON ({said!r})"
        elif status in (401, 403):
            what = (
                f"{status}, it does not accept the key in ${self._key_name}: {said}"
                if self._key
                else f"{status}, it wants a key, and ${self._key_name} gives none for it: {said}"
            )
        else:
            what = f"{status} to {path}: {said}"
        if _spent(data):
            return NoAnswer(f"{self.url} answers {what}", status)
        return self._refusal(what, status, _retry_after(response))

    def _refusal(self, what: str, status: int, wait: float = 0.0) -> NoAnswer:
        sentence = f"{self.url} answers {what}"
        return (
            _Passing(sentence, status, wait) if status in _PASSING else NoAnswer(sentence, status)
        )

    def _safe(self, sentence: str) -> str:
        """The sentence without the key, which some servers repeat."""
        return sentence.replace(self._key, "…") if self._key else sentence


def _spent(data: Any) -> bool:
    """Whether an account is empty, as OpenAI says with status 429: waiting fills none."""
    error = data.get("error") if isinstance(data, Mapping) else None
    return isinstance(error, Mapping) and "insufficient_quota" in (
        error.get("code"), error.get("type")
    )  # fmt: skip


def _retry_after(response: httpx.Response) -> float:
    """Seconds that a server asks to wait: RFC 9110, 10.2.3, a number or a date."""
    value = response.headers.get("Retry-After", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
