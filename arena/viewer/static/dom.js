// Elements made of text and attributes. Nothing here, or anywhere else, parses markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") {
      for (const [property, v] of Object.entries(value)) element.style.setProperty(property, v);
    } else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child !== null && child !== undefined && child !== false) element.append(child);
  }
}

/** An HTML element; strings among the children become text. */
export function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** A section with a heading; `beside` stands at the heading's right. */
export function section(title, beside, ...children) {
  const heading = h("h2", {}, title);
  return h("section", {}, h("div", { class: "section-head" }, heading, beside), ...children);
}

/** What to say where there is nothing to show, and what to do about it. */
export function empty(what, hint, command) {
  return h(
    "div",
    { class: "empty" },
    h("strong", {}, what),
    hint && h("p", {}, hint),
    command && h("pre", { class: "command" }, command),
  );
}

/** A select; options are [value, label]. */
export function select(label, options, value, change) {
  const element = h(
    "select",
    { "aria-label": label, onchange: () => change(element.value) },
    options.map(([v, text]) => h("option", { value: v, selected: v === value }, text)),
  );
  return element;
}

/** Buttons of which one is pressed; options are [value, label]. */
export function segments(label, options, value, change) {
  const buttons = options.map(([v, text]) =>
    h("button", { type: "button", "aria-pressed": String(v === value), onclick: () => choose(v) }, text),
  );
  function choose(chosen) {
    options.forEach(([v], i) => buttons[i].setAttribute("aria-pressed", String(v === chosen)));
    change(chosen);
  }
  return h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}
