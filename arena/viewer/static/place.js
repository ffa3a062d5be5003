// Where we are and where links lead: on the server, in an exported folder, in a single file.

export const page = JSON.parse(document.getElementById("page").textContent);

/** "served", "folder" (a static site of a league) or "file" (one replay). */
export const site = page.site ?? "served";
export const served = site === "served";

/** The parameters of the address: its query on the server, its fragment in exports. */
export function parameters() {
  return new URLSearchParams(served ? location.search : location.hash.slice(1));
}

/** Change parameters in place (null removes one), without a new entry in the browser's history. */
export function keep(changes) {
  const now = parameters();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") now.delete(name);
    else now.set(name, value);
  }
  const text = now.toString();
  history.replaceState(history.state, "", served ? (text ? `?${text}` : location.pathname) : `#${text}`);
}

function query(values) {
  const kept = Object.entries(values).filter(([, v]) => v !== null && v !== undefined && v !== "");
  const text = new URLSearchParams(kept).toString();
  return text && `?${text}`;
}

export function homeUrl() {
  return served ? "/" : null;
}

export function leagueUrl(league) {
  if (site === "file") return null;
  return served ? `/leagues/${encodeURIComponent(league)}` : "index.html";
}

/** An agent's page; null where there is none. */
export function agentUrl(league, key) {
  if (site === "file" || !league) return null;
  return served ? `/leagues/${encodeURIComponent(league)}/agents/${encodeURIComponent(key)}` : `agent-${encodeURIComponent(key)}.html`;
}

export function matchUrl(match, league) {
  if (served) return `/matches/${encodeURIComponent(match)}${query({ league })}`;
  return site === "folder" ? `match-${encodeURIComponent(match)}.html` : "#";
}

export function replayUrl(match, deal, seating, league, step) {
  if (served) {
    const path = `/matches/${encodeURIComponent(match)}/deals/${deal}/${seating}`;
    return path + query({ league, step });
  }
  const file = site === "folder" && page.match !== match ? matchUrl(match) : "";
  return `${file}#${query({ deal, seating, step }).slice(1)}`;
}

export function handUrl(number) {
  return `/hands/${number}`;
}
