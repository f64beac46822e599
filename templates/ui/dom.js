// Elements from values. Text is always text: nothing that a container prints becomes markup.
export const byId = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const made = tag.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== "" && child != null));
  return made;
}

// A part may be called "constructor": what is asked by name is asked of what the server told alone.
export const listOf = (map, name) => (map && Object.hasOwn(map, name) ? map[name] : []);

const TONES = {
  running: "good", finished: "good", failed: "bad", unhealthy: "bad", "not answering": "bad",
  starting: "warn", paused: "warn", created: "warn", absent: "warn", stopped: "warn",
};
export const toneOf = (part) => TONES[part.condition] || "quiet";

export function say(text) {
  byId("said").textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (byId("said").textContent = ""), 6000);
}
