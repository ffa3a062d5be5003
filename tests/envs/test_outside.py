"""What comes from outside goes through one door, which says in a sentence what is wrong."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from arena.envs import outside
from arena.envs.errors import InputError

PACKERS = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.fixture(params=["", *PACKERS])
def packing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def packed(data: bytes, packing: str) -> bytes:
    return PACKERS[packing](data) if packing else data


def test_every_packing_and_a_byte_order_mark_read_alike(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"hands.phhs{packing}"
    file.write_bytes(packed("\ufeffgrüße\r\n\nzwei\n".encode(), packing))
    assert outside.ending(file) == ".phhs"
    assert outside.read_text(file) == "grüße\r\n\nzwei\n"
    assert list(outside.read_lines(file)) == [(1, "grüße"), (3, "zwei")]


@pytest.mark.parametrize("packing", PACKERS)
def test_parts_follow_one_another_and_a_torn_one_is_refused(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"log{packing}"
    file.write_bytes(packed(b"one\n", packing) + packed(b"two\n", packing))
    assert outside.read_text(file) == "one\ntwo\n"
    assert outside.read_bytes(file) == outside.read_bytes(file)
    for data in (packed(b"one\n" * 999, packing)[:-6], b"", b"plain text"):
        file.write_bytes(data)
        with pytest.raises(InputError, match=r"is not a"):
            outside.read_text(file)


@pytest.mark.parametrize("packing", PACKERS)
def test_a_bomb_is_refused_before_it_unpacks(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"bomb{packing}"
    file.write_bytes(packed(bytes(2**26), packing))
    with pytest.raises(InputError, match="holds more than"):
        outside.read_bytes(file)


def test_what_a_file_is_packed_to_is_read_back(tmp_path: Path, packing: str) -> None:
    file = tmp_path / f"x{packing}"
    file.write_bytes(outside.pack(b"abc", file))
    assert outside.read_bytes(file) == b"abc"


def test_bytes_that_are_no_text_are_placed(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes(b"ab\ncd\xff\n")
    for read in (outside.read_text, lambda path: list(outside.read_lines(path))):
        with pytest.raises(InputError, match="line 2, column 3: not UTF-8"):
            read(file)


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes(b"short\n" + b"x" * 101)
    with pytest.raises(InputError, match="line 2 has more than 100 bytes"):
        list(outside.read_lines(file, longest=100))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7: not JSON"),
        ("[" * 5000, "deep"),
        ("[" * 65 + "]" * 65, "deep"),
        ("NaN", "NaN is not a number"),
        ("1e999", "1e999 is not a number"),
        ('{"a": 1, "a": 2}', "'a' is given twice"),
    ],
)
def test_json_says_where_it_is_none(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        outside.parse_json(text, "x.json")


@pytest.mark.parametrize("text", ["{", "[" * 300 + "]" * 300, "[" * 99999, "NaN"])
def test_a_record_is_quick_and_no_deeper_than_other_json(text: str) -> None:
    assert outside.parse_record(b'{"a": [1]}', "line 1") == {"a": [1]}
    for given in (text, text.encode()):
        with pytest.raises(InputError, match="line 1: "):
            outside.parse_record(given, "line 1")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = 1\nb = [", "line 2, column 6: not TOML"),
        ("a = 1\nb == 2", "line 2, column 4: not TOML"),
        ("a = " + "[" * 9000, "deep"),
        ("a = " + "[" * 65 + "]" * 65, "deep"),
        ("x = 1\n" + "a." * 70 + "b = 1", "line 2: a name has more than 64 parts"),
        ("a = " + "9" * 5000, "not TOML"),
        ("a = [0x" + "f" * 99999 + "]", "beyond 64 bits"),
        ("a = 1e99999999999999999999", "not TOML"),
    ],
)
def test_toml_says_where_it_is_none(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        outside.parse_toml(text, "x.toml")


def test_yaml_keeps_every_scalar_as_it_is_written() -> None:
    text = "a: no\nb: [010, 1:30, ~, 1.10, '']\nc: 2020-01-01"
    assert outside.parse_yaml(text, "x") == {
        "a": "no",
        "b": ["010", "1:30", "~", "1.10", ""],
        "c": "2020-01-01",
    }


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a: 1\nb: [", "line 3, column 1: not YAML"),
        ("a: 1\na: 2", "line 2, column 1: not YAML .*given twice"),
        ("[" * 100, "deep"),
        (LAUGHS, "aliases stand for more than"),
        ("a: &a [*a]", "aliases stand for more than"),
        ("[a]: b", "a field's name must be text"),
        ("a: \x00", "not YAML"),
        ("x" * 2**21, "longer than"),
    ],
)
def test_yaml_says_where_it_is_none(text: str, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        outside.parse_yaml(text, "x.yaml")


@pytest.mark.parametrize("text", ["٥", "５", "1_0", "+11", " 1", "1e3", "0x1", "", "9" * 30, "-1"])
def test_a_whole_number_is_of_ascii_digits_and_within_bounds(text: str) -> None:
    assert outside.whole("007", "n") == 7
    with pytest.raises(InputError, match=r"n .* is not a whole number from 0 to 10"):
        outside.whole(text, "n", most=10)


@pytest.mark.parametrize("text", ["٥", "0_0.5", "nan", "inf", "1e999", "--1", ".", "1" * 500])
def test_a_number_is_finite_and_of_ascii_digits(text: str) -> None:
    assert outside.as_number("-1.5e-2") == -0.015
    assert outside.as_number(text) is None


@pytest.mark.parametrize("name", ["", "  ", "\x1b[31mred", "two\nlines", "\u202eright", "x" * 501])
def test_a_name_is_one_that_can_be_printed(name: str) -> None:
    assert outside.check_name("Grüße no 1", "agents") == "Grüße no 1"
    with pytest.raises(InputError, match="is not a name"):
        outside.check_name(name, "agents")
