// Lets bertviz draw. document.py puts this file, attention_names.js and
// attention_frame.js into one function: they share their names, which no other sees.
const data = window.LLMBookData;
const root = document.documentElement;
const state = { filter: 0, layer: 0, head: 0, on: null, expanded: false };
const id = `lb-${data.id}`;

// In place of require.js. bertviz takes its colours from d3: here they are the book's,
// which are told apart from the paper in both schemes.
const require = { config() {} };
const requirejs = (names, run) => run(window.jQuery, Object.create(window.d3,
  { schemeCategory10: { value: colours() } }));
function colours() {
  const style = getComputedStyle(root);
  const eight = [...Array(8).keys()].map((i) => style.getPropertyValue(`--lb-${i}`));
  return [...eight, ...eight.slice(2, 4)].map((colour) => colour.trim());
}
const silent = { log() {} };

const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const find = (selector) => document.querySelector(selector);
const part = () => data.parts[state.filter];
const fire = (node, type) => node.dispatchEvent(new MouseEvent(type, { bubbles:
  type !== "mouseleave" }));

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, text] of Object.entries(attributes)) node.setAttribute(key, text);
  node.append(...children);
  return node;
}

function choice(text, name, options, chosen) {
  const select = make("select", { id: name });
  options.forEach((option, i) => select.append(make("option", { value: i }, option)));
  if (options.length) select.value = chosen;
  return make("label", {}, text, " ", select);
}

// The elements that bertviz looks for, by its names.
function build() {
  const bar = make("div", { class: "bar" });
  if (data.view !== "model") bar.append(choice("Layer", "layer", [], 0));
  if (data.view === "neuron") bar.append(choice("Head", "att_head", [], 0));
  if (data.parts.length > 1) {
    const names = data.parts.map((one) => one.name);
    bar.append(choice("Attention", "part", names, state.filter));
  }
  if (data.view === "neuron") {
    bar.append(make("button", { id: "expand", type: "button" }));
  }
  const place = make("div", { id: "scroll" }, make("div", { id: "vis" }));
  const box = make("div", { id, class: data.view }, bar, place);
  find("#view").replaceChildren(box);
  if (!bar.children.length) bar.remove();
}

function parameters() {
  const params = {
    attention: data.parts, default_filter: state.filter, root_div_id: id,
    display_mode: root.dataset.theme, include_layers: data.layers,
  };
  if (data.view === "head") {
    return { ...params, layer: data.layers[state.layer], heads: state.on };
  }
  if (data.view === "neuron") {
    return { ...params, layer: state.layer, head: state.head,
      bidirectional: !data.isCausal };
  }
  return { ...params, include_heads: data.heads, total_heads: data.columns };
}

function draw() {
  build();
  window.bertviz_params = parameters();
  window.drawBertviz(require, requirejs, silent);
  if (data.view === "neuron") { // bertviz counts what was chosen from 0
    all("#layer option").forEach((o, i) => { o.textContent = data.layers[i]; });
    all("#att_head option").forEach((o, i) => { o.textContent = data.heads[i]; });
    if (state.expanded) toggle();
  }
  update();
}

// The signs at a token open and close; the button presses the first of them.
function toggle() {
  const side = find("#expanded").getAttribute("visibility") === "visible";
  const where = side ? "#expanded" : "#collapsed";
  const sign = find(`${where} #leftText > g > rect + text`);
  fire(sign.parentNode.querySelector("path + rect"), "click");
}

function readState() {
  if (find("#layer")) {
    const chosen = +find("#layer").value;
    state.layer = data.view === "head" ? data.layers.indexOf(chosen) : chosen;
  }
  if (find("#att_head")) state.head = +find("#att_head").value;
  if (data.view === "head") {
    state.on = headBoxes().map((box, i) => (window.d3.select(box).datum() ? i : -1))
      .filter((i) => i >= 0);
  }
  if (find("#expanded")) {
    state.expanded = find("#expanded").getAttribute("visibility") === "visible";
    const button = find("#expand");
    button.textContent = state.expanded ? "Hide queries and keys"
      : "Show queries and keys";
    button.setAttribute("aria-expanded", state.expanded);
  }
}

// bertviz binds to each whether its head is on.
const headBoxes = () => all("#vis svg > g:last-of-type > rect");

// bertviz divides a line's opacity by the number of heads and draws the heads on top
// of each other: of twelve, none would be seen. Here the heads lie side by side, a
// weight of 1 is always full ink, and the more heads, the fainter are small weights.
function spread() {
  const count = state.on.length;
  const power = 1 + Math.log10(count);
  window.d3.selectAll("#attention line").style("stroke-opacity", (w) => w ** power);
  const gap = Math.min(2, 12 / count);
  all(".headAttention").forEach((head, i) => {
    const place = state.on.indexOf(i);
    const shift = gap * (place - (count - 1) / 2);
    head.setAttribute("transform", `translate(0 ${shift})`);
    head.style.display = place < 0 ? "none" : "";
  });
}
