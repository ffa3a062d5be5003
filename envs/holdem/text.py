"""A hand in words, legal actions in words, and words back to an action by one strict grammar.

All amounts are in big blinds, as exact as chips are; the text says how many chips one is.

========================  ==========================================================================
``fold``, ``check``       where legal
``call 2.5``              exactly what there is to call (less than the bet where it is an all-in)
``bet 3``                 to open the betting of a street
``raise to 7.5``          the total for the street; any legal amount, on the menu or not
``all-in``                to bet or raise all chips
========================  ==========================================================================

White space and case are free, nothing else is: no answer stands for two actions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from arena.envs.errors import InputError
from arena.envs.holdem import cards, rules
from arena.envs.holdem.history import STREETS
from arena.envs.holdem.menu import FOLD_ACTION, decode
from arena.envs.holdem.rules import BOARD_CARDS

if TYPE_CHECKING:
    from arena.envs.holdem.tables import HoldemTables

_WAGER = re.compile(r"(bet|raise to) ((?:0|[1-9]\d*)(?:\.\d+)?)")
_MIDDLE = ("UTG", "UTG+1", "UTG+2", "UTG+3", "LJ", "HJ", "CO")
_VERBS = {
    rules.FOLDED: "folds",
    rules.CHECKED: "checks",
    rules.CALLED: "calls",
    rules.BET: "bets",
    rules.RAISED: "raises to",
}


class ToldDecision(NamedTuple):
    """One decision of a hand's history, with its words."""

    street: int
    seat: int
    amount: int  # chips: the seat's total for the street after it
    words: str


# -- what a seat sees --------------------------------------------------------------------------


def facts(tables: HoldemTables, table: int, seat: int) -> dict[str, Any]:
    """All that ``seat`` knows, by name.

    =============  =================================================================================
    ``players``    how many were dealt in; ``hand``, ``hands``: the hand's number, and of how many
    ``big_blind``  chips; all other amounts are in big blinds, as ``amount`` writes them
    ``clock``      a sentence on a tournament's level, or None
    ``position``   the seat's, None where it is out of the hand; ``positions``: everybody's
    ``hole``       the seat's cards; ``board``: those that lie open
    ``street``     pre-flop, flop, turn or river; ``pot``
    ``stacks``     for each position a phrase, ``BB 99 (you, 1 bet)``; ``posts``: likewise
    ``decisions``  by street, what was done, ``BTN raises to 3``; ``forgotten``: whether some are
                   too long ago to be kept
    ``to_call``    None where the seat is not to act; so is ``chips``
    ``chips``      whole chips: ``pot``, ``to_call``, ``bet`` (put in on this street), ``least`` and
                   ``most`` (totals that may be bet or raised to, 0: none), and the ``verb`` for it
    =============  =================================================================================
    """
    hand = tables.hands[table]
    unit, name, story = int(hand["big_blind"]), positions(hand), told(hand)
    acting = hand["actor"] == seat
    owed = min(int(rules.to_call(hand, seat)), int(hand["stacks"][seat]))
    by_street = {
        STREETS[street]: [f"{name[one.seat]} {one.words}" for one in story if one.street == street]
        for street in range(int(hand["street"]) + 1)
    }
    chips = {
        "pot": int(hand["pot"]),
        "to_call": owed,
        "bet": int(hand["bets"][seat]),
        "least": int(hand["min_raise"]),
        "most": int(hand["max_raise"]),
        "verb": _verb(hand),
    }
    return {
        "players": len(name),
        "hand": hand_number(hand),
        "hands": int(hand["hands"]),
        "big_blind": unit,
        "clock": _clock(hand) if hand["stage_hands"] else None,
        "position": name.get(seat),
        "positions": list(name.values()),
        "hole": _named(hand["deck"][2 * seat : 2 * seat + 2]) if seat in name else [],
        "board": _named(visible_board(hand)),
        "street": STREETS[hand["street"]],
        "pot": amount(hand["pot"], unit),
        "stacks": [_stack(hand, s, name[s], s == seat) for s in name],
        "posts": _posts(hand, name),
        "decisions": {street: acts for street, acts in by_street.items() if acts},
        "forgotten": bool(hand["decisions"] > rules.HISTORY),
        "to_call": amount(owed, unit) if acting else None,
        "chips": chips if acting else None,
    }


def observation(known: Mapping[str, Any]) -> str:
    """The facts in words: stakes, position, cards, pot, stacks and the hand so far."""
    of_many = f" of {known['hands']}" if known["hands"] > 1 else ""
    lines = [
        f"No-limit Texas Hold'em, {known['players']} players, hand {known['hand']}{of_many}. "
        f"Amounts are in big blinds; one is {known['big_blind']} chips.",
    ]
    if known["clock"]:
        lines.append(known["clock"])
    if known["position"]:
        lines.append(f"You are {known['position']} and hold {' '.join(known['hole'])}.")
    else:
        lines.append("You are out of this hand.")
    shown = f": {' '.join(known['board'])}" if known["board"] else ""
    lines.append(f"Street: {known['street']}{shown}. Pot: {known['pot']}.")
    lines.append(f"Stacks: {', '.join(known['stacks'])}.")
    lines.append(f"Posts: {', '.join(known['posts']) or 'none'}.")
    if known["forgotten"]:
        lines.append(f"(Only the last {rules.HISTORY} decisions are told.)")
    for street, acts in known["decisions"].items():
        lines.append(f"{street.capitalize()}: {', '.join(acts)}.")
    if known["to_call"] is not None:
        lines.append(f"It is your turn; to call: {known['to_call']}.")
    return "\n".join(lines)


def positions(hand: rules.Hand) -> dict[int, str]:
    """The position of every seat that was dealt in, clockwise from the first to act pre-flop.

    Heads-up ``BTN``, ``BB``. From three players on the last three are ``BTN``, ``SB``, ``BB``; the
    seats before the button are ``CO``, ``HJ`` and ``LJ``, and the first of three or more ``UTG``.
    """
    around = [int(hand["button"] + 1 + i) % int(hand["seats"]) for i in range(hand["seats"])]
    dealt = [seat for seat in around if hand["starting"][seat] > 0]
    if len(dealt) == 2:
        return {dealt[1]: "BTN", dealt[0]: "BB"}
    between = max(len(dealt) - 3, 0)
    middle = list(_MIDDLE[max(0, len(_MIDDLE) - between) :])
    if between >= 3:
        middle = [*_MIDDLE[: between - 3], *_MIDDLE[-3:]]
        middle[0] = "UTG"
    order = [*dealt[2:-1], *dealt[-1:], *dealt[:2]]
    return dict(zip(order, [*middle, "BTN", "SB", "BB"], strict=True))


def hand_number(hand: rules.Hand) -> int:
    """The number of the hand in its episode, from 1."""
    counted = hand["actor"] == rules.OVER and hand["number"] > 0  # finished hands are counted
    return int(hand["number"]) + (0 if counted else 1)


def visible_board(hand: rules.Hand) -> list[int]:
    """The board cards that lie open."""
    first = 2 * int(hand["seats"])
    return [int(card) for card in hand["deck"][first : first + BOARD_CARDS[hand["street"]]]]


def told(hand: rules.Hand) -> list[ToldDecision]:
    """The decisions of the hand that are kept, oldest first, each in words."""
    unit = int(hand["big_blind"])
    count = int(hand["decisions"])
    whole = count <= rules.HISTORY
    bets = {s: post for s, (_, post) in enumerate(_posted(hand))} if whole else {}
    spent = {s: ante + post for s, (ante, post) in enumerate(_posted(hand))} if whole else {}
    street, out = 0, []
    for i in range(max(0, count - rules.HISTORY), count):
        at = i % rules.HISTORY
        seat, total = int(hand["history_seat"][at]), int(hand["history_amount"][at])
        if hand["history_street"][at] != street:
            street, bets = int(hand["history_street"][at]), dict.fromkeys(range(rules.MAX_SEATS), 0)
        kind = int(hand["history_kind"][at])
        words = _VERBS[kind]
        added = total - bets[seat] if seat in bets else None
        if kind in (rules.BET, rules.RAISED):
            words += f" {amount(total, unit)}"
        elif kind == rules.CALLED and added is not None:
            words += f" {amount(added, unit)}"
        if whole and added:
            spent[seat] += added
            if spent[seat] == hand["starting"][seat]:
                words += " (all-in)"
        bets[seat] = total
        out.append(ToldDecision(street, seat, total, words))
    return out


def _posted(hand: rules.Hand) -> list[tuple[int, int]]:
    """Ante and blind that each seat has really posted, in chips."""
    out = []
    for seat in range(hand["seats"]):
        ante = min(int(hand["antes"][seat]), int(hand["starting"][seat]))
        out.append((ante, min(abs(int(hand["blinds"][seat])), int(hand["starting"][seat]) - ante)))
    return out


def _posts(hand: rules.Hand, name: dict[int, str]) -> list[str]:
    unit, posted = int(hand["big_blind"]), _posted(hand)
    antes = {seat: ante for seat, (ante, _) in enumerate(posted) if ante}
    parts = []
    if antes and len(set(antes.values())) == 1 and len(antes) == len(name):
        parts.append(f"ante {amount(next(iter(antes.values())), unit)} each")
    else:
        parts += [f"{name[seat]} ante {amount(ante, unit)}" for seat, ante in antes.items()]
    parts += [
        f"{name[s]} {amount(posted[s][1], unit)}"
        for s in sorted(name, key=lambda s: (s - hand["button"] - 1) % hand["seats"])
        if posted[s][1]
    ]
    return parts


def _clock(hand: rules.Hand) -> str:
    """The level of a tournament, and when and to what the blinds rise."""
    small, big, ante = (amount(chips, int(hand["big_blind"])) for chips in hand["next_stakes"])
    left = int(hand["stage_hands"])
    when = "after this hand" if left == 1 else f"in {left} hands"
    with_ante = f", the ante {ante}" if hand["next_stakes"][2] else ""
    return f"Level {hand['stage'] + 1}; {when} the blinds will be {small} and {big}{with_ante}."


def _stack(hand: rules.Hand, seat: int, name: str, own: bool) -> str:
    notes = ["you"] if own else []
    if not rules.has(int(hand["live"]), seat):
        notes.append("folded")
    elif hand["stacks"][seat] == 0 and hand["actor"] != rules.OVER:
        notes.append("all-in")
    if rules.has(int(hand["away"]), seat):
        notes.append("forfeited")
    if hand["bets"][seat]:
        notes.append(f"{amount(hand['bets'][seat], int(hand['big_blind']))} bet")
    behind = amount(hand["stacks"][seat], int(hand["big_blind"]))
    return f"{name} {behind}" + (f" ({', '.join(notes)})" if notes else "")


def _named(dealt: Sequence[int]) -> list[str]:
    return [cards.name(int(card)) for card in dealt]


# -- actions -----------------------------------------------------------------------------------


def words(tables: HoldemTables, table: int, seat: int) -> list[str]:
    """The legal actions of the menu, in its order."""
    return list(_menu(tables, table, seat))


def describe(tables: HoldemTables, table: int, seat: int, action: int) -> str:
    """A legal action, of the menu or an exact amount, in words."""
    hand = tables.hands[table]
    return _word(tables, table, int(decode(hand, tables.game.config[0], int(action))))


def parse(tables: HoldemTables, table: int, seat: int, answer: str) -> int:
    """The action that ``answer`` names; an amount on the menu is read as the menu's action.

    Raises InputError, which says what is legal, for any other answer.
    """
    menu = _menu(tables, table, seat)
    wanted = " ".join(answer.split()).casefold()
    if wanted in menu:
        return menu[wanted]
    wager = _WAGER.fullmatch(wanted)
    hand = tables.hands[table]
    least, most = tables.raise_bounds(np.array([table]))[0].tolist()
    if wager is not None and most > 0:
        unit, verb = int(hand["big_blind"]), _verb(hand)
        total = _chips(wager[2], unit)
        if wager[1] == verb and total is not None and least <= total <= most:
            word = _word(tables, table, total)
            return menu.get(word, len(tables.game.menu) + 3 + total)
    legal = ", ".join(menu)
    if 0 < least < most:
        unit = int(hand["big_blind"])
        legal += f", or {_verb(hand)} any amount of whole chips from {amount(least, unit)}"
        legal += f" to {amount(most, unit)}"
    raise InputError(f"{answer!r} is not a legal action; legal are: {legal}")


def why_not(tables: HoldemTables, table: int, seat: int, action: int) -> str:
    """Why the seat may not take an action that is not legal, in a sentence."""
    hand, menu = tables.hands[table], len(tables.game.menu)
    unit, least, most = (int(hand[name]) for name in ("big_blind", "min_raise", "max_raise"))
    if hand["actor"] != seat:
        return "it is not this seat's turn"
    if action == FOLD_ACTION:
        return "there is nothing to call, so that checking costs nothing"
    if action < 0:
        return f"{action} is not an action"
    if most == 0:
        return "no raise is possible: nobody could call it, or the last one was not a full raise"
    bounds = f"the least is {amount(least, unit)}, the most {amount(most, unit)}"
    total = action - menu - 3
    if total >= 0:
        return f"{_verb(hand)} {amount(total, unit)} is not possible; {bounds}"
    return f"that fraction of the pot is out of bounds, or equal to a smaller one; {bounds}"


def _menu(tables: HoldemTables, table: int, seat: int) -> dict[str, int]:
    """Words of the legal menu actions, and the actions."""
    mask = tables.action_mask(np.array([table]), np.array([seat]))[0]
    return {describe(tables, table, seat, int(a)): int(a) for a in np.flatnonzero(mask)}


def _word(tables: HoldemTables, table: int, move: int) -> str:
    hand = tables.hands[table]
    unit, actor = int(hand["big_blind"]), int(hand["actor"])
    owed = int(rules.to_call(hand, actor))
    if move == rules.FOLD:
        return "fold"
    if move == rules.CALL:
        return f"call {amount(min(owed, int(hand['stacks'][actor])), unit)}" if owed else "check"
    if move == hand["stacks"][actor] + hand["bets"][actor]:
        return "all-in"
    return f"{_verb(hand)} {amount(move, unit)}"


def _verb(hand: rules.Hand) -> str:
    return "raise to" if hand["level"] > 0 else "bet"


# -- amounts -----------------------------------------------------------------------------------


def amount(chips: int, unit: int) -> str:
    """Chips in big blinds: exact where decimals can be, else as few as name the chips."""
    exact = Fraction(int(chips), unit)
    odd = exact.denominator
    for factor in (2, 5):
        while odd % factor == 0:
            odd //= factor
    digits = 0
    while True:
        rounded = round(exact, digits)
        if rounded == exact or (odd > 1 and round(rounded * unit) == chips):
            break
        digits += 1
    whole, rest = divmod(rounded.numerator * 10**digits // rounded.denominator, 10**digits)
    return f"{whole}.{rest:0{digits}}" if digits else str(whole)


def _chips(text: str, unit: int) -> int | None:
    """The whole chips that a number of big blinds names, or None."""
    exact = Fraction(text) * unit
    chips = round(exact)
    return chips if chips == exact or amount(chips, unit) == text else None
