// What is not there, in a sentence.

import { h } from "../dom.js";

export function show(main, _page, sentence) {
  main.append(
    h(
      "div",
      { class: "empty" },
      h("h1", {}, "Not here"),
      h("p", {}, sentence),
      h("a", { class: "button primary", href: "/" }, "All leagues"),
    ),
  );
}
