// Lets bertviz draw, and adds what it lacks: keyboard, names for screen readers,
// numbers in words, the theme, and a frame as high as the drawing.
(function () {
  "use strict";
  const data = window.LLMBookData;
  const root = document.documentElement;
  const state = { filter: 0, layer: 0, head: 0, on: null, expanded: false };
  const id = `lb-${data.id}`;

  // In place of require.js.
  const require = { config() {} };
  const requirejs = (names, run) => run(window.jQuery, window.d3);
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

  // ---- Names, keys, sizes: again after each drawing ----

  function update() {
    readState();
    name();
    fit();
  }

  function readState() {
    if (find("#layer")) {
      const chosen = +find("#layer").value;
      state.layer = data.view === "head" ? data.layers.indexOf(chosen) : chosen;
    }
    if (find("#att_head")) state.head = +find("#att_head").value;
    if (data.view === "head") {
      state.on = all(".headAttention").map((head, i) => (isOn(head) ? i : -1))
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

  const isOn = (head) => all("line", head).some(
    (line) => +line.getAttribute("stroke-opacity") > 0);

  function name() {
    const svg = find("#vis svg");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", `Attention, ${data.view} view`);
    if (data.view === "head") nameHeads(svg);
    if (data.view === "model") nameThumbnails(svg);
    tokenLists().forEach(({ items, side, label }) => {
      items.forEach((item, i) => { item.lbToken = { side, index: i }; });
      const words = part()[side === "left" ? "left_text" : "right_text"];
      rove(items, 1, label, (i) => words[i]);
    });
  }

  function tokenLists() {
    if (data.view === "head") {
      return ["left", "right"].map((side) => ({
        side, items: all(`#${side} > g:not(.attentionBoxes) > g`),
        label: side === "left" ? "Tokens that look" : "Tokens that are looked at",
      }));
    }
    const label = "Tokens that look";
    if (data.view === "neuron") {
      return ["#collapsed", "#expanded"].map((where) => (
        { side: "left", label, items: all(`${where} #leftText > g`) }));
    }
    const side = find("#vis svg > g.detail"); // the first is the left text
    return side ? [{ side: "left", label, items: [...side.children] }] : [];
  }

  function nameHeads(svg) {
    const boxes = all(":scope > g:last-of-type > rect", svg);
    rove(boxes, boxes.length, "Heads", (i) => `Head ${data.heads[i]}`, "checkbox");
    boxes.forEach((box, i) => {
      box.setAttribute("aria-checked", state.on.includes(i));
      if (!box.lbNumber) {
        box.lbNumber = window.d3.select(box.parentNode).append("text")
          .attr("class", "number").attr("aria-hidden", "true").attr("y", -5)
          .attr("x", +box.getAttribute("x") + 10).text(data.heads[i]);
      }
    });
  }

  function nameThumbnails(svg) {
    const tiles = all(":scope > g:not(.detail) > rect:last-child", svg);
    const nHead = data.heads.length;
    rove(tiles, nHead, null, (i) => `Layer ${data.layers[Math.floor(i
      / nHead)]}, head ${data.heads[i % nHead]}`);
    tiles.forEach((tile, i) => {
      const isOpen = +tile.parentNode.firstChild.getAttribute("stroke-opacity") > 0;
      tile.setAttribute("aria-pressed", isOpen);
      if (isOpen) [state.layer, state.head] = [Math.floor(i / nHead), i % nHead];
    });
    widenDetail(svg);
  }

  // bertviz's frame has a fixed width; long tokens would stand outside.
  function widenDetail(svg) {
    const [frame] = all(":scope > rect.detail", svg);
    if (!frame) return;
    const boxes = all(":scope > g.detail", svg).map((g) => g.getBBox());
    const left = Math.min(+frame.getAttribute("x"), ...boxes.map((b) => b.x - 8));
    const right = Math.max(...boxes.map((b) => b.x + b.width + 8),
      +frame.getAttribute("x") + +frame.getAttribute("width"));
    frame.setAttribute("x", left);
    frame.setAttribute("width", right - left);
  }

  // On a narrow screen the enlarged head may stand beyond the edge.
  function reveal() {
    const frame = find("#vis svg > rect.detail"), place = find("#scroll");
    if (!frame) return;
    const [inner, outer] = [frame, place].map((node) => node.getBoundingClientRect());
    const over = Math.max(0, inner.right + 4 - outer.right);
    place.scrollLeft += over || Math.min(0, inner.left - 4 - outer.left);
  }

  // One stop for the tab key; arrows go on from there.
  function rove(items, columns, label, words, role = "button") {
    if (!items.length) return;
    if (label) {
      items[0].parentNode.setAttribute("role", "group");
      items[0].parentNode.setAttribute("aria-label", label);
    }
    const current = items.find((item) => item.getAttribute("tabindex") === "0");
    items.forEach((item, i) => {
      item.setAttribute("role", role);
      item.setAttribute("tabindex", item === (current || items[0]) ? 0 : -1);
      item.setAttribute("aria-label", words(i));
      item.lbList = { items, columns };
    });
  }

  function step(item, key) {
    const { items, columns } = item.lbList;
    const at = items.indexOf(item);
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns,
      Home: -at, End: items.length - 1 - at };
    if (columns === 1) Object.assign(moves, { ArrowRight: 0, ArrowLeft: 0 });
    if (columns === items.length) Object.assign(moves, { ArrowDown: 1, ArrowUp: -1 });
    if (!(key in moves)) return false;
    const next = items[at + moves[key]];
    if (next) {
      item.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    }
    return true;
  }

  // ---- What is drawn, in words ----

  function weightsOf(token) {
    const layer = part().attn[state.layer];
    const heads = data.view === "head" ? state.on : [state.head];
    const across = token.side === "left" ? part().right_text : part().left_text;
    return across.map((_, j) => heads.reduce((sum, h) => sum + (token.side === "left"
      ? layer[h][token.index][j] : layer[h][j][token.index]), 0) / heads.length);
  }

  function tell(token) {
    const weights = weightsOf(token);
    const [mine, theirs] = token.side === "left"
      ? [part().left_text, part().right_text] : [part().right_text, part().left_text];
    const best = weights.map((w, j) => [w, j]).sort((a, b) => b[0] - a[0]).slice(0, 3)
      .filter(([w]) => w >= 0.005)
      .map(([w, j]) => `${theirs[j].trim()} ${w.toFixed(2)}`).join(", ");
    const verb = token.side === "left" ? "looks at" : "is looked at by";
    const mean = data.view === "head" && state.on.length > 1
      ? ` (mean of ${state.on.length} heads)` : "";
    find("#told").textContent = `${mine[token.index].trim()} ${verb}: ${best}${mean}`;
  }

  // ---- Sizes ----

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

  // ---- Listening ----

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
  });
  new ResizeObserver(fit).observe(document.body);
})();
