// The frame: again after each drawing, what is named and how high it is; and what it
// listens to: mouse, keys, the theme.

function update() {
  readState();
  if (data.view === "head") spread();
  name();
  fit();
}

// On a narrow screen the enlarged head may stand beyond the edge.
function reveal() {
  const frame = find("#vis svg > rect.detail"), place = find("#scroll");
  if (!frame) return;
  const [inner, outer] = [frame, place].map((node) => node.getBoundingClientRect());
  const over = Math.max(0, inner.right + 4 - outer.right);
  place.scrollLeft += over || Math.min(0, inner.left - 4 - outer.left);
}

function fit() {
  const svg = find("#vis svg");
  const box = svg.getBBox();
  const [x, y] = [box.x - 4, box.y - 4];
  const [width, height] = [box.width + 8, box.height + 8];
  const room = find("#scroll").clientWidth;
  const scale = Math.min(1, Math.max(room / width, 0.72));
  svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  svg.style.width = `${width * scale}px`;
  svg.style.height = `${height * scale}px`;
  const scrolls = width * scale > room + 1;
  if (scrolls) find("#scroll").tabIndex = 0;
  else find("#scroll").removeAttribute("tabindex");
  report();
}

const isFramed = window.parent !== window;
function report() {
  if (!isFramed) return;
  const height = document.body.getBoundingClientRect().height;
  window.parent.postMessage({ llmbook: "height", height }, "*");
}

function listen(view) {
  view.addEventListener("change", (event) => {
    if (event.target.id !== "part") return update();
    state.filter = +event.target.value;
    state.on = null;
    return draw();
  });
  for (const type of ["click", "dblclick"]) view.addEventListener(type, (event) => {
    if (event.target.id === "expand") toggle();
    update();
    reveal();
    if (active()) tell(active().lbToken);
  });
  view.addEventListener("mousedown", (event) => { // a double click selects no text
    if (event.detail > 1) event.preventDefault();
  });
  view.addEventListener("keydown", (event) => {
    const item = event.target.closest("[role][tabindex]");
    if (!item || !item.lbList) return;
    if (event.key === "Escape") item.blur();
    else if (event.key === "Enter" || event.key === " ") press(item);
    else if (!step(item, event.key)) return;
    event.preventDefault();
  });
  view.addEventListener("focusin", () => active() && fire(active(), "mouseover"));
  view.addEventListener("mouseover", (event) => {
    const item = event.target.closest("[aria-label][tabindex]");
    if (item && item.lbToken) tell(item.lbToken);
  });
  view.addEventListener("focusout", (event) => hide(event.target));
  // A token that has the focus is shown again when the mouse goes.
  view.addEventListener("mouseleave", () => setTimeout(show), true);
}

function press(item) {
  if (item.lbToken && data.view === "neuron") return toggle();
  return fire(item, item.lbToken ? "mouseover" : "click");
}

const active = () => (document.activeElement.lbToken ? document.activeElement : null);
function show() {
  const isElsewhere = all(":hover").some((node) => node.lbToken);
  if (active() && !isElsewhere) fire(active(), "mouseover");
}

function hide(item) {
  if (!item.lbToken) return;
  fire(item, "mouseleave");
  fire(item.closest("#left, #right, #leftText") || item, "mouseleave");
}

function setTheme(theme) {
  if (root.dataset.theme === theme) return;
  root.dataset.theme = theme;
  draw();
}

document.body.append(make("main", { id: "view" }));
if (!isFramed) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = dark.matches ? "dark" : "light";
  dark.addEventListener("change", () => setTheme(dark.matches ? "dark" : "light"));
}
draw();
const hint = data.view === "model"
  ? "Click a head to enlarge it; the arrow keys go from one to the next."
  : "Point at a token, or reach it with the tab and arrow keys.";
const told = make("p", { id: "told", role: "status" }, hint);
listen(find("#view"));
find("#view").after(told);
window.addEventListener("message", (event) => {
  const { llmbook } = event.data || {};
  if (event.source !== window.parent) return;
  if (llmbook === "dark" || llmbook === "light") setTheme(llmbook);
  report();
});
new ResizeObserver(fit).observe(document.body);
