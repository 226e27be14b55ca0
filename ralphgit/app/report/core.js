"use strict";
// All text of the repository comes to the page through textContent; no markup is made of it.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const tasks = new Map(data.tasks.map((task) => [task.id, task]));
const followers = new Map(data.tasks.map((task) => [task.id, []]));
for (const task of data.tasks) {
  for (const need of task.needs || []) followers.get(need)?.push(task.id);
  task.hay = hay(task);
}

/** What a search looks through. */
function hay(task) {
  return [task.id, task.title, task.worker, task.story].join("\n").toLowerCase();
}

/** An element: its attributes, and what stands in it; null, false and "" stand for nothing. */
function el(name, attributes = {}, ...inside) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...inside.flat(Infinity).filter((one) => one || one === 0));
  return made;
}

function svg(name, attributes, ...inside) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inside);
  return made;
}

const chip = (word, state) => el("span", { class: `chip ${state}` }, word);
const link = (id) => el("a", { href: `#${id}`, class: "id" }, id);
/** A recorded time for people; what is no such time stays as it is. */
const clock = (at) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(at || "")
  ? `${at.slice(0, 10)} ${at.slice(11, 19)} UTC` : at || "";
const time = (at) => {
  const found = Date.parse(at);
  return Number.isNaN(found) ? null : found;
};

/** To the second. */
function duration(ms) {
  const seconds = Math.floor(ms / 1000), minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60), days = Math.floor(hours / 24);
  return [[days, "d"], [hours % 24, "h"], [minutes % 60, "min"], [seconds % 60, "s"]]
    .filter(([count], at) => count || at === 3).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

// -- which tasks are meant ----------------------------------------------------------------

const chosen = { states: new Set(), story: "", words: [] };
const isChoosing = () => chosen.states.size > 0 || chosen.story !== "" || chosen.words.length > 0;

function isChosen(task) {
  return (!chosen.states.size || chosen.states.has(task.state)) &&
    (!chosen.story || task.story === chosen.story) &&
    chosen.words.every((word) => task.hay.includes(word));
}

/** Called with nothing whenever other tasks are meant, and with an id when one is shown. */
const watchers = { choice: [], shown: [] };
const tell = (what, ...words) => watchers[what].forEach((watcher) => watcher(...words));

function choiceTold() {
  const count = data.tasks.filter(isChosen).length;
  byId("told").textContent = isChoosing() ? `${count} of ${data.tasks.length} tasks` : "";
}

function choiceChanged() {
  choiceTold();
  tell("choice");
}
