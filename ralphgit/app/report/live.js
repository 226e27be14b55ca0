// Only in the page that is served: keeps it as the repository is.

const live = { logs: el("section", { id: "logs", "aria-label": "Logs", hidden: true }), each: new Map() };
live.logs.append(el("h2", {}, "Logs"));
byId("views").before(live.logs);
const keyOf = (one) => `${one.task} ${one.claim}`;

/** Takes over a part that has no state of its own here; the server has made it as all of the page. */
function adopt(id, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").getElementById(id);
  byId(id).replaceChildren(...fresh.childNodes);
  byId(id).hidden = fresh.hidden;
  if (id === "needs") copyable();
  if (id === "states") pressed();
}

/** Takes over a task: in the picture, in its row, in the panel. */
function renewTask(told) {
  const task = tasks.get(told.id);
  for (const key of Object.keys(task)) delete task[key];
  Object.assign(task, told, { hay: hay(told) });
  drawn.delete(task.id);
  const [, state, what, story, note] = rowOf.get(task.id).firstElementChild.children;
  state.className = `chip ${task.state}`;
  state.textContent = task.state + (task.stale ? " (stale)" : "");
  what.textContent = task.title;
  story.textContent = task.story || "";
  note.textContent = task.worker || (task.waits ? `waits for ${task.waits.join(", ")}` : "");
}

function renew(change) {
  for (const [id, html] of Object.entries(change.parts)) adopt(id, html);
  data.generated = change.generated;
  change.tasks.forEach(renewTask);
  if (change.attempts.length || change.gone.length) {
    const all = new Map(data.attempts.map((one) => [keyOf(one), one]));
    for (const [task, claim] of change.gone) all.delete(keyOf({ task, claim }));
    for (const one of change.attempts) all.set(keyOf(one), one);
    data.attempts = [...all.values()].sort((a, b) => (a.began < b.began ? -1 : a.began > b.began ? 1 : 0));
  }
  measure();
  offer();
  const stays = { attempts: attemptList.built, evidence: evidenceList.built }[current];
  Object.assign(fresh, { lanes: false, attempts: false });
  if (change.tasks.length) {
    Object.assign(fresh, { tasks: !isChoosing(), evidence: false });
    choiceTold();
    redraw();
  }
  if (!fresh[current]) fill[current](stays && Math.max(60, stays));
  fresh[current] = true;
  const shown = !panel.hidden && addressed();
  if (shown && [...change.tasks.map((one) => one.id), ...change.attempts.map((one) => one.task)].includes(shown)) {
    const top = panel.scrollTop;
    panel.replaceChildren(...contents(tasks.get(shown)));
    panel.scrollTop = top;
  }
}

/** What cannot be taken over in place, such as new tasks, is drawn anew in the same place. */
function again() {
  sessionStorage.setItem("place", JSON.stringify({
    tab: current, story: chosen.story, states: [...chosen.states], words: query.value,
    x: scrollX, y: scrollY, view: view.whole ? null : [view.x, view.y, view.k],
  }));
  location.reload();
}

/** The last lines of a worker's log; without lines there is none any more. */
function showLog(one) {
  let place = live.each.get(one.name);
  if (!one.task) {
    place?.remove();
    live.each.delete(one.name);
  } else {
    if (!place) {
      place = el("div", { class: "log" }, el("h3", {}), el("pre", {}));
      live.each.set(one.name, place);
      live.logs.append(place);
    }
    place.firstChild.replaceChildren(el("b", {}, one.name), " ", link(one.task), " ",
      el("span", { class: "quiet" }, one.phase));
    place.lastChild.textContent = one.lines.join("\n");
  }
  live.logs.hidden = !live.each.size;
}

const source = new EventSource(`events?since=${document.documentElement.dataset.version}`);
source.addEventListener("change", (event) => renew(JSON.parse(event.data)));
source.addEventListener("log", (event) => showLog(JSON.parse(event.data)));
source.addEventListener("again", again);

const kept = JSON.parse(sessionStorage.getItem("place") || "null");
sessionStorage.removeItem("place");
if (kept) {
  chosen.states = new Set(kept.states);
  pressed();
  if ([...byId("story").options].some((one) => one.value === kept.story)) {
    byId("story").value = kept.story;
    chosen.story = kept.story;
  }
  query.value = kept.words;
  search();
  unfold(false);
  turn(kept.tab);
  if (kept.view) {
    [view.x, view.y, view.k] = kept.view;
    view.whole = false;
    redraw();
  }
  scrollTo(kept.x, kept.y);
}
