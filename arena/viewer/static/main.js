// Every page starts here: the bar at the top, then the page's own module.

import { h, s } from "./dom.js";
import { page, parameters, served, site } from "./place.js";

const PAGES = {
  home: () => import("./pages/home.js"),
  league: () => import("./pages/league.js"),
  agent: () => import("./pages/agent.js"),
  match: () => import("./pages/match.js"),
  replay: () => import("./pages/replay.js"),
  hands: () => import("./pages/hands.js"),
  play: () => import("./pages/play.js"),
  missing: () => import("./pages/missing.js"),
};

function brand() {
  const bars = "M8 24V17h4v7zM14 24V8h4v16zM20 24V13h4v11z";
  const mark = s(
    "svg",
    { viewBox: "0 0 32 32", "aria-hidden": "true" },
    s("rect", { width: 32, height: 32, rx: 8, fill: "var(--accent)" }),
    s("path", { d: bars, fill: "var(--on-accent)" }),
  );
  return h("a", { class: "brand", href: served ? "/" : site === "folder" ? "index.html" : "#" }, mark, "Arena");
}

function link(href, text, current) {
  return h("a", { href, "aria-current": current && "page" }, text);
}

function bar() {
  const links = served
    ? [link("/", "Leagues", ["home", "league", "agent", "match"].includes(page.page)), link("/play", "Play", page.page === "play")]
    : [];
  document.getElementById("top").replaceChildren(h("nav", { "aria-label": "Site" }, brand(), links));
}

// In an exported match the fragment chooses between its list of deals and one of its replays.
function chosen() {
  const asked = parameters();
  if (served || !page.match || !asked.has("deal")) return page;
  return { ...page, page: "replay", deal: Number(asked.get("deal")), seating: Number(asked.get("seating")) };
}

let leave = null;
let shown = "";

async function show() {
  const next = chosen();
  const key = JSON.stringify([next.page, next.deal, next.seating]);
  if (key === shown) return;
  shown = key;
  leave?.();
  const main = document.getElementById("main");
  const sentence = main.textContent;
  main.replaceChildren();
  const waiting = setTimeout(() => main.childElementCount || main.append(h("p", { class: "empty waiting", role: "status" }, "Loading …")), 250);
  const watch = new MutationObserver(() => main.childElementCount > 1 && main.querySelector(":scope > .waiting")?.remove());
  watch.observe(main, { childList: true });
  try {
    const module = await PAGES[next.page]();
    leave = (await module.show(main, next, sentence)) ?? null;
  } catch (error) {
    main.replaceChildren(h("div", { class: "empty" }, h("strong", {}, error.message)));
  }
  clearTimeout(waiting);
  watch.disconnect();
}

bar();
show();
if (!served) addEventListener("hashchange", show);
