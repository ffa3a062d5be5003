"""ACPC, the log format of the Annual Computer Poker Competition (protocol version 2.0.0).

A line a hand, ``STATE:19:r200c/cr400c/cr850f:9hQc|5dQd/4h4c6c/4s:-400|400:A|B``: number, betting,
cards, results, players, and at the end the sum of all results, ``SCORE:-400|400:A|B``. ``r850``
raises to 850 chips over the whole hand. Seats go from the left of the button, so heads-up the big
blind is named first.

A log does not say what is played. Two comments in the words of ACPC's game definitions do,
``# stack = 20000 20000`` and ``# blind = 100 50``; they hold for the lines below them. Without them
the competition's no-limit game is meant: 20,000 chips, blinds 50 and 100. It knows no antes.

Names with a colon, a bar or a control character in them would break the line: below the comment
``# names are percent-encoded`` all names are (``lm%3Aruns/sft``).

``MATCHSTATE:0:19:r200c/:9hQc|/4h4c6c`` is what the dealer tells the player at position 0: the last
of each hand number is read, as a hand without names and results.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from urllib.parse import quote, unquote

from arena.envs import outside
from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.history import CHIPS, Action, HandHistory, raised

STACK, SMALL_BLIND, BIG_BLIND = 20_000, 50, 100
_SETTING = re.compile(r"#\s*(stack|blind)\s*=\s*([0-9]+(?:\s+[0-9]+)*)")
_QUOTED = "# names are percent-encoded"
_TOKEN = re.compile(r"f|c|r[0-9]+|/")


# -- reading ---------------------------------------------------------------------------------------


def loads(text: str, source: str = "text") -> list[HandHistory]:
    """The hands of a log's text; ``source`` names it in messages.

    Raises InputError, naming source, line and fault, for a line that is none of a log, for betting
    or cards that cannot be read, and where SCORE is not the sum of the hands.
    """
    return [raised(found) for found in readings(text, source)]


def readings(text: str, source: str = "text") -> Iterator[HandHistory | InputError]:
    """Each hand of a text, or why it cannot be read: the others can be, all the same."""
    log = _Log(source)
    found = [
        one for number, line in enumerate(text.splitlines(), 1) for one in log.line(line, number)
    ]
    found += [log.seen(state) for state in log.states.values()]
    yield from found or [InputError(f"{source} holds no hands")]


class _Log:
    """What the lines of a log have said so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.settings: dict[str, tuple[int, ...]] = {}
        self.totals: defaultdict[str, Fraction] = defaultdict(Fraction)
        self.quoted = False  # whether names are percent-encoded
        self.whole = True  # whether every hand could be read, so that SCORE can be compared
        self.states: dict[str, tuple[int, list[str]]] = {}  # the last that each hand's players saw

    def line(self, line: str, number: int) -> list[HandHistory | InputError]:
        """The hand of a line, or its fault; nothing for a line without a hand."""
        try:
            return self._line(line.strip(), number)
        except InputError as error:
            self.whole = False
            return [error]

    def _line(self, line: str, number: int) -> list[HandHistory | InputError]:
        kind, _, rest = line.partition(":")
        where = f"{self.source}, line {number}"
        if kind == "STATE":
            fields = rest.split(":", 4)
            where = f"{self.source}, hand {fields[0]} (line {number})"
            if len(fields) != 5:
                raise InputError(f"{where}: STATE has number, betting, cards, results and players")
            return [self._state(fields, where)]
        if kind == "SCORE":
            self._score(rest, where)
        elif kind == "MATCHSTATE":
            fields = rest.split(":")
            if len(fields) != 4:
                raise InputError(f"{where}: MATCHSTATE has position, number, betting and cards")
            self.states[fields[1]] = number, fields
        elif setting := _SETTING.fullmatch(line):
            self.settings[setting[1]] = tuple(
                outside.whole(amount, f"{where}: {setting[1]}", most=CHIPS - 1)
                for amount in setting[2].split()
            )
        elif line == _QUOTED:
            self.quoted = True
        elif kind and not kind.startswith("#"):
            raise InputError(f"{where}: {line[:40]!r} is none of STATE, SCORE and MATCHSTATE")
        return []

    def _names(self, text: str) -> tuple[str, ...]:
        names = text.split("|")
        return tuple(map(unquote, names) if self.quoted else names)

    def _state(self, fields: list[str], where: str) -> HandHistory:
        number, betting, dealt, results_text, players_text = fields
        players, results = self._names(players_text), _results(results_text, where)
        state = _State(number, betting, dealt, len(players), self.settings, where)
        if len(results) != len(players):
            raise state.fault(f"results must be {len(players)} amounts")
        hand = state.hand(players, results)
        for player, result in zip(players, results, strict=True):
            self.totals[player] += result
        return hand

    def _score(self, rest: str, where: str) -> None:
        """Refuse a sum that is not that of the hands; names may be left out of it, or the same."""
        results_text, named, players_text = rest.partition(":")
        results, hands = _results(results_text, where), self.totals
        if not named:
            off = sorted(results) != sorted(hands.values())
        else:
            score: defaultdict[str, Fraction] = defaultdict(Fraction)
            for player, result in zip(self._names(players_text), results, strict=False):
                score[player] += result
            off = any(abs(score.get(player, 0) - total) >= 1 for player, total in hands.items())
        if off and self.whole:
            sums = _barred(f"{float(total):g}" for total in hands.values())
            raise InputError(f"{where}: SCORE is {rest[:80]}, but the hands add up to {sums}")

    def seen(self, state: tuple[int, list[str]]) -> HandHistory | InputError:
        """The hand of which a player has seen the end: without results, and without names."""
        line, (_, number, betting, dealt) = state
        where = f"{self.source}, hand {number} (line {line})"
        seats = dealt.partition("/")[0].count("|") + 1
        try:
            return _State(number, betting, dealt, seats, self.settings, where).hand(None, None)
        except InputError as error:
            return error


_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


def _results(text: str, where: str) -> list[Fraction]:
    items = text.split("|")
    if not all(_AMOUNT.fullmatch(item) for item in items):
        raise InputError(f"{where}: results {text[:80]!r} are not amounts parted by |")
    return [Fraction(item) for item in items]


class _State:
    """Reads the fields of a STATE or MATCHSTATE line; ``where`` names it in messages."""

    def __init__(
        self,
        number: str,
        betting: str,
        dealt: str,
        seats: int,
        settings: dict[str, tuple[int, ...]],
        where: str,
    ) -> None:
        self.number, self.betting, self.dealt = number, betting, dealt
        self.seats, self.where = seats, where
        self.stacks = settings.get("stack", (STACK,) * seats)
        blinds = (BIG_BLIND, SMALL_BLIND) if seats == 2 else (SMALL_BLIND, BIG_BLIND)
        self.blinds = settings.get("blind", blinds + (0,) * (seats - 2))

    def hand(self, players: tuple[str, ...] | None, results: list[Fraction] | None) -> HandHistory:
        """The hand, with its players' names and results where they are known."""
        if not 2 <= self.seats <= 10:
            raise self.fault(f"{self.seats} players; 2 to 10 can play")
        if len(self.stacks) != self.seats or len(self.blinds) != self.seats:
            raise self.fault(f"{self.seats} players, but stack or blind is set for another number")
        if sum(self.stacks) >= CHIPS or max(self.blinds) < 1:
            raise self.fault("all stacks are less than 2**40 chips, and the largest blind above 0")
        # ACPC halves odd chips, which we do not: with them the hand is stated to the chip below.
        stated = results is not None and all(result.denominator == 1 for result in results)
        return HandHistory(
            stacks=self.stacks,
            antes=(0,) * self.seats,
            blinds=self.blinds,
            min_bet=max(self.blinds),
            actions=tuple(self.actions()),
            finishing=tuple(
                stack + int(result) for stack, result in zip(self.stacks, results, strict=True)
            )
            if results is not None and stated
            else None,
            players=players,
            number=outside.whole(self.number, f"{self.where}: number"),
            where=self.where,
        )

    def fault(self, what: str) -> InputError:
        return InputError(f"{self.where}: {what}")

    def cards(self, text: str) -> tuple[int, ...]:
        try:
            return tuple(cards.parse(text))
        except InputError as error:
            raise self.fault(str(error)) from None

    def actions(self) -> list[Action]:
        """The line's betting with the names of the actors and the cards in their places."""
        holes_text, *boards = self.dealt.split("/")
        holes = [self.cards(text) for text in holes_text.split("|")]
        if len(holes) != self.seats:
            raise self.fault(f"cards must list the holes of {self.seats} seats, parted by |")
        actions = [
            Action("hole", seat, 0, hole or (cards.UNKNOWN, cards.UNKNOWN))
            for seat, hole in enumerate(holes)
        ]
        deals = iter(boards)
        betting = _Betting(self.stacks, self.blinds)
        tokens = _TOKEN.findall(self.betting)
        if "".join(tokens) != self.betting:
            raise self.fault(f"betting {self.betting[:80]!r} must be of f, c, rN and /")
        for token in tokens:
            if token == "/":
                board = next(deals, None)
                if board is None:
                    raise self.fault("there are fewer boards than streets")
                betting.next_street()
                actions.append(Action("board", -1, 0, self.cards(board)))
            elif betting.actor is None:
                raise self.fault(f"betting {self.betting[:80]!r} goes on when nobody can act")
            elif token[0] == "r":
                total = outside.whole(token[1:], f"{self.where}: raise to", most=CHIPS - 1)
                if total <= betting.level:
                    raise self.fault(
                        f"{token} is not a raise: amounts count over the whole hand, in which "
                        f"{betting.level} is the bet (in some logs they count by street)"
                    )
                actions.append(betting.read(token, total))
            else:
                actions.append(betting.read(token))
        return actions + [Action("board", -1, 0, self.cards(board)) for board in deals]


class _Betting:
    """Keeps count of whose turn it is and of what each seat has put in."""

    def __init__(self, stacks: Sequence[int], blinds: Sequence[int]) -> None:
        self.stacks = stacks
        self.spent = [min(s, b) for s, b in zip(stacks, blinds, strict=True)]
        self.before = [0] * len(stacks)  # what was put in on earlier streets
        self.level = max(blinds)
        self.folded: set[int] = set()
        last = max(range(len(blinds)), key=lambda seat: (blinds[seat], seat))
        self.actor = self._next(last)

    def _next(self, after: int) -> int | None:
        """The next seat that can act at all; the engine checks whether it may."""
        seats = len(self.stacks)
        for seat in ((after + step) % seats for step in range(1, seats + 1)):
            if seat not in self.folded and self.spent[seat] < self.stacks[seat]:
                return seat
        return None

    def next_street(self) -> None:
        self.before = list(self.spent)
        self.actor = self._next(-1)

    def read(self, token: str, total: int = 0) -> Action:
        """The actor's action, a raise to ``total`` over the hand, and go on to the next."""
        assert self.actor is not None
        seat = self.actor
        if token == "f":
            action = Action("fold", seat)
        elif token == "c":
            action = Action("call", seat)
        else:
            action = Action("raise", seat, total - self.before[seat])
        self.take(action)
        return action

    def take(self, action: Action) -> str:
        """Follow an action; how ACPC writes it."""
        seat = action.seat
        if action.verb == "fold":
            self.folded.add(seat)
        elif action.verb == "call":
            self.spent[seat] = min(self.stacks[seat], self.level)
        else:
            self.spent[seat] = self.level = self.before[seat] + action.amount
        self.actor = self._next(seat)
        return f"r{self.level}" if action.verb == "raise" else action.verb[0]


# -- writing ---------------------------------------------------------------------------------------


def dumps(hands: Iterable[HandHistory]) -> str:
    """Hands as the text of a log. Their finishing stacks must be known.

    Raises InputError for a hand with antes, which ACPC cannot say.
    """
    hands = list(hands)
    odd = any(_odd(name) for hand in hands for name in hand.players or ())
    lines = [_QUOTED] if odd else []
    settings: tuple[object, ...] = ()
    totals: defaultdict[str, int] = defaultdict(int)
    for number, hand in enumerate(hands):
        if any(hand.antes):
            raise InputError(f"{hand.where} has antes, which ACPC's format cannot say; write .phhs")
        if hand.finishing is None:
            raise InputError(f"{hand.where} states no finishing stacks; replay it first")
        if settings != (hand.stacks, hand.blinds):
            settings = (hand.stacks, hand.blinds)
            lines += [f"# stack = {_spaced(hand.stacks)}", f"# blind = {_spaced(hand.blinds)}"]
        players = hand.players or tuple(f"p{seat + 1}" for seat in range(len(hand.stacks)))
        players = tuple(quote(name, safe="/?=,") for name in players) if odd else players
        results = [end - start for end, start in zip(hand.finishing, hand.stacks, strict=True)]
        for player, result in zip(players, results, strict=True):
            totals[player] += result
        named = hand.number if isinstance(hand.number, int) else number
        lines.append(
            f"STATE:{named}:{_betting(hand)}:{_cards(hand)}:{_barred(results)}:{_barred(players)}"
        )
    lines.append(f"SCORE:{_barred(totals.values())}:{_barred(totals)}")
    return "\n".join(lines) + "\n"


def _odd(name: str) -> bool:
    """Whether a name would break the line it stands in."""
    return name != name.strip() or not name.isprintable() or ":" in name or "|" in name


def _betting(hand: HandHistory) -> str:
    betting = _Betting(hand.stacks, hand.blinds)
    text = ""
    for action in hand.actions:
        if action.verb == "board":
            betting.next_street()
            text += "/"
        elif action.verb in ("fold", "call", "raise"):
            text += betting.take(action)
    return text


def _cards(hand: HandHistory) -> str:
    """Holes parted by |, nothing for an unknown one, and the boards each after a /."""
    holes = [""] * len(hand.stacks)
    boards = ""
    for action in hand.actions:
        if action.verb == "board":
            boards += "/" + cards.names(action.cards)
        elif action.cards and cards.UNKNOWN not in action.cards:
            holes[action.seat] = cards.names(action.cards)
    return "|".join(holes) + boards


def _spaced(items: Iterable[object]) -> str:
    return " ".join(map(str, items))


def _barred(items: Iterable[object]) -> str:
    return "|".join(map(str, items))
