// The page: what it is told, what is selected, and the buttons, each with the command that it stands for.
import { byId, element, listOf, say, toneOf } from "./dom.js";
import { ask, cancel, listen, run, showWorld } from "./door.js";
import { graph } from "./graph.js";
import * as lines from "./lines.js";

const POINTS = 60; // five minutes, a point each five seconds
let state = { stack: [], needs: {}, scripts: {}, suites: {}, named: {}, called: "dusty", running: "", shown: "base", worlds: [] };
let selected = sessionStorage.getItem("dusty-part") || "", why = null, isGraph = false;
const history = new Map(); // name -> [{cpu, memory}]

const commandOf = (action, names) =>
  [state.called, { script: "scripts" }[action] || action, ...ofWorld(), ...names].join(" ");
const ofWorld = () => (state.shown === "base" ? [] : ["--world", state.shown]);
const isShared = (part) => Boolean(part.shared);

function button(label, action, names) {
  const command = commandOf(action, names);
  return element("button", {
    type: "button", title: command, "data-command": command, "data-key": command, disabled: Boolean(state.running),
    onclick: async () => {
      try {
        await run(action, names, state.shown);
        say(`running: ${command}`);
      } catch (error) {
        say(error.message);
      }
    },
  }, label);
}

function copying(label, text) {
  return element("button", { type: "button", title: `copy ${text}`, "aria-label": `copy ${text}`, "data-key": `copy ${text}`,
    onclick: () => navigator.clipboard.writeText(text).then(() => say(`copied ${text}`), (error) => say(error.message)) }, label);
}

// New children in the place of the old ones; the focus stays where it was.
function put(box, ...children) {
  const key = box.contains(document.activeElement) && document.activeElement.dataset.key;
  box.replaceChildren(...children.filter(Boolean));
  if (key) [...box.querySelectorAll("[data-key]")].find((each) => each.dataset.key === key)?.focus();
}

const ranks = { bad: 0, warn: 1, good: 2, quiet: 3 };
const byNeed = (a, b) => ranks[toneOf(a)] - ranks[toneOf(b)] || (a.pending ? 0 : 1) - (b.pending ? 0 : 1);

function choose(name) {
  selected = name;
  why = null;
  sessionStorage.setItem("dusty-part", name);
  byId("of").value = name;
  lines.again();
  show();
  ask(`/api/why?name=${encodeURIComponent(name)}`).then((found) => {
    if (selected === name) { why = found; showDetails(); }
  }, (error) => say(error.message));
}

function showParts() {
  const find = byId("find").value.toLowerCase();
  byId("parts").hidden = isGraph;
  byId("graph").hidden = !isGraph;
  if (isGraph) return byId("graph").replaceChildren(graph(state, selected, choose));
  const rows = state.stack.filter((part) => part.name.toLowerCase().includes(find)).sort(byNeed).slice(0, 300);
  put(byId("parts"), ...rows.map((part) => element("li", {}, element("button", {
    type: "button", "data-key": part.name, "aria-current": part.name === selected ? "true" : false, onclick: () => choose(part.name),
  }, element("span", { class: `dot ${toneOf(part)}`, "aria-hidden": "true" }), element("span", { class: "name" }, part.name),
  element("span", { class: toneOf(part) }, part.state || part.type),
  element("small", {}, part.why || part.pending || (part.routes || [])[0] || part.code || "")))));
  if (!rows.length) put(byId("parts"), element("li", { class: "quiet" }, state.stack.length ? "no part has this name" : `nothing is active: ${state.called} up starts the stack`));
}

function plot(points, label) {
  if (points.length === 1) points = [points[0], points[0]];
  const most = Math.max(...points, 1e-9);
  const path = points.map((value, index) => `${index ? "L" : "M"}${(index / Math.max(points.length - 1, 1)) * 100} ${40 - (value / most) * 36}`).join("");
  return element("svg:svg", { class: "plot", viewBox: "0 0 100 44", preserveAspectRatio: "none", role: "img", "aria-label": label },
    element("svg:path", { d: path }));
}

function plotsOf(part) {
  const points = history.get(part.name);
  if (!points) return null;
  const { cpu, memory } = points[points.length - 1], mib = (memory / 1048576).toFixed(memory < 10485760 ? 1 : 0);
  return element("div", { class: "plots" },
    element("div", {}, element("h3", {}, `CPU ${cpu.toFixed(1)} %`), plot(points.map((each) => each.cpu), `CPU, now ${cpu.toFixed(1)} percent`)),
    element("div", {}, element("h3", {}, `Memory ${mib} MiB`), plot(points.map((each) => each.memory), `Memory, now ${mib} MiB`)));
}

function facts(part) {
  const repo = (state.repos || []).find((each) => (part.repos || []).includes(each.id));
  const rows = [
    ["state", element("span", { class: toneOf(part) }, [part.state || part.type, part.since].filter(Boolean).join(", "))],
    ["why", part.why], ["pending", part.pending], ["last", part.last], ["image", part.image], ["code", part.code],
    ["sync", repo && `${repo.name}: ${repo.sync}`], ["from", repo && repo.path],
    ["needs", listOf(state.needs, part.name).join(", ")],
    ["needed by", Object.keys(state.needs).filter((name) => state.needs[name].includes(part.name)).join(", ")],
  ];
  const found = element("dl");
  for (const [name, value] of rows) if (value) found.append(element("dt", {}, name), element("dd", {}, value));
  for (const route of part.routes || []) {
    const isUrl = /^https?:\/\//.test(route);
    found.append(element("dt", {}, isUrl ? "URL" : "address"), element("dd", {},
      isUrl ? element("a", { href: route, target: "_blank", rel: "noopener noreferrer", "data-key": route }, route) : route, " ", copying("copy", route)));
  }
  return found;
}

function showDetails() {
  const part = state.stack.find((each) => each.name === selected);
  if (!part) return;
  byId("details-title").textContent = part.name;
  const isLib = part.type === "lib", box = element("div");
  const buttons = isLib || isShared(part) ? [] : [
    part.condition === "running" ? button("Restart", "restart", [part.name]) : button("Start", "up", [part.name]),
    button("Up", "up", [part.name]), button("Stop", "stop", [part.name]),
    ...(part.repos || []).slice(0, 1).map((id) => button("Sync", "sync", [id])),
    copying("Copy the shell command", `${[state.called, "shell", ...ofWorld(), part.name].join(" ")}`),
  ];
  for (const script of listOf(state.scripts, part.name)) buttons.push(button(`Run ${script}`, "script", [part.name, script]));
  for (const suite of listOf(state.suites, part.name)) buttons.push(button(`Test ${suite}`, "test", [part.name, suite]));
  box.append(element("div", { class: "buttons" }, ...buttons), facts(part));
  const plots = plotsOf(part);
  if (plots && toneOf(part) !== "bad") box.append(plots);
  if (why && !isLib) {
    const died = why.died || {};
    const told = [why.trouble, why.now && `${why.name} ${why.now}`, [died.what, died.place].filter(Boolean).join(", "),
      why.cause && `last: ${why.what}: ${why.cause}${why.place ? `, ${why.place}` : ""}`, why.probe];
    box.append(element("h3", {}, "Why"), ...told.filter((text) => typeof text === "string" && text).map((text) => element("p", {}, text)));
    if (why.printed?.length) box.append(element("h3", {}, "Last lines"), element("pre", {}, why.printed.join("\n")));
  }
  if (plots && toneOf(part) === "bad") box.append(plots); // below why it failed
  const events = [...(why?.history || []), ...lines.eventsOf(part.name)];
  const seen = new Set(), unique = events.filter((event) => !seen.has(event.at + event.text) && seen.add(event.at + event.text)).slice(-20).reverse();
  if (unique.length) {
    box.append(element("h3", {}, "Timeline"), element("ul", {}, ...unique.map((event) =>
      element("li", {}, element("span", { class: "quiet" }, `${event.at.slice(0, 19).replace("T", " ")}  `), event.text))));
  }
  put(byId("about"), ...box.childNodes);
}

function showWorlds() {
  const box = byId("world"), names = ["base", ...(state.worlds || [])];
  box.hidden = names.length < 2 && state.shown === "base";
  if (names.join() !== [...box.options].map((option) => option.value).join()) {
    box.replaceChildren(...names.map((name) => element("option", { value: name }, name === "base" ? "base" : `world ${name}`)));
  }
  if (document.activeElement !== box) box.value = state.shown;
}

function showHead() {
  showWorlds();
  const counts = {};
  for (const part of state.stack) if (part.condition) counts[part.condition] = (counts[part.condition] || 0) + 1;
  const host = state.docker_host || {};
  byId("summary").textContent = [
    (state.bundles || []).join(", "), host.name && `${host.name}${host.answers === false ? " does not answer" : ""}`,
    Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(", ") || "nothing is active",
    state.running && `running: ${state.running}`,
  ].filter(Boolean).join(" · ");
  const trouble = [state.trouble, state.problems].filter(Boolean).join("\n");
  byId("trouble").hidden = !trouble;
  byId("trouble").textContent = trouble;
  put(byId("stack-buttons"), button("Up", "up", []), button("Sync", "sync", []), button("Stop", "stop", []),
    element("button", { type: "button", title: `${state.called} plan`, "data-key": "plan", onclick: showPlan }, "Plan"),
    state.running && element("button", { type: "button", title: `^C: ${state.running}`, "data-key": "cancel",
      onclick: () => cancel().then(() => say(`ending: ${state.running}`), (error) => say(error.message)) }, "Cancel"));
  const of = byId("of"), names = state.stack.filter((part) => part.type !== "lib").map((part) => part.name);
  if (names.join() !== [...of.options].slice(1).map((option) => option.value).join()) {
    of.replaceChildren(element("option", { value: "" }, "all parts"), ...names.map((name) => element("option", { value: name }, name)));
    of.value = names.includes(selected) ? selected : "";
  }
}

async function showPlan() {
  byId("dialog-title").textContent = `${state.called} plan`;
  byId("dialog-text").textContent = "comparing …";
  byId("dialog").showModal();
  try {
    const plan = await ask("/api/plan");
    byId("dialog-text").textContent = plan.trouble || (plan.changes || []).map((change) =>
      `${change.kind} ${change.name || ""} (${change.cause}${change.place ? `, ${change.place}` : ""})`).join("\n") || "up to date: the next up changes nothing";
  } catch (error) {
    byId("dialog-text").textContent = error.message;
  }
}

function show() { showHead(); showParts(); showDetails(); }

function hear(batch) {
  if (batch === null) return lines.clear();
  const items = [];
  if (batch.dropped) items.push({ kind: "event", name: "", at: "", text: `${batch.dropped[0]} lines came faster than they can be shown, and were left out` });
  for (const line of batch.line || []) items.push({ kind: "line", ...line });
  for (const event of batch.event || []) items.push({ kind: "event", ...event });
  items.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  for (const each of batch.run || []) {
    items.push({ kind: "run", name: "", at: "", text: "code" in each ? `${each.command}: exited with status ${each.code}` : each.text ? each.text : `$ ${each.command}` });
    if ("code" in each) say(each.code ? `${each.command} exited with status ${each.code}` : `done: ${each.command}`);
  }
  if (items.length) lines.add(items);
  if (batch.state) {
    const shown = state.at ? state.shown : null;
    state = { shown: "base", worlds: [], ...batch.state[batch.state.length - 1] };
    if (shown !== null && shown !== state.shown) return location.reload(); // another stack: nothing of the previous one is kept
    for (const part of state.stack) {
      if (!part.stats) continue;
      const points = history.get(part.name) || [];
      points.push({ cpu: part.stats.cpu_percent, memory: part.stats.memory_bytes });
      history.set(part.name, points.slice(-POINTS));
    }
    for (const name of history.keys()) if (!state.stack.some((part) => part.name === name)) history.delete(name);
    show();
  }
}

byId("world").addEventListener("change", () => showWorld(byId("world").value).then(() => location.reload(), (error) => {
  byId("world").value = state.shown;
  say(error.message);
}));
byId("find").addEventListener("input", showParts);
byId("view").addEventListener("click", () => {
  isGraph = !isGraph;
  byId("view").setAttribute("aria-pressed", String(isGraph));
  showParts();
});
byId("of").addEventListener("change", () => byId("of").value && choose(byId("of").value));
byId("close").addEventListener("click", () => byId("dialog").close());
listen(hear, (trouble) => {
  byId("summary").textContent = "not connected";
  byId("trouble").hidden = false;
  byId("trouble").textContent = trouble;
});
