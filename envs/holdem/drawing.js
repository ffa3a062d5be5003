// A Hold'em table in SVG: crisp at any size, upright on a phone. Amounts are in big blinds.

import { h, s } from "../dom.js";
import { capital, plain } from "../format.js";

const SUITS = {
  // each in a box from -8 to 8
  s: "M0-8C2-4 8-1 8 3a4 4 0 0 1-7 2.6C1.2 7 2 8 3 8h-6c1 0 1.800-1 2-2.400A4 4 0 0 1-8 3C-8-1-2-4 0-8z",
  h: "M0 8C-2 4-8 1-8-3a4.200 4.200 0 0 1 8-1.800A4.200 4.200 0 0 1 8-3C8 1 2 4 0 8z",
  d: "M0-8.500L6.500 0 0 8.500-6.500 0z",
  c: "M0-8a3.800 3.800 0 0 1 3.300 5.700A3.800 3.800 0 1 1 1.200 4C1.400 6.500 2 8 3 8h-6c1 0 1.600-1.500 1.800-4A3.800 3.800 0 1 1-3.300-2.300 3.800 3.800 0 0 1 0-8z",
};

const WIDE = {
  width: 960, height: 590, cx: 480, cy: 288, rx: 352, ry: 178, seatX: 392, seatY: 212,
  plate: [150, 48], hole: 0.92, board: 1.42, gap: 8, text: 15, bet: 0.6, lift: 34,
};
const TALL = {
  width: 400, height: 610, cx: 200, cy: 300, rx: 132, ry: 222, seatX: 149, seatY: 244,
  plate: [100, 42], hole: 0.74, board: 0.93, gap: 4, text: 13, bet: 0.5, lift: 27,
};
const CARD = [40, 56];
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function mount(element, replay) {
  const hero = replay.view ?? 0;
  let table = null;
  let shown = -1;
  let upright = null;

  function fit() {
    const next = element.clientWidth < 620;
    if (next === upright) return;
    upright = next;
    table?.svg.remove();
    table = build(replay, upright ? TALL : WIDE, hero);
    element.append(table.svg);
    if (shown >= 0) table.draw(replay.steps[shown], null);
  }

  fit();
  const watch = new ResizeObserver(fit);
  watch.observe(element);

  return {
    render(step) {
      const before = step === shown + 1 && shown >= 0 && !still.matches ? replay.steps[shown].frame : null;
      shown = step;
      table.draw(replay.steps[step], before);
    },
    unmount() {
      watch.disconnect();
      table.svg.remove();
    },
  };
}

/** What returns are counted in. */
export const unit = "big blinds";

/** A person's choices: what the menu has, and a slider for any other bet or raise. */
export function controls(turn, frame, decide) {
  const simple = turn.legal.filter(({ label }) => ["fold", "check", "call"].includes(label.split(" ")[0]));
  const buttons = h(
    "div",
    { class: "controls" },
    simple.map(({ action, label }) => h("button", { type: "button", onclick: () => decide(action) }, capital(label))),
  );
  return turn.facts.chips.most ? [buttons, wager(turn, frame.big_blind, decide)] : [buttons];
}

function wager(turn, unit, decide) {
  const { least, most, pot, to_call: owed, bet } = turn.facts.chips;
  const verb = capital(turn.facts.chips.verb);
  const known = turn.legal.find(({ label }) => label === "all-in");
  const number = h("input", { type: "number", min: least / unit, max: most / unit, step: 1 / unit, value: least / unit, "aria-label": `${verb}, big blinds` });
  const slider = h("input", { type: "range", min: least, max: most, value: least, step: 1, "aria-label": `${verb}, chips` });
  const send = h("button", { type: "button", class: "primary" });
  const set = (chips) => {
    const amount = Math.max(least, Math.min(most, Math.round(chips)));
    slider.value = String(amount);
    number.value = String(amount / unit);
    send.textContent = amount === most ? "All-in" : `${verb} ${plain(amount / unit, 2)}`;
  };
  slider.addEventListener("input", () => set(Number(slider.value)));
  number.addEventListener("change", () => set(Number(number.value) * unit));
  send.addEventListener("click", () => {
    const chips = Number(slider.value);
    decide(chips === most && known ? known.action : turn.actions + chips); // beyond the menu: exact amounts
  });
  const sizes = [["½ pot", 0.5], ["⅔ pot", 2 / 3], ["Pot", 1]].map(([label, share]) =>
    h("button", { type: "button", class: "plain", onclick: () => set(bet + owed + share * (pot + owed)) }, label),
  );
  set(least);
  return h("div", { class: "wagering" }, h("div", { class: "wager" }, slider, number, send), h("div", { class: "controls" }, sizes, h("button", { type: "button", class: "plain", onclick: () => set(most) }, "All-in")));
}

/** The table's elements, made once; `draw` only changes what they show. */
function build(replay, size, hero) {
  const count = replay.seats.length;
  const places = replay.seats.map((_, seat) => place(size, (seat - hero + count) % count, count));
  const board = Array.from({ length: 5 }, (_, i) => boardCard(size, i));
  const seats = replay.seats.map((who, seat) => seatOf(size, places[seat], who.name));
  const bets = places.map((at) => betAt(size, at));
  const dealer = s("g", { class: "button" }, s("circle", { r: size.text * 0.75 }), s("text", { y: size.text * 0.3, "font-size": size.text * 0.8 }, "D"));
  const pot = s("text", { class: "pot", x: size.cx, y: size.cy - size.board * 28 - 14, "font-size": size.text + 2 });
  const street = s("text", { class: "street", x: size.cx, y: size.cy + size.board * 28 + size.text + 9, "font-size": size.text - 1 });
  const svg = s(
    "svg",
    { class: "table", viewBox: `0 0 ${size.width} ${size.height}`, role: "img" },
    s("ellipse", { class: "rail", cx: size.cx, cy: size.cy, rx: size.rx + 14, ry: size.ry + 14 }),
    s("ellipse", { class: "felt", cx: size.cx, cy: size.cy, rx: size.rx, ry: size.ry }),
    board.map((card) => card.slot),
    board.map((card) => card.group),
    pot,
    street,
    bets.map((bet) => bet.group),
    seats.map((seat) => seat.group),
    dealer,
  );

  function draw({ frame }, before) {
    const unit = frame.big_blind;
    const bb = (chips) => plain(chips / unit, 2);
    const fresh = before !== null && before.hand === frame.hand;
    board.forEach((card, i) => {
      card.show(frame.board[i]);
      if (fresh && i < frame.board.length && i >= before.board.length) card.arrive(i - before.board.length);
    });
    const inFront = frame.seats.reduce((sum, seat) => sum + seat.bet, 0);
    pot.textContent = potWords(frame, inFront, bb);
    street.textContent = capital(frame.hands > 1 ? `hand ${frame.hand} · ${frame.street}` : frame.street);
    frame.seats.forEach((seat, i) => {
      seats[i].show(seat, frame, i, bb);
      const was = fresh ? before.seats[i].bet : 0;
      bets[i].show(frame.result ? 0 : seat.bet, bb);
      if (fresh && !frame.result && seat.bet > was) bets[i].arrive(places[i]);
      if (fresh && was > 0 && (frame.result || seat.bet < was)) bets[i].collect(was, bb, size);
    });
    if (fresh && frame.result && !before.result) {
      frame.result.net.forEach((net, i) => net > 0 && bets[i].award(size, bb(frame.pot)));
    }
    const at = places[frame.button];
    dealer.setAttribute("transform", `translate(${at.button[0]} ${at.button[1]})`);
    dealer.style.display = frame.seats.length ? "" : "none";
    svg.setAttribute("aria-label", describe(frame, replay.seats, bb));
  }

  return { svg, draw };
}

function potWords(frame, inFront, bb) {
  const middle = frame.result ? frame.pot : frame.pot - inFront;
  const side = frame.pots.length > 1 && inFront === 0;
  if (side) return frame.pots.map((p, i) => `${i ? "Side" : "Pot"} ${bb(p.chips)}`).join(" · ");
  return inFront && !frame.result && middle ? `Pot ${bb(middle)} · ${bb(frame.pot)} with bets` : `Pot ${bb(frame.pot)}`;
}

function describe(frame, seats, bb) {
  const people = frame.seats.map((seat, i) => {
    const state = seat.position === null ? "out" : seat.folded ? "folded" : `${seat.cards.join(" ")}, bet ${bb(seat.bet)}`;
    return `${seats[i].name} ${seat.position ?? ""}: stack ${bb(seat.stack)}, ${state}`;
  });
  return `Poker table, ${frame.street}. Board: ${frame.board.join(" ") || "none"}. Pot ${bb(frame.pot)} big blinds. ${people.join(". ")}.`;
}

/** Where seat number `turn` of `count`, clockwise from the bottom, has its things. */
function place(size, turn, count) {
  const angle = Math.PI / 2 + (2 * Math.PI * turn) / count;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const seat = [size.cx + size.seatX * cos, size.cy + size.seatY * sin];
  const tall = size === TALL;
  // Bets lie between the seat and the middle, clear of the board.
  const bet = [size.cx + size.rx * size.bet * cos, size.cy + size.ry * (tall ? 0.62 : 0.56) * sin];
  if (!tall && Math.abs(sin) < 0.35) bet[0] = size.cx + size.rx * 0.66 * Math.sign(cos);
  const [w, hgt] = size.plate;
  const button = [seat[0] + (cos > 0.1 ? -w : w) / 2, seat[1] + size.lift / 2 - hgt / 2];
  return { seat, bet, button };
}

function card(scale) {
  const [w, hgt] = CARD;
  const face = s("rect", { class: "face", x: -w / 2, y: -hgt / 2, width: w, height: hgt, rx: 5 });
  const rank = s("text", { class: "rank", y: -4, "font-size": 25 });
  const suit = s("path", { transform: "translate(0 14) scale(1.05)" });
  const back = s(
    "g",
    {},
    s("rect", { class: "back", x: -w / 2, y: -hgt / 2, width: w, height: hgt, rx: 5 }),
    s("rect", { class: "back-mark", x: -w / 2 + 6, y: -hgt / 2 + 6, width: w - 12, height: hgt - 12, rx: 3 }),
  );
  const inner = s("g", { transform: `scale(${scale})` }, face, rank, suit, back);
  const group = s("g", {}, inner);
  let now = null;

  function show(name) {
    if (name === now) return;
    now = name;
    group.style.display = name ? "" : "none";
    const hidden = name === "??";
    back.style.display = hidden ? "" : "none";
    for (const part of [face, rank, suit]) part.style.display = hidden ? "none" : "";
    if (!name || hidden) return;
    const colour = `suit-${name[1]}`;
    rank.textContent = name[0] === "T" ? "10" : name[0];
    rank.setAttribute("class", `rank ${colour}`);
    rank.setAttribute("letter-spacing", name[0] === "T" ? "-2" : "0");
    suit.setAttribute("d", SUITS[name[1]]);
    suit.setAttribute("class", colour);
  }

  show(undefined);
  return { group, inner, show };
}

function boardCard(size, i) {
  const [w, hgt] = CARD.map((side) => side * size.board);
  const x = size.cx + (i - 2) * (w + size.gap);
  const slot = s("rect", { class: "slot", x: x - w / 2, y: size.cy - hgt / 2, width: w, height: hgt, rx: 6 });
  const { group, inner, show } = card(size.board);
  group.setAttribute("transform", `translate(${x} ${size.cy})`);
  const arrive = (order) =>
    inner.animate(
      [{ opacity: 0, transform: `translateY(-14px) scale(${size.board})` }, { opacity: 1, transform: `scale(${size.board})` }],
      { duration: 240, delay: 70 * order, easing: "ease-out", fill: "backwards" },
    );
  return { slot, group, show, arrive };
}

function seatOf(size, at, name) {
  const [w, hgt] = size.plate;
  const pad = size === TALL ? 8 : 12;
  const title = s("text", { class: "name", x: -w / 2 + pad, y: -hgt / 2 + size.text + 5, "font-size": size.text });
  const stack = s("text", { class: "stack", x: -w / 2 + pad, y: hgt / 2 - 8, "font-size": size.text - 1 });
  const position = s("text", { class: "position", x: w / 2 - pad, y: hgt / 2 - 8, "font-size": size.text - 3 });
  const tagBox = s("rect", { rx: size.text * 0.7, height: size.text + 8, y: -(size.text + 8) / 2 });
  const tagText = s("text", { y: size.text * 0.34, "font-size": size.text - 2 });
  const tag = s("g", { class: "tag" }, tagBox, tagText);
  tag.setAttribute("transform", `translate(0 ${hgt / 2 + size.text / 2 + 7})`);
  const holes = [card(size.hole), card(size.hole)];
  const lift = -hgt / 2 - CARD[1] * size.hole * 0.5 + 1;
  const spread = CARD[0] * size.hole * 0.5 + 2;
  holes.forEach((hole, i) => hole.group.setAttribute("transform", `translate(${(i ? 1 : -1) * spread} ${lift})`));
  const group = s(
    "g",
    { class: "seat", transform: `translate(${at.seat[0]} ${at.seat[1] + size.lift / 2})` },
    s("title", {}, name),
    s("g", { class: "hole" }, holes.map((hole) => hole.group)),
    s("rect", { class: "plate", x: -w / 2, y: -hgt / 2, width: w, height: hgt, rx: 9 }),
    title,
    stack,
    position,
    tag,
  );
  const room = Math.floor((w - 2 * pad) / (size.text * 0.56));
  title.textContent = name.length > room ? `${name.slice(0, room - 1)}…` : name;

  function show(seat, frame, number, bb) {
    const net = frame.result?.net[number] ?? 0;
    const won = frame.result !== null && net > 0;
    const states = [
      "seat",
      frame.to_act === number && "to-act",
      seat.folded && "folded",
      seat.position === null && "absent",
      won && "winner",
    ];
    group.setAttribute("class", states.filter(Boolean).join(" "));
    stack.textContent = seat.position === null ? "out" : seat.all_in && !frame.result ? "all-in" : bb(seat.stack);
    position.textContent = seat.position ?? "";
    const gone = seat.folded && seat.cards?.[0] === "??";
    holes.forEach((hole, i) => hole.show(gone ? undefined : seat.cards?.[i]));
    label(tagWords(seat, frame, number, net, bb), won);
  }

  function label(words, won) {
    tag.style.display = words ? "" : "none";
    if (!words) return;
    tag.setAttribute("class", won ? "tag win" : "tag");
    tagText.textContent = words;
    const width = Math.max(words.length * (size.text - 2) * 0.54 + 16, 30);
    tagBox.setAttribute("x", -width / 2);
    tagBox.setAttribute("width", width);
  }

  return { group, show };
}

function tagWords(seat, frame, number, net, bb) {
  if (frame.result) {
    const hand = frame.result.shown[String(number)];
    const amount = net > 0 ? `+${bb(net)}` : net < 0 ? `−${bb(-net)}` : "";
    return [amount, hand].filter(Boolean).join(" · ");
  }
  if (frame.last?.seat === number) return frame.last.words;
  return "";
}

function betAt(size, at) {
  const radius = size.text * 0.55;
  const box = s("rect", { rx: size.text * 0.75, height: size.text * 1.5, y: -size.text * 0.75 });
  const words = s("text", { y: size.text * 0.35, "font-size": size.text });
  const inner = s("g", {}, box, s("circle", { class: "chip", r: radius, cx: 0 }), words);
  const group = s("g", { class: "bet", transform: `translate(${at.bet[0]} ${at.bet[1]})` }, inner);
  group.style.display = "none";

  function label(text) {
    const width = text.length * size.text * 0.56;
    const left = -(width + 2 * radius + 8) / 2;
    inner.children[1].setAttribute("cx", left + radius);
    words.textContent = text;
    words.setAttribute("x", left + 2 * radius + 5);
    box.setAttribute("x", left - 4);
    box.setAttribute("width", width + 2 * radius + 17);
  }

  let flight = null;

  function show(chips, bb) {
    flight?.cancel();
    flight = null;
    group.style.display = chips ? "" : "none";
    if (chips) label(bb(chips));
  }

  function move(from, to, options) {
    const css = ([x, y]) => `translate(${x - at.bet[0]}px, ${y - at.bet[1]}px)`;
    return inner.animate(
      [{ transform: css(from), opacity: options.out ? 1 : 0.2 }, { transform: css(to), opacity: options.out ? 0 : 1 }],
      { duration: options.duration, easing: "ease-in-out" },
    );
  }

  // What flies away is shown for as long as it flies, unless the seat bets again meanwhile.
  function fly(text, from, to) {
    if (group.style.display !== "none") return;
    group.style.display = "";
    label(text);
    flight = move(from, to, { duration: 320, out: true });
    flight.finished.then(
      () => (group.style.display = "none"),
      () => {},
    );
  }

  return {
    group,
    show,
    arrive: () => move(at.seat, at.bet, { duration: 220 }),
    collect: (was, bb) => fly(bb(was), at.bet, [size.cx, size.cy - size.board * 28 - 18]),
    award: (_, text) => fly(text, [size.cx, size.cy - size.board * 28 - 18], at.seat),
  };
}
