"""PokerBench (Zhuang et al., AAAI 2025): solved decisions of six-handed no-limit Hold'em.

Blinds are 0.5 and 1 chips, stacks 100 chips. The two files of game scenarios (before and after the
flop) are the data set's own, ``RZ412/PokerBench`` on the Hugging Face hub; no licence is stated, so
none of their rows is part of this project. They are read as ``.csv``, packed or not.

A move is written in one grammar, of which an answer must be one sentence: ``fold``, ``check``,
``call``, ``bet 24``, ``raise 14`` (to so many chips, as the file counts them) or ``all-in``. Case,
white space around it and zeros after the point are free, nothing else is, so that no answer stands
for two moves. Its class is its first word; ``all-in`` counts as a raise, which it is wherever the
files offer it (it is never the correct decision there). AA is the share of answers of the correct
class, EM of those that also name the correct size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Literal

from arena.agents.llm.backends.backend import Message
from arena.agents.llm.decoding.question import Question
from arena.agents.llm.prompting.holdem import words as poker_words
from arena.agents.llm.prompting.templates import Template, load_template
from arena.envs import seeding
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.outside import ending, read_rows, shown, whole
from arena.evaluation.pokerbench.facts import facts

Source = Literal["preflop", "postflop"]
SOURCES: tuple[Source, ...] = ("preflop", "postflop")
SEATS = ("UTG", "HJ", "CO", "BTN", "SB", "BB")
CLASSES = ("fold", "check", "call", "bet", "raise")
FIELDS = (
    *("position", "cards", "cards_in_words", "features", "hand_rank", "street", "board"),
    *("board_in_words", "pot", "moves", "betting", "story", "facts"),
)
"""What they may show of a row, see ``fields``."""

_MOVE = re.compile(r"fold|check|call|all-in|(?:bet|raise) (?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,20})?")
_NUMBER = r"(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,20})?"
_PREFLOP_ACT = re.compile(rf"({_NUMBER})bb|call|fold|allin")
_POSTFLOP_ACT = re.compile(r"(IP|OOP)_(CHECK|CALL|(?:BET|RAISE)_([1-9][0-9]{0,12}))")
_MOVES = re.compile(r"\[(?:'[^']*'|\"[^\"]*\")(?:, ?(?:'[^']*'|\"[^\"]*\"))*\]")
_HEADERS: dict[Source, str] = {
    "preflop": ",prev_line,hero_pos,hero_holding,correct_decision,num_players,num_bets,"
    "available_moves,pot_size",
    "postflop": ",preflop_action,board_flop,board_turn,board_river,aggressor_position,"
    "postflop_action,evaluation_at,available_moves,pot_size,hero_position,holding,correct_decision",
}
_BOARD_CARDS = {"preflop": 0, "flop": 3, "turn": 4, "river": 5}


@dataclass(frozen=True, slots=True)
class Row:
    """One decision.

    Attributes:
        source: which of the two files it is from.
        number: the file's own number of it.
        street: ``preflop``, ``flop``, ``turn`` or ``river``.
        position: the seat that decides, of ``SEATS``.
        hole: its two cards, ``AhKd``.
        board: the cards that lie open at the decision, ``Ks7h2dJc``; empty before the flop.
        acts: for each street so far, what was done: ``(("BTN", "raise 2.5"), ("BB", "call"))``.
        pot: chips in the pot, as the file says.
        moves: what the solver had to choose from, in the grammar above and the file's order.
        answer: the solver's move, one of ``moves``.
    """

    source: Source
    number: int
    street: str
    position: str
    hole: str
    board: str
    acts: tuple[tuple[tuple[str, str], ...], ...]
    pot: float
    moves: tuple[str, ...]
    answer: str

    @property
    def key(self) -> str:
        """Its name, ``postflop/17``."""
        return f"{self.source}/{self.number}"

    @property
    def group(self) -> str:
        """What nearly equal rows share.

        The flop after it; before it the actions so far and the hand up to its suits (``AKs``).
        """
        if self.board:
            return self.board[:6]
        line = " ".join(f"{seat} {move}" for seat, move in self.acts[0])
        first, second = sorted((self.hole[0], self.hole[2]), key=cards.RANKS.index, reverse=True)
        return f"{line}: {first}{second}{'s' * (self.hole[1] == self.hole[3])}"


# -- moves -----------------------------------------------------------------------------------------


def read_move(text: str) -> str:
    """The move that ``text`` is, written our way; InputError where it is not exactly one."""
    word = " ".join(text.split()).lower()
    if not _MOVE.fullmatch(word):
        raise InputError(
            f"{text[:60]!r} is not a move; write fold, check, call, bet 24, raise 14 or all-in"
        )
    name, _, size = word.partition(" ")
    return f"{name} {_amount(float(size))}" if size else name


def class_of(move: str) -> str:
    """The class that action accuracy compares, one of ``CLASSES``."""
    name = move.partition(" ")[0]
    return "raise" if name == "all-in" else name


def answer_to(row: Row, text: str) -> str:
    """The move that ``text`` names; InputError where the row offers no move of its class.

    Another size than the solver's own is a legal bet or raise, and right in its class.
    """
    move = read_move(text)
    if class_of(move) not in map(class_of, row.moves):
        raise InputError(f"{move!r} is not possible here; the moves are {', '.join(row.moves)}")
    return move


def _amount(chips: float) -> str:
    return f"{chips:.10f}".rstrip("0").rstrip(".")


# -- questions -------------------------------------------------------------------------------------


def fields(row: Row, wanted: Collection[str] = FIELDS) -> dict[str, str]:
    """What a template may show of a row, by the names of ``FIELDS``.

    ``betting`` tells the hand so far in short, ``story`` in sentences; ``facts``, which take longer
    than all others and are there only where they are ``wanted``, see ``pokerbench_facts``.
    """
    hole, board = cards.parse(row.hole), cards.parse(row.board)
    worked_out = {"facts": facts(row)} if "facts" in wanted else {}
    return worked_out | {
        "position": row.position,
        "cards": row.hole,
        "cards_in_words": poker_words.in_words(hole),
        "features": poker_words.features(hole),
        "hand_rank": poker_words.hand_rank(hole, board),
        "street": row.street,
        "board": row.board or "none",
        "board_in_words": poker_words.in_words(board),
        "pot": _amount(row.pot),
        "moves": ", ".join(row.moves),
        "betting": "\n".join(_betting(row)),
        "story": "\n".join(_story(row, board)),
    }


def _betting(row: Row) -> Iterator[str]:
    for street, acts in zip(_BOARD_CARDS, row.acts, strict=False):
        first, last = 2 * (_BOARD_CARDS[street] - 1), 2 * _BOARD_CARDS[street]
        dealt = row.board[0 if street == "flop" else first : last]
        told = ", ".join(f"{seat} {move}" for seat, move in acts) or "first to act"
        yield f"{street.capitalize()}{f' {dealt}' * bool(dealt)}: {told}"


def _story(row: Row, board: Sequence[int]) -> Iterator[str]:
    for street, acts in zip(_BOARD_CARDS, row.acts, strict=False):
        told = ", ".join(f"{seat} {move}" for seat, move in acts) or "nobody has acted"
        last = _BOARD_CARDS[street]
        if street == "preflop":
            yield f"Before the flop: {told}."
        else:
            dealt = board[0 if street == "flop" else last - 1 : last]
            yield f"The {street} brings the {poker_words.in_words(dealt)}: {told}."


def prompt(name: str) -> Template:
    """A template of ``prompts``, or one's own file; InputError where it asks for another field."""
    template = load_template(files(__package__).joinpath("prompts"), name, "pokerbench")
    template.check(FIELDS)
    return template


def ask(row: Row, template: Template, examples: Sequence[Row] = ()) -> Question:
    """A row as a question, after ``examples`` with their answers (few-shot)."""
    wanted = template.placeholders
    *head, asked = template.render(**fields(row, wanted))
    shown: list[Message] = []
    for example in examples:
        shown += [
            template.render(**fields(example, wanted))[-1],
            Message("assistant", example.answer),
        ]
    return Question((*head, *shown, asked), row.moves, partial(answer_to, row))


def draw_examples(pool: Sequence[Row], source: Source, shots: int, seed: int) -> list[Row]:
    """``shots`` rows of ``source`` to show as examples: its classes in turn, each at random.

    All questions about one source are asked after the same examples, whose cost is paid once.
    Give a ``pool`` without the rows that are asked about. Raises InputError where it is too small.
    """
    rows = sorted(
        (row for row in pool if row.source == source),
        key=lambda row: seeding.derive(seed, "example", row.key),
    )
    if len(rows) < shots:
        raise InputError(
            f"{shots} shots are asked for, and {len(rows)} {source} rows are left to show; "
            "evaluate fewer rows or ask for fewer shots"
        )
    queues = [[row for row in rows if class_of(row.answer) == name] for name in CLASSES]
    chosen: list[Row] = []
    while len(chosen) < shots:
        for queue in queues:
            if queue and len(chosen) < shots:
                chosen.append(queue.pop(0))
    return chosen


# -- splits ----------------------------------------------------------------------------------------


def split(
    rows: Sequence[Row], share: float, seed: int, by: Literal["row", "group"] = "row"
) -> tuple[list[Row], list[Row]]:
    """A train side of about ``share`` of each source's rows, and the test side, disjoint.

    The sides depend on the rows' names and the seed, not on their order. ``by="group"`` keeps
    nearly equal rows (``Row.group``) on one side.
    """
    train: set[str] = set()
    for source in SOURCES:
        own = [row for row in rows if row.source == source]
        units: dict[str, list[str]] = {}
        for row in own:
            units.setdefault(row.key if by == "row" else row.group, []).append(row.key)
        chosen: list[str] = []
        for name in sorted(units, key=lambda name: (seeding.derive(seed, "split", name), name)):
            if len(chosen) + len(units[name]) / 2 > share * len(own):
                break
            chosen += units[name]
        train.update(chosen)
    return [r for r in rows if r.key in train], [r for r in rows if r.key not in train]


# -- files -----------------------------------------------------------------------------------------


def find_files(where: Path) -> list[Path]:
    """The scenario files in a folder: those named ``*preflop*`` and ``*postflop*``, CSV.

    Raises InputError where the folder does not hold exactly one of each.
    """
    found = []
    for source in SOURCES:
        names = [p for p in where.glob(f"*{source}*") if ending(p) == ".csv"]
        if len(names) != 1:
            raise InputError(
                f"{where} holds {len(names)} files *{source}*.csv, packed or not, and needs one: "
                "PokerBench's game scenarios, from the data set RZ412/PokerBench"
            )
        found += names
    return found


def load(path: Path) -> list[Row]:
    """The rows of one file, in its order; its header says which of the two it is.

    Raises InputError that names the file, and the row's number, where it breaks the grammar.
    """
    lines = read_rows(path)
    header = lines[0] if lines else []
    source = next((name for name in SOURCES if ",".join(header) == _HEADERS[name]), None)
    if source is None:
        raise InputError(
            f"{path} has neither header of PokerBench's game scenarios; its first line must be "
            f"{_HEADERS['preflop']!r} or the one for after the flop"
        )
    read: Callable[[dict[str, str]], Row] = _preflop if source == "preflop" else _postflop
    rows: dict[int, Row] = {}
    for number, line in enumerate(lines[1:], 2):
        where = f"{path}, line {number}"
        if len(line) != len(header):
            raise InputError(f"{where} has {len(line)} fields; {len(header)} are needed")
        try:
            row = read(dict(zip(header, line, strict=True)))
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if row.number in rows:
            raise InputError(f"{where}: row {row.number} is there twice")
        rows[row.number] = row
    return list(rows.values())


def load_all(where: Path) -> list[Row]:
    """The rows of both files in a folder, those before the flop first."""
    return [row for path in find_files(where) for row in load(path)]


def _preflop(line: dict[str, str]) -> Row:
    moves = _moves(line["available_moves"], "preflop")
    return _checked(
        Row(
            source="preflop",
            number=_whole(line[""], "number"),
            street="preflop",
            position=_seat(line["hero_pos"]),
            hole=line["hero_holding"],
            board="",
            acts=(_preflop_acts(line["prev_line"]),),
            pot=_pot(line["pot_size"]),
            moves=tuple(_preflop_move(move) for move in moves),
            answer=_preflop_move(line["correct_decision"]),
        )
    )


def _postflop(line: dict[str, str]) -> Row:
    street = line["evaluation_at"].lower()
    if street not in ("flop", "turn", "river"):
        raise InputError(f"evaluation_at {line['evaluation_at']!r} is not Flop, Turn or River")
    moves = _moves(line["available_moves"], "postflop")
    opening = _preflop_acts(line["preflop_action"])
    # After the flop the blinds act first, so the later of the two seats in this order is in
    # position.
    order = (*SEATS[4:], *SEATS[:4])
    players = sorted({seat for seat, _ in opening}, key=order.index)
    if len(players) != 2:
        raise InputError(f"preflop_action {line['preflop_action']!r} does not leave two players")
    seats = dict(zip(("OOP", "IP"), players, strict=True))
    if line["hero_position"] not in seats:
        raise InputError(f"hero_position {line['hero_position']!r} is not IP or OOP")
    dealt = [line["board_flop"], line["board_turn"], line["board_river"]]
    shown = dealt[: _BOARD_CARDS[street] - 2]
    streets = _postflop_acts(line["postflop_action"], seats, shown[1:])
    return _checked(
        Row(
            source="postflop",
            number=_whole(line[""], "number"),
            street=street,
            position=seats[line["hero_position"]],
            hole=line["holding"],
            board="".join(shown),
            acts=(opening, *streets),
            pot=_pot(line["pot_size"]),
            moves=tuple(read_move(move) for move in moves),
            answer=read_move(line["correct_decision"]),
        )
    )


def _checked(row: Row) -> Row:
    seen = cards.parse(row.hole) + cards.parse(row.board)
    if len(seen) != 2 + _BOARD_CARDS[row.street] or len(set(seen)) < len(seen) or min(seen) < 0:
        raise InputError(
            f"holding {row.hole!r} and board {row.board!r} are not "
            f"{2 + _BOARD_CARDS[row.street]} different cards"
        )
    if row.answer not in row.moves or len(set(row.moves)) < len(row.moves):
        raise InputError(f"correct_decision {row.answer!r} is not one of {', '.join(row.moves)}")
    return row


def _moves(text: str, source: Source) -> list[str]:
    if not _MOVES.fullmatch(text):
        raise InputError(f"available_moves {shown(text)} is not a list of moves, ['call', 'fold']")
    return [move[1:-1] for move in re.findall(r"'[^']*'|\"[^\"]*\"", text)]


def _preflop_move(word: str) -> str:
    act = _PREFLOP_ACT.fullmatch(word)
    if act is None and word != "check":
        raise InputError(
            f"{word!r} is not a move before the flop; moves are fold, call, 2.5bb, allin"
        )
    if act and act[1]:
        return f"raise {_amount(float(act[1]))}"
    return "all-in" if word == "allin" else word


def _preflop_acts(text: str) -> tuple[tuple[str, str], ...]:
    words = text.split("/") if text else []
    if len(words) % 2:
        raise InputError(f"line {text!r} is not SEAT/MOVE/SEAT/MOVE…")
    return tuple(
        (_seat(seat), _preflop_move(move))
        for seat, move in zip(words[::2], words[1::2], strict=True)
    )


def _postflop_acts(
    text: str, seats: dict[str, str], dealt: Sequence[str]
) -> list[tuple[tuple[str, str], ...]]:
    streets: list[list[tuple[str, str]]] = [[]]
    words = iter(text.split("/") if text else [])
    for word in words:
        if word == "dealcards":
            card = next(words, "nothing")
            if len(streets) > len(dealt) or card != dealt[len(streets) - 1]:
                raise InputError(f"postflop_action deals {card}, which the board does not")
            streets.append([])
            continue
        act = _POSTFLOP_ACT.fullmatch(word)
        if act is None:
            raise InputError(f"{word!r} in postflop_action is not an action, such as OOP_BET_5")
        streets[-1].append((seats[act[1]], act[2].lower().replace("_", " ")))
    if len(streets) != len(dealt) + 1:
        raise InputError(f"postflop_action {text!r} ends before the street of evaluation_at")
    return [tuple(street) for street in streets]


def _seat(text: str) -> str:
    if text not in SEATS:
        raise InputError(f"{text!r} is not a seat; seats are {', '.join(SEATS)}")
    return text


def _whole(text: str, what: str) -> int:
    return whole(text, what)


def _pot(text: str) -> float:
    if not re.fullmatch(_NUMBER, text) or float(text) <= 0:
        raise InputError(f"pot_size {text!r} is not a number above 0")
    return float(text)
