// What bertviz lacks: names for screen readers, keys that go from one to the next, and
// in words what is drawn.

function name() {
  const svg = find("#vis svg");
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", `Attention, ${data.view} view`);
  if (data.view === "head") nameHeads();
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

function nameHeads() {
  const boxes = headBoxes();
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
    .map(([w, j]) => `${theirs[j].trim()} ${w.toFixed(2)}`).join(", ") || "nothing";
  const verb = token.side === "left" ? "looks at" : "is looked at by";
  const mean = data.view === "head" && state.on.length > 1
    ? ` (mean of ${state.on.length} heads)` : "";
  find("#told").textContent = `${mine[token.index].trim()} ${verb}: ${best}${mean}`;
}
