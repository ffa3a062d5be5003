"""Every kind of file that is read: good samples, how they are changed, and what reads them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.fuzz import checkpoints, logs, mutations
from tests.fuzz.kind import Kind, either, specs, text, values
from tests.fuzz.mutations import Dice

HAND = """\
variant = 'NT'
ante_trimming_status = true
antes = [0, 0, 0]
blinds_or_straddles = [50, 100, 0]
min_bet = 100
starting_stacks = [10000, 10000, 5000.5]
actions = ['d dh p1 TcQc', 'd dh p2 8s4c', 'd dh p3 AhAd', 'p3 cbr 300', 'p1 cc', 'p2 f', \
'd db 7d5h9d', 'p1 cc', 'p3 cbr 500', 'p1 f']
players = ['Ann', 'Bob', 'Cy']
finishing_stacks = [9700, 9900, 5400.5]
"""
LOG = """\
# stack = 20000 20000
# blind = 100 50
STATE:0:r200c/cr400c/cr850f:9hQc|5dQd/4h4c6c/4s:-400|400:A|B
STATE:1:f:AhKh|2c7d:50|-50:B|A
MATCHSTATE:0:2:r250c/r600f:AsKs|/2c3c4d
SCORE:-450|450:A|B
"""
LEAGUE = """\
name: small
game: holdem?seats=2,stack=20
seed: 7
agents: [tag, call, {name: quick, spec: "equity?samples=10"}]
schedule: {kind: round-robin, deals: 200, deals_per_match: 100}
clock: 10
"""
MARKET = {
    "agents": [
        {"name": "a", "num_copies": 2, "num_items": 3, "allocator": {"type": "OracleAllocator"},
         "bidder": {"type": "TruthfulBidder"}, "budget": 50},
    ],
    "allocation": "SecondPrice", "num_participants_per_round": 2, "embedding_size": 4,
    "obs_embedding_size": 2, "embedding_var": 1.0, "random_seed": 3,
}  # fmt: skip
MATRIX = {"rows": ["heads", "tails"], "columns": ["a", "b"], "payoffs": [[1, -1], [-1, 1.5]]}
CAMPAIGN = {
    "imp_train": 3000, "clk_train": 20, "cost_train": 200000, "price_counter_train": [10] * 301,
}  # fmt: skip
LEVEL = """\
<?xml version="1.0" encoding="utf-16"?>
<Level width="2">
<Camera x="0" y="-1" minWidth="15" maxWidth="17.5">
<Birds><Bird type="BirdRed"/></Birds>
<Slingshot x="-5" y="-2.5">
<GameObjects>
<Block type="RectSmall" material="wood" x="1" y="-3" rotation="90"/>
<Pig type="BasicSmall" x="2" y="-3" rotation="0"/>
<Platform type="Platform" x="3" y="1" rotation="0" scaleX="2" scaleY="1"/>
</GameObjects>
</Level>
"""
PREFLOP = """\
,prev_line,hero_pos,hero_holding,correct_decision,num_players,num_bets,available_moves,pot_size
0,UTG/2.0bb,BTN,AhAd,call,2,1,"['call', '10bb', 'fold']",3.5
1,UTG/2.0bb/HJ/call,SB,KsQs,fold,3,1,"['call', 'fold', 'allin']",5.5
"""
EXAMPLE = {
    "prompt": [{"role": "user", "content": "to call: 2"}],
    "completion": [{"role": "assistant", "content": "fold"}], "meta": {"game": "holdem"},
}  # fmt: skip
PAIR = {
    "task": "KeyRoom-S5", "player": "random", "seed": 1, "step": 2, "action": "east",
    "before": {"crop": "@", "map": "@", "message": ""},
    "after": {"crop": "@", "map": "@", "message": ""}, "label": "key",
}  # fmt: skip
CHAT = {
    "choices": [
        {
            "message": {"role": "assistant", "content": '<think>odds</think>{"answer": "fold"}'},
            "finish_reason": "stop",
            "logprobs": {"content": [{"token": "fold", "logprob": -0.5}]},
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1}, "error": None,
}  # fmt: skip
ANSWER = "I build\n```\ndrop_block('b31', 5)\ndrop_block('b13', 9)\n```\n"
SPECS = [
    "holdem?seats=6,stack=50", "holdem?seats=3,format=sit_and_go,levels=1/2/4,prizes=0.7/0.3",
    "rtb?bidders=3,auctions=100,tick=10,budget=0.5", "gridworld?rooms=2,contexts=3",
    "errand?size=6", "science_birds?letters=AB,drops=5", "kuhn", "leduc",
    "equity?samples=20", "random", "ucb?width=0.2", "ortb?c=20",
]  # fmt: skip


def kinds(folder: Path) -> list[Kind]:
    """All kinds; ``folder`` is where checkpoints are made that are changed."""
    return [
        *_hands(), *_leagues(), *_auctions(), *_words(), *_replays(), *logs.kinds(),
        *checkpoints.kinds(folder),
    ]  # fmt: skip


def _hands() -> list[Kind]:
    from arena.envs import outside
    from arena.envs.holdem import notation

    def structure(dice: Dice) -> bytes:
        changed = mutations.of_value(whole, dice)
        if not isinstance(changed, dict):
            return json.dumps(changed, default=float).encode()
        lines = (f"{json.dumps(k)} = {json.dumps(v, default=float)}\n" for k, v in changed.items())
        return "".join(lines).encode()

    def verify(path: Path) -> object:
        hands = notation.verify_file(path)
        copies = path.with_name("copy.phhs")
        notation.write(copies, notation.survey(path).hands)
        notation.read(copies)
        return hands

    whole = outside.parse_toml(HAND, "sample")
    several = "\n".join(f"[{n}]\n{HAND}" for n in range(1, 4))
    return [
        either(text("hand.phh", [HAND], verify), Kind("hand.phh", structure, verify)),
        text("hands.phhs", [several, several.replace("'NT'", "'PO'", 1)], verify),
        text("hands.acpc", [LOG], verify),
    ]


def _leagues() -> list[Kind]:
    from arena.agents.registry import make_agent
    from arena.envs import outside
    from arena.envs.registry import make_game
    from arena.envs.specs import Spec
    from arena.leagues.league import load

    def league(path: Path) -> object:
        found = load(str(path))
        return found.make_schedule().pairings(2, len(found.entrants), found.seed, ())

    def spec(path: Path) -> object:
        written = Spec.parse(path.read_text("utf-8", "replace"))
        if written.family in ("equity", "random", "ucb", "ortb"):
            return make_agent(written, make_game("rtb" if written.family > "l" else "holdem"))
        tables = make_game(written).tables(2)
        tables.begin(np.arange(2), np.arange(2, dtype=np.uint64))
        return tables.to_act()

    def matrix(path: Path) -> object:
        return make_game(Spec("matrix", None, {"file": str(path)}))

    plain = outside.parse_yaml(LEAGUE, "sample")  # JSON is YAML
    both = either(text("league.yaml", [LEAGUE], league), values("league.yaml", [plain], league))
    return [both, values("matrix.json", [MATRIX], matrix), specs("game.spec", SPECS, spec)]


def _auctions() -> list[Kind]:
    from arena.envs.rtb.catalogue import load_config
    from arena.envs.rtb.game import RtbCatalogue
    from arena.envs.rtb.ipinyou import COLUMNS, load_raw
    from arena.envs.rtb.logs import load_campaign, load_log

    def market(path: Path) -> object:
        load_config(str(path))
        tables = RtbCatalogue(config=str(path), auctions=2, tick=1).tables(1)
        tables.begin(np.zeros(1, np.int64), np.zeros(1, np.uint64))
        return tables.to_act()

    def campaign(path: Path) -> object:
        found = load_campaign(path)
        return found.ctr, found.cpm, found.budget(1000, 0.5)

    cell = {"click": "0", "payprice": "23", "slotprice": "5", "usertag": "1,2"}
    raw = "\t".join(COLUMNS) + "\n" + "\t".join(cell.get(c, "x") for c in COLUMNS) + "\n"
    return [
        values("market.json", [MARKET], market),
        values("campaign.json", [CAMPAIGN], campaign),
        text("log.txt", ["0 23 0.001\n1 40 0.5 13\n0 0 1e-4\n"], load_log),
        text("raw.log", [raw], load_raw),
    ]


def _words() -> list[Kind]:
    from arena.agents.exploration.pairs import read_pairs
    from arena.agents.llm import prompting
    from arena.agents.llm.backends import protocol
    from arena.agents.llm.backends.endpoint_settings import settings_for
    from arena.agents.llm.learning.examples import read_examples
    from arena.agents.llm.prompting.templates import load_template
    from arena.envs import outside
    from arena.envs.science_birds import grid
    from arena.envs.science_birds.levels import load_level, write_xml
    from arena.envs.science_birds.scoring import read_answer
    from arena.envs.science_birds.text import read_program
    from arena.evaluation.pokerbench import rows as pokerbench

    def chat(path: Path) -> object:
        data = outside.parse_record(path.read_bytes(), "the server")
        protocol.complaint(data)
        try:
            return protocol.failure_within(data) or protocol.read_chat(data, ["fold", "call"])
        except protocol.Nonsense as error:
            raise outside.InputError(str(error)) from None

    def endpoints(path: Path) -> object:
        import os

        os.environ["ARENA_ENDPOINTS"] = str(path)
        return settings_for("http://localhost:1/v1", "m")

    prompts = Path(prompting.__file__).parent
    return [
        text("level.xml", [LEVEL], lambda path: write_xml(load_level(path))),
        text("answer.txt", [ANSWER], lambda path: grid.build(read_program(read_answer(path)))),
        text("preflop.csv", [PREFLOP], pokerbench.load),
        text("prompt.txt", [p.read_text() for p in sorted(prompts.glob("*/*.txt"))],
             lambda path: load_template(prompts, str(path), "fuzz")),
        values("examples.jsonl", [EXAMPLE], read_examples, 3),
        values("pairs.jsonl", [PAIR], read_pairs, 3),
        values("chat.json", [CHAT], chat),
        text("endpoints.yaml", ["http://localhost:1/v1: {timeout: 60, retries: 2}\n"], endpoints),
    ]  # fmt: skip


def _replays() -> list[Kind]:
    from arena.agents.registry import identify, make_agent
    from arena.envs.registry import make_game
    from arena.leagues import replay
    from arena.leagues.match import Match
    from arena.leagues.play import play

    records = []
    for spec, agents in (("holdem?stack=5", ("call", "random")), ("errand", ("courier",))):
        game = make_game(spec)
        who = [identify(agent) for agent in agents]
        match = Match(
            spec, game.version, tuple(i.key for i in who), tuple(i.spec for i in who), 1, 0, 2,
            ((0, 1), (1, 0)) if game.seats == 2 else ((0,),),
        )  # fmt: skip
        made = {i.key: make_agent(i.spec, game) for i in who}
        (result,) = play(game, made, [match], {i.key: i for i in who})
        records.append(list(replay.lines(replay.read(result.replay, "sample"))))

    def change(dice: Dice) -> bytes:
        lines = list(mutations.pick(records, dice))
        if dice.random() < 0.2:
            return mutations.of_bytes(replay.compress(lines), dice)
        at = int(dice.integers(len(lines)))
        if dice.random() < 0.2:
            lines[at : at + 1] = mutations.pick([[], [lines[at]] * 2, [lines[0]]], dice)
        else:
            changed = mutations.of_value(json.loads(lines[at]), dice)
            lines[at] = json.dumps(changed).encode()
        return replay.compress(lines)

    def verify(path: Path) -> object:
        return replay.verify(replay.read_file(path))

    return [Kind("match.jsonl.zst", change, verify)]
