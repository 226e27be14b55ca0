// Tabs, search, filters, and the beginning of it all.

const tabs = [...byId("tabs").children];
const fresh = { graph: false, tasks: true, lanes: false, attempts: false, evidence: false };
const fill = {
  graph: () => redraw(), tasks: sift, lanes: () => { axis("lane-axis"); showLanes(); },
  attempts: (count) => { axis("axis"); showAttempts(count); }, evidence: showEvidence,
};
let current = "graph";

/** Turns to a view; lists are made when they are first looked at. */
function turn(name, focus = false) {
  current = name;
  for (const tab of tabs) {
    const own = tab.id === `tab-${name}`;
    tab.setAttribute("aria-selected", own);
    tab.tabIndex = own ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !own;
    if (own && focus) tab.focus();
  }
  if (!fresh[name]) fill[name]();
  fresh[name] = true;
}

byId("tabs").addEventListener("click", (event) => {
  if (event.target.id) turn(event.target.id.slice(4));
});
byId("tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const here = tabs.findIndex((tab) => tab.id === `tab-${current}`);
  turn(tabs.at((here + step) % tabs.length).id.slice(4), true);
});
watchers.choice.push(() => {
  Object.assign(fresh, { tasks: false, lanes: false, attempts: false, evidence: false });
  if (!fresh[current]) fill[current]();
  fresh[current] = true;
});
watchers.shown.push((id) => {
  for (const row of rows) {
    const own = row.firstElementChild.hash === `#${id}`;
    row.firstElementChild.toggleAttribute("aria-current", own);
    if (own) row.firstElementChild.setAttribute("aria-current", "true");
  }
});

// -- filters ------------------------------------------------------------------------------

byId("states").addEventListener("click", (event) => {
  const button = event.target.closest("[data-state]");
  if (!button) return;
  const state = button.dataset.state;
  if (!chosen.states.delete(state)) chosen.states.add(state);
  pressed();
  choiceChanged();
});

function pressed() {
  for (const button of byId("states").querySelectorAll("[data-state]")) {
    button.setAttribute("aria-pressed", chosen.states.has(button.dataset.state));
  }
}

byId("story").addEventListener("change", () => {
  chosen.story = byId("story").value;
  choiceChanged();
});

// -- search -------------------------------------------------------------------------------

const query = byId("query"), found = byId("found");
const MOST = 50;
let pick = -1;

function search() {
  chosen.words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  choiceChanged();
  const hits = chosen.words.length ? data.tasks.filter(isChosen) : [];
  found.replaceChildren(...hits.slice(0, MOST).map((task, number) =>
    el("li", { role: "option", id: `hit-${number}`, "data-task": task.id, "aria-selected": "false" },
      el("span", { class: "id" }, task.id), el("span", { class: "what" }, task.title),
      chip(task.state, task.state))));
  choose(hits.length ? 0 : -1);
  unfold(hits.length > 0);
}

function unfold(open) {
  found.hidden = !open;
  query.setAttribute("aria-expanded", open);
}

function choose(number) {
  found.children[pick]?.setAttribute("aria-selected", "false");
  pick = number;
  const hit = found.children[pick];
  hit?.setAttribute("aria-selected", "true");
  hit?.scrollIntoView({ block: "nearest" });
  if (hit) query.setAttribute("aria-activedescendant", hit.id);
  else query.removeAttribute("aria-activedescendant");
}

query.addEventListener("input", search);
query.addEventListener("focus", () => unfold(found.children.length > 0));
query.addEventListener("blur", () => unfold(false));
query.addEventListener("keydown", (event) => {
  const count = found.children.length;
  if (event.key === "ArrowDown" && count) choose((pick + 1) % count);
  else if (event.key === "ArrowUp" && count) choose((pick - 1 + count) % count);
  else if (event.key === "Enter" && found.children[pick]) {
    const id = found.children[pick].dataset.task;
    unfold(false);
    show(id, query);
  } else if (event.key === "Escape" && (query.value || !found.hidden)) {
    query.value = "";
    search();
  } else return;
  event.preventDefault();
  event.stopPropagation();
});
found.addEventListener("pointerdown", (event) => {
  const hit = event.target.closest("[data-task]");
  event.preventDefault();
  if (!hit) return;
  unfold(false);
  show(hit.dataset.task, query);
});

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    query.focus();
  } else if (event.key === "Escape") close();
});

// -- commands to copy, light and dark ------------------------------------------------------

function copyable() {
  for (const place of byId("needs").querySelectorAll(".command")) {
    const code = place.querySelector("code");
    const button = el("button", { type: "button", "aria-label": `Copy: ${code.textContent}` }, "Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code); // where the clipboard is not to be had
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    place.append(button);
  }
}

copyable();

const theme = byId("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
const nameTheme = () => { theme.textContent = isDark() ? "Light" : "Dark"; };
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
prefersDark.addEventListener("change", nameTheme);
nameTheme();

addEventListener("beforeprint", () => {
  for (const name of Object.keys(fresh)) {
    if (!fresh[name]) fill[name]();
    fresh[name] = true;
  }
  for (const list of [attemptList, evidenceList]) list.grow(Infinity);
});

for (const id of ["search", "theme", "tabs"]) byId(id).hidden = false;
byId("story-pick").hidden = byId("story").children.length < 2;
turn("graph");
all();
if (addressed()) open(addressed(), false);
