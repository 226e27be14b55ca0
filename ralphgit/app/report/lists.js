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

  fill(items) {
    this.items = items;
    this.built = 0;
    this.place.replaceChildren();
    this.told.textContent = `${items.length} ${this.noun}${items.length === 1 ? "" : "s"}`;
    this.grow();
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

const now = time(data.generated);
const times = data.attempts.flatMap((one) => [time(one.began), time(one.ended) ?? now])
  .filter(Number.isFinite);
const first = times.reduce((a, b) => Math.min(a, b), now);
const last = times.reduce((a, b) => Math.max(a, b), first + 60000);
const share = (at) => (100 * (at - first)) / (last - first);

function axis() {
  const marks = [0, 1, 2, 3, 4].map((n) => first + (n * (last - first)) / 4);
  const days = last - first > 36 * 3600000;
  byId("axis").replaceChildren(el("div", {}, marks.map((at) => {
    const stamp = new Date(at).toISOString();
    const mark = el("span", {}, days ? stamp.slice(0, 10) : stamp.slice(11, 16));
    mark.style.left = `${share(at)}%`;
    return mark;
  })));
}

const attemptList = new Growing(byId("attempts"), byId("attempts-told"), "attempt", (one) => {
  const began = time(one.began), ended = time(one.ended) ?? (one.outcome === "in progress" ? now : began);
  const bar = el("i", { class: OUTCOME[one.outcome] || "blocked" });
  if (began !== null) {
    bar.style.left = `min(${share(began)}%, calc(100% - 4px))`;
    bar.style.width = `${Math.max(0, share(ended) - share(began))}%`;
  }
  return el("a", { href: `#${one.task}`, tabindex: "-1" },
    el("span", { class: "id" }, one.task), el("span", { class: "what" }, one.by),
    el("span", { class: "quiet" }, clock(one.began)),
    el("span", { class: "quiet" }, began === null ? "" : duration(Math.max(0, ended - began))),
    outcomeChip(one.outcome), el("span", { class: "track" }, began !== null && bar));
});

const isMeant = (id) => tasks.has(id) ? isChosen(tasks.get(id)) : !isChoosing();

function showAttempts() {
  const worker = byId("worker").value, outcome = byId("outcome").value;
  attemptList.fill(data.attempts.filter((one) => isMeant(one.task) &&
    (!worker || one.by === worker) && (!outcome || one.outcome === outcome)));
  roam(byId("attempts"));
}

// -- evidence -----------------------------------------------------------------------------

const records = data.tasks.flatMap((task) => (task.evidence || []).map((one) => [task, one]));
const evidenceList = new Growing(byId("evidence"), byId("evidence-told"), "record",
  ([task, one]) => proof(one, task.id));

function showEvidence() {
  const worth = byId("worth").value;
  evidenceList.fill(records.filter(([task, one]) => isChosen(task) &&
    (!worth || one.worth === worth || (worth === "failed" && one.failed))));
}

for (const [id, values] of [
  ["worker", data.attempts.map((one) => one.by)], ["outcome", data.attempts.map((one) => one.outcome)],
  ["story", data.tasks.map((one) => one.story)],
]) {
  const unique = [...new Set(values.filter(Boolean))].sort();
  byId(id).append(...unique.map((value) => el("option", { value }, value)));
}
byId("worker").addEventListener("change", showAttempts);
byId("outcome").addEventListener("change", showAttempts);
byId("worth").addEventListener("change", showEvidence);
