"""Where a store is: the file that was named, in any folder; nothing that is forgotten."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from arena.envs.errors import InputError
from arena.leagues.location import locate, network
from arena.leagues.store import Store


@pytest.mark.parametrize(
    "where",
    [
        "",
        "  ",
        ":memory:",
        " :memory: ",
        "file::memory:",
        "file::memory:?cache=shared",
        "file:x.db?mode=memory",
        "sqlite://",
        "sqlite:///",
        "sqlite+pysqlite://",
        "sqlite:///:memory:",
        "sqlite:///:memory:?cache=shared",
        "sqlite+pysqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "SQLITE:///:MEMORY:",
    ],
)
def test_a_store_in_memory_is_refused_in_every_spelling(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="would be forgotten at the end"):
        Store(where, create=True)
    assert not any(path.is_file() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "name",
    ["what?.db", "a%20b.db", "a b.db", "a#b.db", "größe.db", "x?mode=ro&y.db", "100%.db", "a:b.db"],
)
def test_a_file_is_called_as_its_user_called_it(tmp_path, monkeypatch, name, make_league):
    monkeypatch.chdir(tmp_path)
    store = Store(name, create=True)
    store.add_league(make_league(["random", "first"]))
    store.close()
    assert [path.name for path in tmp_path.glob("*.db")] == [name]
    assert len(Store(name).leagues()) == 1


def test_a_sqlite_url_names_a_file_too(tmp_path):
    Store(f"sqlite:///{tmp_path}/a.db", create=True).close()
    assert (tmp_path / "a.db").is_file()


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("file:a.db", "without file:"),
        ("sqlite:///a.db?mode=ro", "name a SQLite file, sqlite:///PATH"),
        ("sqlite://host/a.db", "name a SQLite file, sqlite:///PATH"),
        ("mysql://me@host/arena", "postgresql\\+psycopg://"),
        ("sqlite://:1x", "cannot be opened"),
    ],
)
def test_what_names_no_store_is_a_sentence(where, sentence):
    with pytest.raises(InputError, match=sentence):
        locate(where)


# -- a folder that may only be read ----------------------------------------------------------------

_READ = """
import os, sys
from arena.leagues.store import Store
if os.geteuid() == 0:  # whom no mode of a folder stops
    os.setegid(65534), os.seteuid(65534)
try:
    print(Store(sys.argv[1]).find().matches)
except Exception as error:
    print(error)
"""


@pytest.fixture
def sealed():
    """A folder for a store; ``sealed(path)`` is what a reader says who may not write in it."""
    with tempfile.TemporaryDirectory() as name:  # for pytest's may be seen by their owner alone
        folder = Path(name)

        def read(path: Path, mode: int = 0o555) -> str:
            folder.chmod(mode)
            command = [sys.executable, "-c", _READ, path]
            done = subprocess.run(command, capture_output=True, text=True)
            folder.chmod(0o755)
            return done.stdout.strip() + done.stderr

        read.folder = folder
        yield read


def test_a_store_in_a_folder_that_is_read_only_is_read(sealed, make_league, play):
    store = Store(str(sealed.folder / "a.db"), create=True)
    play(make_league(["random", "first"]), store)
    store.close()
    path = Path(store.where)
    path.chmod(0o444)
    assert sealed(path) == "2"
    assert [file.name for file in sealed.folder.iterdir()] == ["a.db"]


def test_a_store_that_is_being_written_is_read_there_too(sealed, make_league, play):
    store = Store(str(sealed.folder / "a.db"), create=True)
    play(make_league(["random", "first"]), store)  # what it wrote lies in the log beside it
    assert (sealed.folder / "a.db-wal").stat().st_size > 0
    assert sealed(Path(store.where)) == "2"


def test_what_cannot_be_read_there_says_what_to_do(sealed, make_league, play):
    """Half of a store: its log was copied, what makes the log readable cannot be written."""
    store = Store(str(sealed.folder / "a.db"), create=True)
    play(make_league(["random", "first"]), store)
    (sealed.folder / "a.db-shm").unlink()
    assert "its folder may not be written; copy it" in sealed(Path(store.where))


def test_a_folder_that_may_not_be_looked_into_is_a_sentence(sealed):
    path = sealed.folder / "a.db"
    Store(str(path), create=True).close()
    assert sealed(path, 0o700) == f"store {path} cannot be opened (Permission denied)"


def test_a_reader_leaves_nothing_behind(tmp_path, make_league, play):
    store = Store(str(tmp_path / "a.db"), create=True)
    play(make_league(["random", "first"]), store)
    store.close()
    before = sorted(tmp_path.glob("a.db*")), (tmp_path / "a.db").read_bytes()
    assert Store(store.where).find().matches == 2
    assert (sorted(tmp_path.glob("a.db*")), (tmp_path / "a.db").read_bytes()) == before


# -- network file systems --------------------------------------------------------------------------

MOUNTS = """\
22 28 0:21 / / rw,relatime shared:1 - ext4 /dev/root rw
31 22 0:40 / /mnt/lab rw,relatime shared:2 - nfs4 server:/lab rw
32 31 0:41 / /mnt/lab/scratch\\040disk rw,relatime - xfs /dev/sdb rw
33 22 0:42 / /home/me/far rw - fuse.sshfs me@far: rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tmp/a.db", ""),
        ("/mnt/lab/a.db", "nfs4"),
        ("/mnt/lab/scratch disk/a.db", ""),
        ("/mnt/laboratory/a.db", ""),
        ("/home/me/far/x/a.db", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_known(path, kind):
    assert network(Path(path), MOUNTS) == kind


def test_on_a_network_file_system_there_is_no_write_ahead_log(tmp_path, monkeypatch, caplog):
    """It needs memory that all users of the file share."""
    monkeypatch.setattr("arena.leagues.location.network", lambda path: "nfs4")
    path = tmp_path / "a.db"
    Store(str(path), create=True).close()
    assert "lies on a network file system (nfs4)" in caplog.text
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("delete",)
