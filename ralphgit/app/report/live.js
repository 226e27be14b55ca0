// Only in the page that is served: keeps it as the repository is.

const live = { at: 0, logs: el("section", { id: "logs", "aria-label": "Logs", hidden: true }) };
byId("views").before(live.logs);

/** What the tasks are, whenever the page was made. */
const told = (text) => JSON.stringify({ ...JSON.parse(text), generated: "" });

/** Takes over what has no state of its own here; where tasks have changed, all is drawn anew. */
async function renew() {
  const answer = await fetch(location.pathname, { cache: "no-store" });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (told(next.getElementById("data").textContent) !== told(byId("data").textContent)) {
    sessionStorage.setItem("place", JSON.stringify({
      tab: current, story: chosen.story, states: [...chosen.states], x: scrollX, y: scrollY,
    }));
    location.reload();
    return;
  }
  for (const id of ["workers", "usage"]) {
    byId(id).replaceChildren(...next.getElementById(id).childNodes);
    byId(id).hidden = next.getElementById(id).hidden;
  }
}

const source = new EventSource("events");
source.addEventListener("page", (event) => {
  if (live.at && event.data !== live.at) renew();
  live.at = event.data;
});
source.addEventListener("logs", (event) => {
  const logs = JSON.parse(event.data);
  live.logs.hidden = !logs.length;
  live.logs.replaceChildren(
    el("h2", {}, "Logs"),
    ...logs.map((one) => el("div", { class: "log" },
      el("h3", {}, el("b", {}, one.name), " ", one.task ? link(one.task) : "", " ",
        el("span", { class: "quiet" }, one.phase)),
      el("pre", {}, one.lines.join("\n")))),
  );
});

const place = JSON.parse(sessionStorage.getItem("place") || "null");
sessionStorage.removeItem("place");
if (place) {
  for (const button of document.querySelectorAll("[data-state]")) {
    if (place.states.includes(button.dataset.state)) button.click();
  }
  if ([...byId("story").options].some((one) => one.value === place.story)) {
    byId("story").value = place.story;
    byId("story").dispatchEvent(new Event("change"));
  }
  turn(place.tab);
  scrollTo(place.x, place.y);
}
