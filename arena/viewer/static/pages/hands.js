// The hands of an opened PHH or ACPC file.

import { get } from "../api.js";
import { h, section, select } from "../dom.js";
import { amount, count, tone } from "../format.js";
import { pager } from "../matches.js";
import { handUrl, keep, parameters } from "../place.js";

export async function show(main) {
  const place = h("div");
  const state = { player: parameters().get("player") ?? "", page: Number(parameters().get("page") ?? 0) || 0 };
  const first = await get("/api/hands", state);
  const players = [["", "All players"], ...first.players.map((name) => [name, name])];
  const filter = select("Player", players, state.player, (player) => turn({ player, page: 0 }));

  async function turn(changes) {
    Object.assign(state, changes);
    keep({ player: state.player, page: state.page ? String(state.page) : null });
    draw(await get("/api/hands", state));
  }

  function draw(data) {
    const heads = ["Hand", "Players", "Board", "Won and lost"];
    place.replaceChildren(
      h(
        "div",
        { class: "scroll", tabindex: 0 },
        h("table", { class: "hands" }, h("thead", {}, h("tr", {}, heads.map((text, i) => h("th", { class: i === 1 && "extra" }, text)))), h("tbody", {}, data.hands.map(row))),
      ),
      pager(data, count(data.total, "hand"), (page) => turn({ page })),
    );
  }

  main.append(
    h("div", { class: "head" }, h("h1", {}, first.file), h("div", { class: "facts" }, h("span", {}, count(first.hands_total ?? first.total, "hand")))),
    section("Hands", filter, place),
    ...(first.left_out ? [section(`Left out: ${first.left_out}`, null, h("ul", { class: "small" }, first.reasons.map((why) => h("li", {}, why))))] : []),
  );
  draw(first);
}

function row(hand) {
  return h(
    "tr",
    {},
    h("td", {}, h("a", { href: handUrl(hand.number) }, String(hand.number + 1)), hand.title && h("span", { class: "muted small" }, ` no. ${hand.title}`)),
    h("td", { class: "extra" }, hand.players.join(", ")),
    h("td", {}, cards(hand.board)),
    h(
      "td",
      {},
      hand.net
        ? hand.net.map((net, i) => net !== 0 && [h("span", { class: "small" }, `${hand.players[i]} `), h("span", { class: tone(net) }, amount(net)), "  "])
        : h("span", { class: "muted" }, "not stated"),
    ),
  );
}

const SIGNS = { s: "♠", h: "♥", d: "♦", c: "♣" };

function cards(names) {
  return h("span", { class: "cards" }, names.map((name) => h("span", { class: name[1] }, `${name[0]}${SIGNS[name[1]] ?? ""}`)));
}
