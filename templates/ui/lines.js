// Output and events, bounded: at most KEPT in memory and SHOWN in the page, however fast they come.
import { byId, element } from "./dom.js";

export const KEPT = 5000, SHOWN = 1000;
let kept = [], waiting = [], isDue = false;
const colours = new Map();

const colourOf = (name) => {
  if (!colours.has(name)) colours.set(name, `c${colours.size % 6}`);
  return colours.get(name);
};

function isShown(item) {
  const of = byId("of").value, filter = byId("filter").value.toLowerCase();
  if (of && item.name !== of && item.kind !== "run") return false;
  if (item.kind === "event" && !byId("with-events").checked) return false;
  return !filter || `${item.name} ${item.text}`.toLowerCase().includes(filter);
}

function row(item) {
  const time = (item.at || "").slice(11, 19);
  const kind = item.kind === "line" ? (item.stream === "stderr" ? "error" : "") : item.kind;
  return element("div", { class: kind }, `${time} `, item.name ? element("b", { class: colourOf(item.name) }, item.name) : "",
    item.kind === "event" ? " * " : " ", item.text);
}

function show() {
  isDue = false;
  const box = byId("lines"), fresh = waiting.filter(isShown).slice(-SHOWN);
  waiting = [];
  box.append(...fresh.map(row));
  while (box.childElementCount > SHOWN) box.firstElementChild.remove();
  if (byId("follow").checked && fresh.length) box.scrollTop = box.scrollHeight;
}

export function add(items) {
  kept.push(...items);
  waiting.push(...items);
  if (kept.length > KEPT) kept = kept.slice(-KEPT);
  if (waiting.length > KEPT) waiting = waiting.slice(-KEPT);
  if (!isDue) {
    isDue = true;
    requestAnimationFrame(show);
  }
}

export function clear() {
  kept = [];
  again();
}

export function again() {
  byId("lines").replaceChildren();
  waiting = kept.slice();
  show();
}

export const eventsOf = (name) => kept.filter((item) => item.kind === "event" && item.name === name);
for (const id of ["of", "filter", "with-events"]) byId(id).addEventListener("input", again);
