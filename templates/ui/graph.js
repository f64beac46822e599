// Who needs whom, as layers from left to right: what needs stands left of what it needs. At most MOST nodes are drawn.
import { element, listOf, toneOf } from "./dom.js";

export const MOST = 200;
const WIDTH = 130, HEIGHT = 24, ACROSS = 180, DOWN = 34;

export function graph(state, selected, choose) {
  const parts = new Map(state.stack.slice(0, MOST).map((part) => [part.name, part]));
  const needs = new Map([...parts.keys()].map((name) => [name, listOf(state.needs, name).filter((each) => parts.has(each))]));
  for (const [bundle, names] of Object.entries(state.named || {})) {
    const key = `bundle ${bundle}`;
    parts.set(key, { name: key, condition: "bundle" });
    needs.set(key, names.filter((name) => parts.has(name)));
  }
  const depths = new Map();
  const depth = (name, above = new Set()) => {
    if (depths.has(name) || above.has(name)) return depths.get(name) || 0;
    above.add(name);
    depths.set(name, Math.max(-1, ...needs.get(name).map((each) => depth(each, above))) + 1);
    return depths.get(name);
  };
  const names = [...parts.keys()];
  const last = Math.max(0, ...names.map((name) => depth(name)));
  const rows = [], places = new Map();
  for (const name of names) {
    const column = last - depths.get(name);
    rows[column] = (rows[column] || 0) + 1;
    places.set(name, [column * ACROSS + 4, (rows[column] - 1) * DOWN + 4]);
  }
  const height = Math.max(1, ...rows.filter(Boolean)) * DOWN + 4;
  const drawing = element("svg:svg", { width: last * ACROSS + WIDTH + 8, height, role: "group", "aria-label": "Who needs whom" });
  for (const name of names) for (const other of needs.get(name)) {
    const [x, y] = places.get(name), [u, v] = places.get(other);
    drawing.append(element("svg:line", { x1: x + WIDTH, y1: y + HEIGHT / 2, x2: u, y2: v + HEIGHT / 2 }));
  }
  for (const name of names) {
    const [x, y] = places.get(name), part = parts.get(name), isBundle = part.condition === "bundle";
    const go = () => isBundle || choose(name);
    drawing.append(element("svg:g", {
      class: toneOf(part), transform: `translate(${x} ${y})`, ...(isBundle ? {} : { tabindex: 0, role: "button" }),
      "aria-label": isBundle ? false : `${name}, ${part.state || part.type}`, "aria-current": name === selected ? "true" : false,
      onclick: go, onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); go(); } },
    }, element("svg:rect", { width: WIDTH, height: HEIGHT }),
    element("svg:text", { x: 8, y: 16 }, name.length > 19 ? `${name.slice(0, 18)}…` : name)));
  }
  return drawing;
}
