// One task, whole, beside the picture and the lists.

const panel = byId("panel");
let opener = null;

const SUPPORT = {
  proved: "ready", assumed: "in-review", partial: "claimed", stale: "claimed",
  challenged: "blocked", open: "waiting",
};
const WORTH = { fresh: "ready", stale: "claimed", superseded: "waiting" };
const VERDICT = { clear: "ready", concerns: "claimed", inconclusive: "waiting" };
const OUTCOME = {
  landed: "complete", completed: "in-review", "force-completed": "claimed",
  "in progress": "in-progress", answered: "waiting", unfinished: "waiting",
};
const outcomeChip = (word) => chip(word, OUTCOME[word] || "blocked");

function section(title, ...inside) {
  const parts = inside.flat(Infinity).filter(Boolean);
  return parts.length ? [el("h3", {}, title), ...parts] : [];
}

function list(kind, items) {
  return items && items.length ? el("ul", { class: kind }, items.map((one) => el("li", {}, one))) : null;
}

/** A record as a line that unfolds; `about` names its task where that is not plain. */
function proof(one, about = null) {
  const word = one.failed ? "failed" : one.worth;
  const state = one.failed && one.worth === "fresh" ? "blocked" : WORTH[one.worth];
  const what = el("span", { class: "what" }, one.command
    ? el("code", {}, one.command) : one.shows || one.artifact || one.kind);
  const more = () => [
    el("p", { class: "quiet" }, [
      one.kind, one.exit !== undefined && `exit ${one.exit}`,
      one.took !== undefined && one.took !== null && `${one.took} s`,
      one.by && `by ${one.by}`, clock(one.at), one.commit && `on ${one.commit}`,
    ].filter(Boolean).join(" · ")),
    one.command && one.shows && el("p", { class: "text" }, `Shows: ${one.shows}`),
    one.not && el("p", { class: "text" }, `Does not show: ${one.not}`),
    one.artifact && el("p", {}, "Artifact: ", el("code", {}, one.artifact)),
    one.supports && el("p", { class: "quiet" },
      one.supports.map(([criterion, verdict]) => `${verdict} ${criterion}`).join(", ")),
    one.tail && el("pre", { tabindex: "0", "aria-label": "The end of its output" }, one.tail),
    one.command && !one.tail && el("p", { class: "quiet" }, "It printed nothing."),
  ].filter(Boolean);
  const made = el("details", {}, el("summary", {},
    chip(word === "failed" && one.worth !== "fresh" ? `failed, ${one.worth}` : word, state),
    about && el("span", { class: "id" }, about), what,
    about && el("span", { class: "quiet" }, clock(one.at))));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) {
      made.append(el("div", { class: "more" }, about && el("p", {}, link(about)), more()));
    }
  });
  return made;
}

const facts = (pairs) => el("dl", {}, pairs.filter(([, value]) => value).map(([name, value]) =>
  [el("dt", {}, name), el("dd", {}, value)]));

function contents(task) {
  const told = data.attempts.filter((one) => one.task === task.id);
  const others = (ids) => list("links", (ids || []).map((id) => {
    const other = tasks.get(id);
    return other ? [link(id), " ", chip(other.state, other.state), " ", other.title]
      : [el("span", { class: "id" }, id), " ", chip("unknown", "blocked")];
  }));
  return [
    el("div", { class: "top" }, el("span", { class: "id" }, task.id), chip(task.state, task.state),
      task.stale && chip("stale", "blocked"), task.unverified && chip("unverified", "claimed"),
      el("button", { type: "button", "aria-label": "Close", onclick: close }, "✕")),
    el("h2", { id: "panel-title" }, task.title),
    facts([
      [task.state === "complete" ? "done by" : "holder", task.worker && [task.worker, task.where, task.since && `${task.state === "complete" ? "claimed" : "since"} ${clock(task.since)}`]
        .filter(Boolean).join(", ")],
      ["waits for", (task.waits || []).join(", ")],
      ["story", task.story],
      ["priority", task.priority === undefined ? "0" : String(task.priority)],
      ["mode", task.mode !== "parallel" && task.mode],
      ["complexity", task.complexity],
      ["risk", task.risk],
      ["epoch", task.epoch && String(task.epoch)],
      ["asks", task.question],
      ["reset", task.reset],
      ["cancelled", task.cancelled],
    ]),
    section("Description", task.description && el("p", { class: "text" }, task.description)),
    section("Acceptance", list("criteria", (task.acceptance || []).map((one) =>
      [chip(one.support, SUPPORT[one.support]), el("span", {}, el("span", { class: "id" }, one.id),
        ` ${one.text}`)]))),
    section("Concerns", list("text", task.concerns)),
    section("Evidence", list("proofs", (task.evidence || []).map((one) => proof(one)))),
    section("Reviews", (task.reviews || []).map((one) => [
      el("p", {}, chip(one.verdict, VERDICT[one.verdict] || "blocked"),
        ` by ${one.by}, ${clock(one.at)}`),
      one.lenses.length > 0 && el("p", { class: "quiet" }, one.lenses.join(", ")),
      list("findings", one.findings.map((found) => [
        chip(found.open ? "open" : "closed", found.open ? "claimed" : "complete"),
        ` ${found.severity}: ${found.text}`])),
      one.risk && el("p", { class: "quiet" }, `Residual risk: ${one.risk}`),
    ])),
    section("Attempts", told.map((one) => [
      el("p", {}, outcomeChip(one.outcome), ` ${one.by} `, el("span", { class: "quiet" }, one.claim)),
      list("flow", one.events.map((event) => [el("span", { class: "quiet" }, clock(event.at)),
        el("span", {}, `${event.event} (${event.by})${event.note ? `: ${event.note}` : ""} `,
          el("span", { class: "quiet" }, event.where))])),
    ])),
    section("Depends on", others(task.needs)),
    section("Needed by", others(followers.get(task.id))),
    section("Verify", list("", (task.verify || []).map((one) => el("code", {}, one)))),
    section("Outputs", list("", (task.outputs || []).map((one) => el("code", {}, one)))),
    section("Scope", [["write", "may change"], ["read", "builds on"], ["resources", "alone with"]]
      .map(([key, word]) => task[key] && el("p", {}, `${word}: `, el("code", {}, task[key].join("  "))))),
  ].flat(Infinity).filter(Boolean);
}

/** Shows a task; Escape leads back to what had the focus, or to `from`. */
function show(id, from = document.activeElement) {
  opener = from;
  if (location.hash === `#${id}`) open(id, true);
  else location.hash = `#${id}`;
}

function open(id, focus) {
  panel.replaceChildren(...contents(tasks.get(id)));
  panel.scrollTop = 0;
  panel.hidden = false;
  tell("shown", id);
  if (focus) panel.focus({ preventScroll: true });
}

function close() {
  if (panel.hidden) return;
  panel.hidden = true;
  history.replaceState(null, "", " ");
  tell("shown", null);
  (opener && opener.isConnected && opener !== document.body ? opener : canvas).focus();
}

/** The task that the address names, if any. */
function addressed() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    return null;
  }
  return tasks.has(id) ? id : null;
}

document.addEventListener("click", (event) => {
  const followed = event.target.closest && event.target.closest("a[href^='#']");
  if (!followed || !tasks.has(followed.hash.slice(1))) return;
  event.preventDefault();
  show(followed.hash.slice(1), panel.contains(followed) ? opener : followed);
});
addEventListener("hashchange", () => {
  const id = addressed();
  if (id) open(id, true);
  else if (!panel.hidden && !location.hash) close();
});
