// Data by its path: embedded in the page where it was exported, else fetched.

import { served } from "./place.js";

/** The JSON at a path of the interface. Rejects with a sentence to show. */
export async function get(path, values = {}) {
  const kept = Object.entries(values).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const query = new URLSearchParams(kept).toString();
  if (!served) return embedded(path, values.seat);
  return answer(await reach(query ? `${path}?${query}` : path));
}

/** Send JSON; the answer's JSON. Rejects with a sentence to show. */
export async function post(path, value) {
  const request = {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  };
  return answer(await reach(path, request));
}

async function reach(address, request) {
  try {
    return await fetch(address, request);
  } catch {
    throw new Error("The server does not answer. Is arena view still running?");
  }
}

async function answer(response) {
  const data = await response.json();
  if (!response.ok) throw new Error(data.error ?? `The server answered ${response.status}.`);
  return data;
}

let unpacked = null;

async function unpack() {
  const bytes = Uint8Array.from(atob(document.getElementById("data").textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

async function embedded(path, seat) {
  unpacked ??= unpack();
  const data = await unpacked;
  const key = seat === null || seat === undefined || seat === "" ? path : `${path}?seat=${seat}`;
  if (Object.hasOwn(data, key)) return data[key];
  throw new Error("This page was exported without what you are looking for.");
}
