"""The clock interrupts who is late, and says where it may have been another's fault."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from arena.leagues.clock import Clock, TimeUp
from arena.leagues.process import Process


def spin(seconds: float) -> None:
    """Use that much of this thread's processor time."""
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_who_computes_for_too_long_is_late_beyond_doubt(monkeypatch):
    monkeypatch.setattr(time, "thread_time", time.monotonic)  # as on a core of its own
    with pytest.raises(TimeUp) as late, Clock(0.2).running("agent"):
        spin(10)
    assert not late.value.doubtful


@pytest.mark.parametrize("body", [lambda: time.sleep(10), lambda: spin(0.15) or time.sleep(10)])
def test_who_waits_for_too_long_is_late_in_doubt(body):
    with pytest.raises(TimeUp) as late, Clock(0.3).running("agent"):
        body()
    assert late.value.doubtful


def test_another_threads_work_leaves_a_doubt():
    over = threading.Event()

    def busy() -> None:
        while not over.is_set():
            pass

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        with pytest.raises(TimeUp) as late, Clock(0.4).running("agent"):
            spin(10)
        assert late.value.doubtful
    finally:
        over.set()
        thread.join()


def test_a_process_that_was_stopped_has_all_of_its_time_again():
    """SIGSTOP for longer than the clock, as Ctrl-Z does, in the middle of an agent's call."""
    stopper = (
        "import os, signal, time; "
        f"time.sleep(0.1); os.kill({os.getpid()}, signal.SIGSTOP); "
        f"time.sleep(1.0); os.kill({os.getpid()}, signal.SIGCONT)"
    )
    with subprocess.Popen([sys.executable, "-c", stopper]) as process:
        begun = time.monotonic()
        with Clock(0.8).running("agent"):
            while process.poll() is None:
                time.sleep(0.01)
            time.sleep(0.3)
        assert time.monotonic() - begun > 1.3  # wall time: far more than the clock


def test_a_clock_of_its_own_saves_nobody():
    """An agent that replaces the handler and the timer is late when it comes back."""
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(TimeUp), Clock(0.1).running("agent"):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        time.sleep(1.3)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_closed_file_that_the_process_needs_is_told_of_the_agent():
    reading, writing = os.pipe()
    said: list[str] = []
    with pytest.raises(ZeroDivisionError):
        process = Process([writing], lambda sentence: said.append(sentence) or 1 / 0)
        with Clock(None, process=process).running("agent"):
            os.close(writing)
    os.close(reading)
    assert said == ["agent agent has closed files of the process that it plays in"]
