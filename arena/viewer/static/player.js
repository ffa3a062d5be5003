// Steps through a replay: buttons, a scrubber, the keyboard, playing at several speeds.

import { h, s, select } from "./dom.js";

const ICONS = {
  first: "M3 2h2v12H3zM14 2v12L6 8z",
  back: "M12 2v12L4 8z",
  play: "M4 2l10 6-10 6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  forward: "M4 2v12l8-6z",
  last: "M11 2h2v12h-2zM2 2v12l8-6z",
};
const SPEEDS = [["0.5", "0.5×"], ["1", "1×"], ["2", "2×"], ["4", "4×"], ["16", "16×"]];
const PACE = 900; // milliseconds a step at speed 1

function icon(name) {
  return s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));
}

export class Player {
  /** `render(step)` is called with the step to show, once for each that is stepped on. */
  constructor(count, render) {
    this.count = count;
    this.render = render;
    this.step = 0;
    this.speed = 1;
    this.timer = null;
    const button = (name, label, press) => h("button", { type: "button", "aria-label": label, title: label, onclick: press }, icon(name));
    this.playButton = button("play", "Play (space)", () => this.toggle());
    this.scrub = h("input", {
      type: "range",
      class: "scrub",
      min: 0,
      max: count - 1,
      value: 0,
      "aria-label": "Step",
      oninput: () => {
        this.pause();
        this.go(Number(this.scrub.value));
      },
    });
    this.label = h("span", { class: "count" });
    this.element = h(
      "div",
      { class: "transport" },
      h(
        "div",
        { class: "buttons" },
        button("first", "First step (Home)", () => this.jump(0)),
        button("back", "Back (←)", () => this.jump(this.step - 1)),
        this.playButton,
        button("forward", "Forward (→)", () => this.jump(this.step + 1)),
        button("last", "Last step (End)", () => this.jump(this.count - 1)),
      ),
      this.scrub,
      this.label,
    );
    this.speeds = h("label", { class: "inline" }, "Speed", select("Speed", SPEEDS, "1", (value) => (this.speed = Number(value))));
    this.keys = (event) => this.press(event);
  }

  /** Show a step and listen to the keyboard, once there is something to render to. */
  begin(step) {
    this.go(step);
    document.addEventListener("keydown", this.keys);
  }

  go(step) {
    this.step = Math.max(0, Math.min(this.count - 1, step));
    this.scrub.value = String(this.step);
    this.scrub.setAttribute("aria-valuetext", `step ${this.step} of ${this.count - 1}`);
    this.label.textContent = `${this.step} / ${this.count - 1}`;
    this.render(this.step);
  }

  jump(step) {
    this.pause();
    this.go(step);
  }

  toggle() {
    if (this.timer !== null) {
      this.pause();
      return;
    }
    if (this.step === this.count - 1) this.go(0);
    this.playButton.replaceChildren(icon("pause"));
    this.playButton.setAttribute("aria-label", "Pause (space)");
    const next = () => {
      this.go(this.step + 1);
      if (this.step === this.count - 1) this.pause();
      else this.timer = setTimeout(next, PACE / this.speed);
    };
    this.timer = setTimeout(next, PACE / this.speed / 2);
  }

  pause() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.timer = null;
    this.playButton.replaceChildren(icon("play"));
    this.playButton.setAttribute("aria-label", "Play (space)");
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const within = event.target.closest?.("input, select, textarea, summary");
    if (within && within !== this.scrub) return;
    // A focused button is pressed by the space bar itself.
    if (event.key === " " && event.target.closest?.("button, a")) return;
    const moves = {
      ArrowRight: () => this.jump(this.step + 1),
      ArrowLeft: () => this.jump(this.step - 1),
      Home: () => this.jump(0),
      End: () => this.jump(this.count - 1),
      " ": () => this.toggle(),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  unmount() {
    this.pause();
    document.removeEventListener("keydown", this.keys);
  }
}
