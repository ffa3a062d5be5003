// One drawing module a game, which the game's own folder brings (drawing.js). A module exports
// `mount(element, replay)`, which returns `{ render(step), unmount() }`: `step` is an index into
// `replay.steps`, of which there is at least one, whose `frame` is what the game's `Tables.frame` says of the table.

import { served } from "../place.js";

/** The module that draws the games of that name. */
export function drawing(name) {
  return import(served ? `/static/games/${name}.js` : `arena/games/${name}.js`);
}

/** Draw `replay` into `element` with its game's own module. */
export async function mount(element, replay) {
  return (await drawing(replay.drawing)).mount(element, replay);
}
