// A bidding market: the budgets' pace, what was scored, and the last tick's bids against its prices.

import { h } from "../dom.js";
import { fixed } from "../format.js";
import { colours, draw, mark } from "../plotly.js";

const TABLE = [
  ["score", "Score", 2],
  ["left", "Budget left", 0],
  ["spend", "Spent", 0],
  ["impressions", "Impressions", 0],
  ["clicks", "Clicks", 0],
  ["ecpc", "eCPC", 2],
];

export const whole = true;

/** A person bids a multiple of what each impression is worth, or passes. */
export function controls(turn, frame, decide) {
  const slider = h("input", { type: "range", min: 0, max: 3, step: 0.05, value: 1, "aria-label": "Bid, times the worth" });
  const send = h("button", { type: "button", class: "primary", onclick: () => decide(`times ${slider.value}`) });
  const tell = () => (send.textContent = `Bid ${slider.value} × worth`);
  slider.addEventListener("input", tell);
  tell();
  const pass = h("button", { type: "button", onclick: () => decide("pass") }, "Pass");
  return h("div", { class: "controls" }, slider, send, pass);
}

export function mount(element, replay) {
  const palette = colours();
  const colour = (seat) => palette[seat % palette.length];
  const names = replay.seats.map((who) => plain(who.name));
  const frames = replay.steps.map((step) => step.frame);
  const ticks = frames.map((frame) => frame.tick);
  const pace = h("div", { class: "chart small" });
  const score = h("div", { class: "chart small" });
  const bids = h("div", { class: "chart small" });
  const body = h("tbody");
  const root = h(
    "div",
    { class: "market" },
    h("div", {}, h("h3", {}, "Budget left, share"), pace),
    h("div", {}, h("h3", {}, `Score so far (${frames[0].score})`), score),
    h("div", { class: "wide" }, h("h3", {}, "The last tick's bids, and the price to beat"), bids),
    h(
      "div",
      { class: "wide scroll" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, h("th", {}, "Bidder"), TABLE.map(([, title]) => h("th", { class: "number" }, title)))),
        body,
      ),
    ),
  );
  element.append(root);

  // What a seat may not see is missing from the frames, and from the curves.
  const lines = (value) =>
    names.flatMap((name, seat) => {
      const y = frames.map((frame) => value(frame.bidders[seat]) ?? null);
      if (y.every((v) => v === null)) return [];
      return [{ x: ticks, y, name, mode: "lines", line: { color: colour(seat), width: 2 }, hovertemplate: "%{y:.3f}<extra>%{fullData.name}</extra>" }];
    });
  const small = { height: 220, showlegend: false, margin: { l: 44, r: 8, t: 4, b: 34 }, xaxis: { title: { text: "tick", standoff: 4 }, range: [0, frames[0].ticks] } };
  let shown = 0;
  const ready = Promise.all([
    draw(pace, lines((bidder) => (bidder.budget ? bidder.left / bidder.budget : undefined)), { ...small, yaxis: { rangemode: "tozero" } }),
    draw(score, lines((bidder) => bidder.score), { ...small, yaxis: { rangemode: "tozero" } }),
  ]).catch((error) => root.prepend(h("p", { class: "note wide" }, error.message)));

  async function curves() {
    await ready;
    if (!pace.classList.contains("js-plotly-plot")) return;
    const { frame } = replay.steps[shown];
    mark(pace, frame.tick);
    mark(score, frame.tick);
    await draw(bids, market(frame.last), { ...small, height: 250, showlegend: true, legend: { orientation: "h", y: 1.18, x: 0 }, margin: { l: 44, r: 8, t: 30, b: 34 }, hovermode: "closest", xaxis: { title: { text: "impression of the tick", standoff: 4 } }, yaxis: { rangemode: "tozero" } });
  }

  function market(last) {
    if (!last) return [];
    const impressions = (values) => values.map((_, i) => i + 1);
    const price = last.prices && {
      x: impressions(last.prices),
      y: last.prices,
      name: "price to beat",
      mode: "lines",
      line: { shape: "hvh", width: 1.5, dash: "dot", color: getComputedStyle(document.documentElement).getPropertyValue("--muted").trim() },
    };
    const marks = last.bids.flatMap((values, seat) => {
      if (!values) return [];
      const won = last.slots[seat].map((slot) => slot > 0);
      return [
        {
          x: impressions(values),
          y: values,
          name: names[seat],
          mode: "markers",
          marker: { color: colour(seat), size: won.map((w) => (w ? 11 : 6)), opacity: won.map((w) => (w ? 1 : 0.55)) },
          hovertemplate: "%{y:.2f}<extra>%{fullData.name}</extra>",
        },
      ];
    });
    return price ? [price, ...marks] : marks;
  }

  function render(step) {
    shown = step;
    const { frame } = replay.steps[step];
    body.replaceChildren(
      ...frame.bidders.map((bidder, seat) =>
        h(
          "tr",
          {},
          h("td", {}, h("i", { class: "swatch", style: { background: colour(seat) } }), replay.seats[seat].name, h("span", { class: "muted small" }, ` ${bidder.label}`)),
          TABLE.map(([key, , digits]) => h("td", { class: "number" }, key in bidder ? fixed(bidder[key], digits) : "hidden")),
        ),
      ),
    );
    curves();
  }

  return { render, unmount: () => root.remove() };
}

/** Plotly reads some tags in names: an agent's name must stay text. */
function plain(name) {
  return name.replaceAll("<", "‹").replaceAll(">", "›");
}
