// Tasks, attempts and evidence as lists.

/** Fills a list piece by piece, as its end comes into sight; a list of thousands begins at once. */
class Growing {
  constructor(place, told, noun, make) {
    Object.assign(this, { place, told, noun, make, items: [], built: 0 });
    this.end = el("li", { "aria-hidden": "true" });
    new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) this.grow();
    }, { rootMargin: "600px" }).observe(this.end);
  }

  /** Shows other items; as many as there were to see where it is to stay in its place. */
  fill(items, count = 60) {
    this.items = items;
    this.built = 0;
    this.place.replaceChildren();
    this.told.textContent = `${items.length} ${this.noun}${items.length === 1 ? "" : "s"}`;
    this.grow(count);
  }

  grow(count = 60) {
    this.end.remove();
    const piece = this.items.slice(this.built, this.built + count);
    this.place.append(...piece.map((one) => el("li", {}, this.make(one))));
    this.built += piece.length;
    if (this.built < this.items.length) this.place.append(this.end);
  }
}

const rows = [...byId("tasks").children];
const rowOf = new Map(data.tasks.map((task, number) => [task.id, rows[number]]));
rows.forEach((row, number) => { row.firstElementChild.tabIndex = number ? -1 : 0; });

function sift() {
  rows.forEach((row, number) => { row.hidden = !isChosen(data.tasks[number]); });
  roam(byId("tasks"));
}

/** One link of a list takes the focus with Tab, the arrow keys go on from it. */
function roam(place) {
  const links = [...place.querySelectorAll(":scope > li:not([hidden]) > a")];
  links.forEach((one, number) => { one.tabIndex = number ? -1 : 0; });
}

for (const place of [byId("tasks"), byId("attempts")]) {
  place.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    const edge = { Home: 0, End: -1 }[event.key];
    const links = [...place.querySelectorAll(":scope > li:not([hidden]) > a")];
    const here = links.indexOf(document.activeElement);
    if (here < 0 || (step === undefined && edge === undefined)) return;
    event.preventDefault();
    const next = links.at(edge ?? Math.max(0, Math.min(links.length - 1, here + step)));
    links[here].tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// -- attempts -----------------------------------------------------------------------------

const span = {};

/** From when to when all attempts were, and the time of the page. */
function measure() {
  span.now = time(data.generated);
  span.first = span.now;
  span.last = 0;
  for (const one of data.attempts) {
    for (const at of [time(one.began), time(one.ended) ?? span.now]) {
      if (at === null) continue;
      span.first = Math.min(span.first, at);
      span.last = Math.max(span.last, at);
    }
  }
  span.last = Math.max(span.last, span.first + 60000);
}

const share = (at) => (100 * (at - span.first)) / (span.last - span.first);

function axis(place) {
  const marks = [0, 1, 2, 3, 4].map((n) => span.first + (n * (span.last - span.first)) / 4);
  const days = span.last - span.first > 36 * 3600000;
  byId(place).replaceChildren(el("div", {}, marks.map((at) => {
    const stamp = new Date(at).toISOString();
    const mark = el("span", {}, days ? stamp.slice(0, 10) : `${stamp.slice(11, 16)} UTC`);
    mark.style.left = `${share(at)}%`;
    return mark;
  })));
}

/** When an attempt began and ended, in milliseconds; null where nobody says it. */
function bounds(one) {
  const began = time(one.began);
  return [began, time(one.ended) ?? (one.outcome === "in progress" ? span.now : began)];
}

/** Lays a bar where an attempt is in time. */
function laid(bar, [began, ended]) {
  bar.style.left = `min(${share(began)}%, calc(100% - 4px))`;
  bar.style.width = `${Math.max(0, share(ended) - share(began))}%`;
  return bar;
}

const attemptList = new Growing(byId("attempts"), byId("attempts-told"), "attempt", (one) => {
  const [began, ended] = bounds(one);
  return el("a", { href: `#${one.task}`, tabindex: "-1" },
    el("span", { class: "id" }, one.task), el("span", { class: "what" }, one.by),
    el("span", { class: "quiet" }, clock(one.began)),
    el("span", { class: "quiet" }, began === null ? "" : duration(Math.max(0, ended - began))),
    outcomeChip(one.outcome), el("span", { class: "track" },
      began !== null && laid(el("i", { class: OUTCOME[one.outcome] || "blocked" }), [began, ended])));
});

const isMeant = (id) => tasks.has(id) ? isChosen(tasks.get(id)) : !isChoosing();

function showAttempts(count) {
  const worker = byId("worker").value, outcome = byId("outcome").value;
  attemptList.fill(data.attempts.filter((one) => isMeant(one.task) &&
    (!worker || one.by === worker) && (!outcome || one.outcome === outcome)), count);
  roam(byId("attempts"));
}

// -- lanes --------------------------------------------------------------------------------

/** A lane for each worker: its attempts in time, and what they took in all. */
function showLanes() {
  const lanes = new Map();
  for (const one of data.attempts) {
    if (!isMeant(one.task)) continue;
    if (!lanes.has(one.by)) lanes.set(one.by, []);
    lanes.get(one.by).push(one);
  }
  byId("lanes").replaceChildren(...[...lanes].sort().map(([worker, attempts]) => {
    let busy = 0;
    const bars = attempts.map((one) => {
      const [began, ended] = bounds(one);
      if (began === null) return null;
      const took = Math.max(0, ended - began);
      busy += took;
      const said = `${one.task}: ${one.outcome}, ${duration(took)}, from ${clock(one.began)}` +
        (one.ended ? ` to ${clock(one.ended)}` : "");
      return laid(el("a", {
        href: `#${one.task}`, class: OUTCOME[one.outcome] || "blocked", title: said, "aria-label": said,
      }), [began, ended]);
    });
    return el("li", {}, el("b", {}, worker), el("span", { class: "quiet" },
      `${attempts.length} attempt${attempts.length === 1 ? "" : "s"}, ${duration(busy)}`),
    el("div", { class: "track" }, bars));
  }));
}

// -- evidence -----------------------------------------------------------------------------

const evidenceList = new Growing(byId("evidence"), byId("evidence-told"), "record",
  ([task, one]) => proof(one, task.id));

function showEvidence(count) {
  const worth = byId("worth").value;
  const records = data.tasks.flatMap((task) => (task.evidence || []).map((one) => [task, one]));
  evidenceList.fill(records.filter(([task, one]) => isChosen(task) &&
    (!worth || one.worth === worth || (worth === "failed" && one.failed))), count);
}

/** Offers each worker, outcome and story that there is, in addition to what is offered. */
function offer() {
  for (const [id, values] of [
    ["worker", data.attempts.map((one) => one.by)],
    ["outcome", data.attempts.map((one) => one.outcome)],
    ["story", data.tasks.map((one) => one.story)],
  ]) {
    const known = new Set([...byId(id).options].map((one) => one.value));
    const fresh = [...new Set(values.filter(Boolean))].filter((one) => !known.has(one)).sort();
    byId(id).append(...fresh.map((value) => el("option", { value }, value)));
  }
}

measure();
offer();
for (const id of ["worker", "outcome"]) byId(id).addEventListener("change", () => showAttempts());
byId("worth").addEventListener("change", () => showEvidence());
