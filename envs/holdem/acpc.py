"""ACPC, the log format of the Annual Computer Poker Competition (protocol version 2.0.0).

A line a hand, ``STATE:19:r200c/cr400c/cr850f:9hQc|5dQd/4h4c6c/4s:-400|400:A|B``: number, betting,
cards, results, players, and at the end the sum of all results, ``SCORE:-400|400:A|B``. ``r850``
raises to 850 chips over the whole hand. Seats go from the left of the button, so heads-up the big
blind is named first.

A log does not say what is played. Two comments in the words of ACPC's game definitions do,
``# stack = 20000 20000`` and ``# blind = 100 50``; they hold for the lines below them. Without them
the competition's no-limit game is meant: 20,000 chips, blinds 50 and 100. It knows no antes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction

from arena.envs.errors import InputError
from arena.envs.holdem import cards
from arena.envs.holdem.history import Action, HandHistory

STACK, SMALL_BLIND, BIG_BLIND = 20_000, 50, 100
_SETTING = re.compile(r"#\s*(stack|blind)\s*=\s*(\d+(?:\s+\d+)*)\s*")
_TOKEN = re.compile(r"f|c|r\d+|/")


# -- reading ---------------------------------------------------------------------------------------


def loads(text: str, source: str = "text") -> list[HandHistory]:
    """The hands of a log's text; ``source`` names it in messages.

    Raises InputError, naming source, line and fault, for a line that is neither STATE, SCORE nor a
    comment, for betting or cards that cannot be read, and where SCORE is not the sum of the hands.
    """
    hands: list[HandHistory] = []
    settings: dict[str, tuple[int, ...]] = {}
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for number, line in enumerate(text.splitlines(), 1):
        kind, _, rest = line.strip().partition(":")
        if kind == "STATE":
            fields = rest.split(":")
            where = f"{source}, hand {fields[0]} (line {number})"
            if len(fields) != 5:
                raise InputError(f"{where}: STATE has number, betting, cards, results and players")
            hand, results = _State(fields, settings, where).hand()
            hands.append(hand)
            for player, result in zip(hand.players or (), results, strict=True):
                totals[player] += result
        elif kind == "SCORE":
            results_text, _, players_text = rest.partition(":")
            where = f"{source}, line {number}"
            score = dict(zip(players_text.split("|"), _results(results_text, where), strict=False))
            if any(abs(score.get(player, 0) - total) >= 1 for player, total in totals.items()):
                sums = "|".join(f"{float(total):g}" for total in totals.values())
                raise InputError(f"{where}: SCORE is {rest}, but the hands add up to {sums}")
        elif setting := _SETTING.fullmatch(line.strip()):
            settings[setting[1]] = tuple(map(int, setting[2].split()))
        elif kind and not kind.startswith("#"):
            raise InputError(f"{source}, line {number}: {line[:40]!r} is neither STATE nor SCORE")
    if not hands:
        raise InputError(f"{source} holds no hands")
    return hands


def _results(text: str, where: str) -> list[Fraction]:
    try:
        return [Fraction(item) for item in text.split("|")]
    except ValueError:
        raise InputError(f"{where}: results {text!r} are not amounts parted by |") from None


class _State:
    """Reads the fields of one STATE line; ``where`` names it in messages."""

    def __init__(
        self, fields: Sequence[str], settings: dict[str, tuple[int, ...]], where: str
    ) -> None:
        self.number, self.betting, self.dealt, self.results, players = fields
        self.players = tuple(players.split("|"))
        self.seats = len(self.players)
        self.where = where
        self.stacks = settings.get("stack", (STACK,) * self.seats)
        blinds = (BIG_BLIND, SMALL_BLIND) if self.seats == 2 else (SMALL_BLIND, BIG_BLIND)
        self.blinds = settings.get("blind", blinds + (0,) * (self.seats - 2))

    def hand(self) -> tuple[HandHistory, list[Fraction]]:
        """The hand, and each seat's result as the line states it."""
        if not self.number.isdecimal():
            raise self.fault(f"number {self.number!r} is not a number")
        if not 2 <= self.seats <= 10:
            raise self.fault(f"{self.seats} players; 2 to 10 can play")
        if len(self.stacks) != self.seats or len(self.blinds) != self.seats:
            raise self.fault(f"{self.seats} players, but stack or blind is set for another number")
        results = _results(self.results, self.where)
        if len(results) != self.seats:
            raise self.fault(f"results must be {self.seats} amounts")
        # ACPC halves odd chips, which we do not: with them the hand is stated to the chip below.
        exact = all(result.denominator == 1 for result in results)
        history = HandHistory(
            stacks=self.stacks,
            antes=(0,) * self.seats,
            blinds=self.blinds,
            min_bet=max(self.blinds),
            actions=tuple(self.actions()),
            finishing=tuple(
                stack + int(result) for stack, result in zip(self.stacks, results, strict=True)
            )
            if exact
            else None,
            players=self.players,
            number=int(self.number),
            where=self.where,
        )
        return history, results

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
            raise self.fault(f"betting {self.betting!r} must be of f, c, rN and /")
        for token in tokens:
            if token == "/":
                board = next(deals, None)
                if board is None:
                    raise self.fault("there are fewer boards than streets")
                betting.next_street()
                actions.append(Action("board", -1, 0, self.cards(board)))
            elif betting.actor is None:
                raise self.fault(f"betting {self.betting!r} goes on when nobody can act")
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

    def read(self, token: str) -> Action:
        """The actor's action, and go on to the next."""
        assert self.actor is not None
        seat = self.actor
        if token == "f":
            action = Action("fold", seat)
        elif token == "c":
            action = Action("call", seat)
        else:
            action = Action("raise", seat, int(token[1:]) - self.before[seat])
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
    lines: list[str] = []
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
        results = [end - start for end, start in zip(hand.finishing, hand.stacks, strict=True)]
        for player, result in zip(players, results, strict=True):
            totals[player] += result
        named = hand.number if isinstance(hand.number, int) else number
        lines.append(
            f"STATE:{named}:{_betting(hand)}:{_cards(hand)}:{_barred(results)}:{_barred(players)}"
        )
    lines.append(f"SCORE:{_barred(totals.values())}:{_barred(totals)}")
    return "\n".join(lines) + "\n"


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
