// A replay: the table, the way through its steps, the decision, and the course of it all.

import { get } from "../api.js";
import { decisionPane } from "../decision.js";
import { h, section, select } from "../dom.js";
import { amount, capital, tone } from "../format.js";
import { mount } from "../games/index.js";
import { handUrl, keep, leagueUrl, matchUrl, parameters, replayUrl, served } from "../place.js";
import { Player } from "../player.js";

export async function show(main, page) {
  const asked = parameters();
  const seat = asked.get("seat");
  const path = page.hand === undefined ? `/api/matches/${page.match}/deals/${page.deal}/${page.seating}` : `/api/hands/${page.hand}`;
  const replay = await get(path, { seat, league: page.league });

  const canvas = h("div", { class: "canvas" });
  const pane = h("section", { class: "decision", "aria-live": "off" });
  const log = new Log(replay, (step) => player.jump(step));
  const player = new Player(replay.steps.length, (step) => {
    drawing.render(step);
    pane.replaceChildren(...[decisionPane(replay, step)].flat());
    // A long list shows what was chosen; only the list scrolls.
    const chosen = pane.querySelector(".legal .chosen");
    if (chosen) chosen.parentElement.scrollTop = chosen.offsetTop - chosen.parentElement.clientHeight / 2;
    log.mark(step);
    settle(step);
  });

  // The address follows, but browsers refuse to be told of a hundred steps a second.
  let settling = null;
  function settle(step) {
    clearTimeout(settling);
    settling = setTimeout(() => keep({ step: String(step) }), 150);
  }

  const views = [["", "Everything"], ...replay.seats.map((who, i) => [String(i), `Seat ${i + 1}: ${who.name}`])];
  const view = select("View", views, seat ?? "", (chosen) => {
    keep({ seat: chosen, step: String(player.step) });
    if (served) location.reload();
    else again();
  });
  async function again() {
    player.unmount();
    drawing.unmount();
    main.replaceChildren();
    leaveLater = await show(main, page);
  }
  let leaveLater = null;

  main.append(
    head(replay, page),
    h(
      "div",
      { class: "replay" },
      h(
        "section",
        { class: "stage", "aria-label": "Replay" },
        canvas,
        player.element,
        h(
          "div",
          { class: "options" },
          player.speeds,
          replay.seats.length > 1 && h("label", { class: "inline" }, "View", view),
          h("span", { class: "keys", "aria-hidden": "true" }, h("kbd", {}, "←"), " ", h("kbd", {}, "→"), " step  ", h("kbd", {}, "space"), " play"),
        ),
      ),
      h("div", { class: "side" }, pane, section("Course", null, log.element)),
    ),
  );
  const drawing = await mount(canvas, replay);
  const step = Number(asked.get("step") ?? 0);
  player.begin(Number.isInteger(step) ? step : 0);
  return () => {
    if (leaveLater) return leaveLater();
    clearTimeout(settling);
    player.unmount();
    drawing.unmount();
  };
}

function head(replay, page) {
  const names = replay.seats.map((who) => who.name).join(" – ");
  if (page.hand !== undefined) return handHead(replay, names);
  const up = page.league && leagueUrl(page.league);
  const number = replay.first_deal + replay.deal;
  const link = (deal, seating, text) => h("a", { href: replayUrl(replay.match, deal, seating, page.league) }, text);
  const solo = replay.seats.length === 1;
  const others = replay.seatings.map((_, i) => i).filter((i) => i !== replay.seating);
  const other = (i) => link(replay.deal, i, solo ? replay.seatings[i][0] : `seating ${i + 1}`);
  return h(
    "div",
    { class: "head" },
    h(
      "div",
      { class: "crumbs" },
      served && [h("a", { href: "/" }, "Leagues"), "/"],
      up && [h("a", { href: up }, "League"), "/"],
      h("a", { href: matchUrl(replay.match, page.league) }, `match ${replay.match}`),
      "/",
      h("span", {}, `deal ${number}`),
    ),
    h("h1", {}, names),
    result(replay),
    h(
      "div",
      { class: "facts" },
      h("span", {}, replay.game),
      h("span", {}, solo ? `deal ${number}` : `deal ${number}, seating ${replay.seating + 1} of ${replay.seatings.length}`),
      others.length > 0 && h("span", {}, "same deal: ", others.map((i, k) => [k > 0 && ", ", other(i)])),
      replay.deal > 0 && link(replay.deal - 1, replay.seating, "previous deal"),
      replay.deal < replay.deals - 1 && link(replay.deal + 1, replay.seating, "next deal"),
    ),
  );
}

/** What came of it, said first: who watches a replay wants to know how, not whether. */
function result({ seats, returns, statuses }) {
  const parts = seats.map((who, seat) => [
    seat > 0 && " · ",
    `${who.name} `,
    h("b", { class: tone(returns[seat]) }, amount(returns[seat])),
    statuses[seat] !== "done" && h("span", { class: "badge bad" }, statuses[seat]),
  ]);
  return h("p", { class: "result" }, parts);
}

function handHead(replay, names) {
  const link = (number, text) => h("a", { href: handUrl(number) }, text);
  return h(
    "div",
    { class: "head" },
    h("div", { class: "crumbs" }, h("a", { href: "/hands" }, replay.file), "/", h("span", {}, `hand ${replay.hand + 1}`)),
    h("h1", {}, names),
    h(
      "div",
      { class: "facts" },
      replay.title && h("span", {}, `no. ${replay.title} in its source`),
      h("span", {}, `hand ${replay.hand + 1} of ${replay.hands.toLocaleString("en")}`),
      replay.hand > 0 && link(replay.hand - 1, "previous hand"),
      replay.hand < replay.hands - 1 && link(replay.hand + 1, "next hand"),
    ),
  );
}

/** All decisions in order; a click goes there. */
class Log {
  constructor(replay, go) {
    this.element = h("ol", { class: "log" });
    this.current = null;
    this.buttons = [];
    let street = null;
    replay.steps.forEach(({ frame, decisions }, step) => {
      const here = heading(frame);
      if (here && here !== street) this.element.append(h("li", { class: "street" }, capital(here)));
      street = here;
      const button = h(
        "button",
        { type: "button", class: decisions.some((d) => d.status) && "bad", onclick: () => go(step) },
        h("b", {}, who(replay, decisions, step)),
        h("span", {}, decisions.map((d) => d.label).join(", ")),
      );
      this.buttons.push(button);
      this.element.append(h("li", {}, button));
    });
  }

  mark(step) {
    this.current?.removeAttribute("aria-current");
    this.current = this.buttons[step];
    this.current.setAttribute("aria-current", "step");
    // Only the list scrolls, never the page.
    const { offsetTop, offsetHeight } = this.current;
    const list = this.element;
    if (offsetTop < list.scrollTop) list.scrollTop = offsetTop - 8;
    else if (offsetTop + offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = offsetTop + offsetHeight - list.clientHeight + 8;
  }
}

function who(replay, decisions, step) {
  if (step === replay.steps.length - 1) return "End";
  if (decisions.length === 1) return replay.seats[decisions[0].seat].name;
  return `${step + 1}: ${decisions.length ? `${decisions.length} seats` : "others"}`;
}

function heading(frame) {
  if (typeof frame.street !== "string") return "";
  return frame.hands > 1 ? `hand ${frame.hand}, ${frame.street}` : frame.street;
}
