// The picture: far away all tasks as a few shapes, near only those that can be seen.

const canvas = byId("graph");
const [WIDTH, HEIGHT] = data.layout.box;
const NEAR = 0.45, SMALLEST = 0.01, LARGEST = 2.5;
const world = svg("g", {}), frame = svg("g", {});
canvas.append(world);
if (data.layout.alone && data.layout.arrows.length) {
  // Else tasks side by side look as if one came after the other.
  const [x, y, width, height] = data.layout.alone, edge = 10;
  frame.append(
    svg("rect", { class: "alone", x: x - edge, y: y - edge, width: width + 2 * edge, height: height + 2 * edge, rx: 8 }),
    svg("text", { class: "alone", x, y: y + height + 26 }, "Without dependencies, in any order"),
  );
}
const arrows = data.layout.arrows.map(([from, to, ...through]) => arrow(from, to, through));
const view = { x: 0, y: 0, k: 1, far: null, drawn: null, waiting: false, whole: true };
const drawn = new Map();
const labels = document.createElement("canvas").getContext("2d");
let at = null;

function arrow(from, to, through) {
  const [ax, ay] = tasks.get(from).at, [bx, by] = tasks.get(to).at;
  const y = ay + HEIGHT / 2, end = [bx, by + HEIGHT / 2];
  if (ax === bx) {
    const x = ax + WIDTH, out = x + 30 + Math.min(40, Math.abs(by - ay) / 8);
    const low = from === to ? end[1] + 12 : end[1];
    const path = `M${x} ${y}C${out} ${y} ${out} ${low} ${x} ${low}m7 -4l-7 4l7 4`;
    return { from, to, path, far: `M${x} ${y}L${x} ${low}`, box: [x, Math.min(y, low), out, Math.max(y, low)] };
  }
  let path = `M${ax + WIDTH} ${y}`, far = path, x = ax + WIDTH, last = y, top = y, bottom = y;
  for (const [px, py] of [...through, end]) {
    const left = px === end[0] ? px : px - WIDTH / 2, middle = (x + left) / 2;
    path += `C${middle} ${last} ${middle} ${py} ${left} ${py}`;
    far += `L${left} ${py}`;
    if (px !== end[0]) path += `H${px + WIDTH / 2}`;
    x = px + WIDTH / 2;
    last = py;
    top = Math.min(top, py);
    bottom = Math.max(bottom, py);
  }
  return { from, to, path: `${path}m-7 -4l7 4l-7 4`, far, box: [ax + WIDTH, top, bx, bottom] };
}

function schedule() {
  if (view.waiting) return;
  view.waiting = true;
  requestAnimationFrame(() => {
    view.waiting = false;
    paint();
  });
}

function seen(margin) {
  const { width, height } = size();
  return [
    (-view.x - margin * width) / view.k, (-view.y - margin * height) / view.k,
    ((1 + margin) * width - view.x) / view.k, ((1 + margin) * height - view.y) / view.k,
  ];
}

const size = () => ({ width: canvas.clientWidth || 1, height: canvas.clientHeight || 1 });
const within = (a, b) => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];
const touches = (a, b) => a[2] >= b[0] && a[3] >= b[1] && a[0] <= b[2] && a[1] <= b[3];
const boxOf = ({ at: [x, y] }) => [x, y, x + WIDTH, y + HEIGHT];

/** Moves the picture; draws anew only what comes into sight, or after `view.drawn = null`. */
function paint() {
  world.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.k})`);
  const far = view.k < NEAR;
  if (view.drawn && far === view.far && (far || within(seen(0), view.drawn))) return;
  view.far = far;
  view.drawn = seen(0.5);
  far ? drawFar() : drawNear();
}

function redraw() {
  view.drawn = null;
  schedule();
}

function drawFar() {
  const shapes = new Map();
  for (const task of data.tasks) {
    const kind = `far nodes ${task.state}${isChosen(task) ? "" : " dim"}`;
    const [x, y] = task.at;
    shapes.set(kind, `${shapes.get(kind) || ""}M${x} ${y}h${WIDTH}v${HEIGHT}h${-WIDTH}z`);
  }
  const dim = isChoosing() ? " dim" : "";
  const inside = [svg("path", { class: `arrow far${dim}`, d: arrows.map((one) => one.far).join("") })];
  for (const [kind, d] of shapes) inside.push(svg("path", { class: kind, d }));
  if (at) {
    const own = arrows.filter((one) => one.from === at || one.to === at).map((one) => one.far);
    const [x, y] = tasks.get(at).at;
    inside.push(svg("path", { class: "arrow far own", d: own.join("") }),
      svg("path", { class: "far here", d: `M${x} ${y}h${WIDTH}v${HEIGHT}h${-WIDTH}z` }));
  }
  drawn.clear();
  world.replaceChildren(frame, ...inside);
  canvas.removeAttribute("aria-activedescendant");
}

function drawNear() {
  const plain = [], dim = [], own = [];
  for (const one of arrows) {
    if (!touches(one.box, view.drawn)) continue;
    const faded = !isChosen(tasks.get(one.from)) || !isChosen(tasks.get(one.to));
    (one.from === at || one.to === at ? own : faded ? dim : plain).push(one.path);
  }
  const lines = [["arrow dim", dim], ["arrow", plain], ["arrow own", own]]
    .map(([kind, paths]) => svg("path", { class: kind, d: paths.join("") }));
  const nodes = data.tasks.filter((task) => touches(boxOf(task), view.drawn)).map((task) => {
    const made = drawn.get(task.id) || node(task);
    const kinds = ["node", task.state, task.stale && "stale", task.id === at && "here",
      !isChosen(task) && "dim"];
    made.setAttribute("class", kinds.filter(Boolean).join(" "));
    return made;
  });
  drawn.clear();
  for (const made of nodes) drawn.set(made.dataset.task, made);
  world.replaceChildren(frame, ...lines, ...nodes);
  if (at && drawn.has(at)) canvas.setAttribute("aria-activedescendant", drawn.get(at).id);
  else canvas.removeAttribute("aria-activedescendant");
}

function node(task) {
  const [x, y] = task.at;
  const word = task.stale ? `${task.state}, stale` : task.state;
  const made = svg("g", {
    id: `node-${task.id}`, role: "button", transform: `translate(${x} ${y})`,
    "aria-label": `${task.id}, ${task.title}, ${word}`,
  });
  made.dataset.task = task.id;
  const font = getComputedStyle(document.body).fontFamily;
  const beside = fitted(word, `11px ${font}`, 120);
  labels.font = `11px ${font}`;
  const room = WIDTH - 28 - labels.measureText(beside).width;
  made.append(
    svg("title", {}, `${task.id}: ${task.title}`),
    svg("rect", { width: WIDTH, height: HEIGHT, rx: 6 }),
    svg("text", { class: "id", x: 10, y: 18 }, fitted(task.id, "600 12px monospace", room)),
    svg("text", { class: "state", x: WIDTH - 10, y: 18 }, beside),
    svg("text", { x: 10, y: 36 }, fitted(task.title, `12px ${font}`, WIDTH - 20)),
  );
  return made;
}

/** As much of a text as has room, in pixels. */
function fitted(text, font, room) {
  labels.font = font;
  if (labels.measureText(text).width <= room) return text;
  const signs = [...text.slice(0, 200)];
  let low = 0, high = signs.length;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const width = labels.measureText(`${signs.slice(0, middle).join("")}…`).width;
    if (width <= room) low = middle;
    else high = middle - 1;
  }
  return `${signs.slice(0, low).join("").trimEnd()}…`;
}

// -- moving -------------------------------------------------------------------------------

function zoom(factor, x = size().width / 2, y = size().height / 2) {
  const k = Math.min(LARGEST, Math.max(SMALLEST, view.k * factor));
  view.whole = false;
  view.x = x - (x - view.x) * (k / view.k);
  view.y = y - (y - view.y) * (k / view.k);
  view.k = k;
  schedule();
}

function pan(dx, dy) {
  view.whole = false;
  view.x += dx;
  view.y += dy;
  schedule();
}

/** Shows all of it, also after the window or the panel has changed, until somebody moves it. */
function all() {
  view.whole = true;
  const { width, height } = size(), edge = 24;
  const k = Math.min((width - 2 * edge) / (data.layout.width || 1),
    (height - 2 * edge) / (data.layout.height || 1), 1);
  view.k = Math.max(SMALLEST, k);
  view.x = (width - data.layout.width * view.k) / 2;
  view.y = (height - data.layout.height * view.k) / 2;
  schedule();
}

/** Brings a task into sight, large enough to be read, if it is not. */
function reveal(task) {
  const { width, height } = size(), edge = 12;
  const left = task.at[0] * view.k + view.x, top = task.at[1] * view.k + view.y;
  const readable = view.k >= NEAR;
  if (readable && left >= edge && top >= edge && left + WIDTH * view.k <= width - edge &&
      top + HEIGHT * view.k <= height - edge) return;
  if (!readable) view.k = 1;
  view.whole = false;
  view.x = width / 2 - (task.at[0] + WIDTH / 2) * view.k;
  view.y = height / 2 - (task.at[1] + HEIGHT / 2) * view.k;
}

function stand(id) {
  at = id;
  if (id) reveal(tasks.get(id));
  redraw();
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The task to go to: along an arrow if there is one that way, else the nearest that way. */
function neighbour(id, [dx, dy]) {
  const task = tasks.get(id);
  const joined = dx ? (dx < 0 ? task.needs || [] : followers.get(id)) : [];
  const known = joined.filter((other) => other !== id && tasks.has(other));
  const away = (other) => {
    const x = other.at[0] - task.at[0], y = other.at[1] - task.at[1];
    const along = x * dx + y * dy, aside = Math.abs(x * dy) + Math.abs(y * dx);
    return along > 0 ? along + 3 * aside : Infinity;
  };
  const pool = known.length ? known.map((other) => tasks.get(other)) : data.tasks;
  let best = null, least = Infinity;
  for (const other of pool) {
    const distance = known.length ? Math.abs(other.at[1] - task.at[1]) : away(other);
    if (other !== task && distance < least) [best, least] = [other.id, distance];
  }
  return best;
}

canvas.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (step && event.shiftKey) pan(-80 * step[0], -80 * step[1]);
  else if (step && data.tasks.length) stand((at && neighbour(at, step)) || at || data.tasks[0].id);
  else if ((event.key === "Enter" || event.key === " ") && at) show(at, canvas);
  else if (event.key === "+" || event.key === "=") zoom(1.25);
  else if (event.key === "-") zoom(0.8);
  else if (event.key === "0") all();
  else return;
  event.preventDefault();
});

canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect();
  const delta = Math.max(-200, Math.min(200, event.deltaY * (event.deltaMode ? 20 : 1)));
  zoom(Math.exp(-delta / 400), event.clientX - box.left, event.clientY - box.top);
}, { passive: false });

let grip = null;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button === 0) grip = { x: event.clientX, y: event.clientY, moved: false };
});
canvas.addEventListener("pointermove", (event) => {
  if (!grip) return;
  const dx = event.clientX - grip.x, dy = event.clientY - grip.y;
  if (!grip.moved && Math.hypot(dx, dy) < 4) return;
  if (!grip.moved) canvas.setPointerCapture(event.pointerId);
  canvas.classList.add("moving");
  grip = { x: event.clientX, y: event.clientY, moved: true };
  pan(dx, dy);
});
for (const name of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(name, (event) => {
    canvas.classList.remove("moving");
    const click = grip && !grip.moved && name === "pointerup";
    grip = null;
    if (!click) return;
    const box = canvas.getBoundingClientRect();
    const x = (event.clientX - box.left - view.x) / view.k;
    const y = (event.clientY - box.top - view.y) / view.k;
    const task = data.tasks.find((one) => touches(boxOf(one), [x, y, x, y]));
    if (task) show(task.id, canvas);
  });
}

byId("zoom-in").addEventListener("click", () => zoom(1.25));
byId("zoom-out").addEventListener("click", () => zoom(0.8));
byId("zoom-all").addEventListener("click", all);
new ResizeObserver(() => {
  if (view.whole) all();
  redraw();
}).observe(canvas);
watchers.choice.push(redraw);
watchers.shown.push((id) => { if (id) stand(id); });
