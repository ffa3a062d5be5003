// Numbers, names and times as text.

const MINUS = "−";

/** A number with a fixed number of digits and a true minus sign. */
export function fixed(value, digits = 0) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const text = Math.abs(value).toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return value < 0 && Number(value.toFixed(digits)) !== 0 ? MINUS + text : text;
}

/** The same with a sign where it is not zero. */
export function signed(value, digits = 0) {
  const text = fixed(value, digits);
  return value > 0 && Number(value.toFixed(digits)) !== 0 ? `+${text}` : text;
}

/** A rating: whole points without a separator. */
export function whole(value) {
  return fixed(value).replaceAll(",", "");
}

/** As many digits as matter beside such an amount. */
export function digitsFor(amount) {
  const size = Math.abs(amount);
  return size >= 20 ? 0 : size >= 2 ? 1 : 2;
}

/** A signed amount with as many digits as matter. */
export function amount(value) {
  return value === null || value === undefined ? "–" : signed(value, digitsFor(value));
}

/** An amount without needless digits: 2.5, 100, 0.125. */
export function plain(value, most = 3) {
  return value.toLocaleString("en", { maximumFractionDigits: most });
}

/** A share of one, in per cent. */
export function percent(share, digits = 1) {
  return `${fixed(100 * share, digits)} %`;
}

/** An estimated share: nothing that was estimated is certain. */
export function share(value) {
  const text = percent(value);
  return text === "0.0 %" ? "< 0.1 %" : text === "100.0 %" ? "> 99.9 %" : text;
}

/** Half of an estimate's interval; "" where it is infinite. */
export function half(estimate, scale = 1, digits = null) {
  if (estimate.low === null || estimate.high === null) return "";
  const width = (scale * (estimate.high - estimate.low)) / 2;
  return `± ${fixed(width, digits ?? digitsFor(scale * estimate.value))}`;
}

/** "gain", "loss" or "" for the colour of an amount. */
export function tone(value) {
  return value > 0 ? "gain" : value < 0 ? "loss" : "";
}

export function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function day(iso) {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

export function milliseconds(ms) {
  if (ms >= 1000) return `${fixed(ms / 1000, 1)} s`;
  return ms >= 10 ? `${fixed(ms)} ms` : ms >= 0.01 ? `${fixed(ms, 2)} ms` : "under 0.01 ms";
}
