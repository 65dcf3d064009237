// A map of words in three dimensions: turn it, search a word, see its neighbours.
(function () {
  "use strict";
  const { make, button, field, press, search, slider, turn, boxOf, fitLabels } =
    window.LLMBook;
  const YAW = 0.6, PITCH = 0.35; // the first view, as in word_map_picture.py
  const TURN = 0.14; // radians for one press of an arrow key

  function set(node, numbers) {
    for (const key in numbers) node.setAttribute(key, numbers[key].toFixed(1));
  }

  class WordMap {
    constructor(element, data) {
      this.data = data;
      this.view = { yaw: YAW, pitch: PITCH, zoom: 1, width: 640, height: 480 };
      this.near = [];
      this.size = data.words.length > 150 ? 2.8 : 3.8; // radius of a dot, pixels
      const ruler = document.createElement("canvas").getContext("2d");
      ruler.font = "600 14px sans-serif"; // at least as wide as any label is set
      this.widths = data.words.map((word) => ruler.measureText(word).width);
      this.buildMap();
      this.buildPanel();
      element.append(make("div", { class: "lb-live" }, this.buildStage(), this.panel));
      this.listen();
      new ResizeObserver(() => this.resize()).observe(this.svg);
      this.choose(data.selected);
    }

    buildMap() {
      const { words, group_of: groups } = this.data;
      this.svg = make("svg", { class: "lb-svg", tabindex: 0, role: "application",
        "aria-roledescription": "3-D map",
        "aria-label": `Map of ${words.length} words. Arrow keys turn it, plus and ` +
          "minus zoom, 0 resets it." });
      [this.edges, this.layer] = [make("g", {}), make("g", {})];
      this.dots = words.map((_, i) => make("circle",
        { class: `lb-dot lb-c${groups[i] ?? 0}`, "data-index": i }));
      this.labels = words.map((word, i) => make("text",
        { class: "lb-label", "data-index": i }, word));
      this.layer.append(...this.dots);
      this.svg.append(this.edges, this.layer, make("g", {}, ...this.labels));
    }

    buildStage() {
      const tool = (text, label, action) => button(text, action, { "aria-label": label });
      const stage = make("div", { class: "lb-stage" }, this.svg,
        make("div", { class: "lb-tools" }, tool("+", "Zoom in", () => this.zoom(1.2)),
          tool("−", "Zoom out", () => this.zoom(1 / 1.2)),
          tool("Reset", "Reset the view", () => this.reset())));
      const legend = this.data.groups.map((name, i) => make("li", {},
        make("span", { class: `lb-swatch lb-c${i}` }), name));
      if (legend.length) stage.append(make("ul", { class: "lb-legend" }, ...legend));
      stage.append(make("p", { class: "lb-note" },
        "Drag or use the arrow keys to turn. The three axes keep " +
        `${Math.round(this.data.share * 100)}% of the variance.`));
      return stage;
    }

    buildPanel() {
      const [input, list] = search(this.data.words), n = this.data.near[0].length;
      this.search = input;
      this.slider = slider({ min: 1, max: n, value: Math.min(5, n) });
      this.count = make("span", { class: "lb-count" });
      this.status = make("p", { class: "lb-status", role: "status" });
      this.list = make("ol", { class: "lb-near" });
      this.panel = make("div", { class: "lb-panel" },
        field("Search a word", this.search), list,
        field("Neighbours: ", this.slider, this.count),
        this.status, this.list);
    }

    resize() {
      const width = Math.round(this.svg.clientWidth);
      if (!width || width === this.view.width) return;
      const height = Math.round(Math.max(300, width * 0.78));
      Object.assign(this.view, { width, height });
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.redraw();
    }

    redraw() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
    }

    draw() {
      const at = this.place();
      const order = at.map((_, i) => i).sort((a, b) => at[b][2] - at[a][2]);
      const wanted = [this.selected, ...this.near, ...order];
      const shown = fitLabels(wanted, at, this.widths, this.view);
      at.forEach((place, i) => this.drawWord(i, place, shown.has(i)));
      this.layer.append(...order.reverse().map((i) => this.dots[i])); // near on top
      const [x1, y1] = at[this.selected];
      this.edges.replaceChildren(...this.near.map((i) => make("line",
        { class: "lb-edge", x1, y1, x2: at[i][0], y2: at[i][1] })));
    }

    // Puts the cloud into the middle; zooming goes towards the selected word.
    place() {
      const { width, height, zoom } = this.view;
      const turned = this.data.xyz.map((point) => turn(point, this.view));
      const box = boxOf(turned), [sx, sy] = turned[this.selected];
      const pull = Math.max(0, 1 - 1 / zoom);
      const x0 = box.x + pull * (sx - box.x), y0 = box.y + pull * (sy - box.y);
      const first = boxOf(this.data.xyz.map((p) => turn(p, { yaw: YAW, pitch: PITCH })));
      const scale = zoom * Math.min(0.8 * width / first.w, 0.86 * height / first.h);
      return turned.map(([x, y, depth]) => [
        width * 0.48 + (x - x0) * scale, height * 0.52 - (y - y0) * scale, depth]);
    }

    drawWord(i, [x, y, depth], isShown) {
      const dot = this.dots[i], label = this.labels[i];
      const isSelected = i === this.selected, isNear = this.near.includes(i);
      const size = (isSelected || isNear ? 5 : this.size) + depth;
      set(dot, { cx: x, cy: y, r: size });
      set(label, { x: x + 6, y: y - 5 });
      dot.style.opacity = isSelected || isNear ? 1 : (0.65 + 0.3 * depth).toFixed(2);
      label.style.display = isShown ? "" : "none";
      for (const node of [dot, label]) {
        node.classList.toggle("is-selected", isSelected);
        node.classList.toggle("is-near", isNear);
      }
    }

    choose(index) {
      this.search.value = this.data.words[index];
      this.select(index);
    }

    select(index) {
      const { words, near, cos } = this.data, count = Number(this.slider.value);
      this.selected = index;
      this.near = near[index].slice(0, count);
      this.count.textContent = count;
      this.status.textContent =
        `Nearest to “${words[index]}”, by cosine in the full space:`;
      this.list.replaceChildren(...this.near.map((i, rank) => {
        const cosine = cos[index][rank];
        const button = make("button", { type: "button", "data-index": i },
          make("span", { class: "lb-word" }, words[i]),
          make("span", { class: "lb-cosine" }, cosine.toFixed(2)));
        button.style.setProperty("--share", `${Math.max(0, cosine) * 100}%`);
        button.addEventListener("click", () => this.choose(i));
        return make("li", {}, button);
      }));
      this.redraw();
    }

    find() {
      const wanted = this.search.value.trim(), { words } = this.data;
      let index = words.indexOf(wanted);
      if (index < 0) {
        index = words.findIndex((word) => word.toLowerCase() === wanted.toLowerCase());
      }
      if (index >= 0) this.select(index);
      else if (wanted) this.status.textContent = `“${wanted}” is not on this map.`;
    }

    zoom(factor) {
      this.view.zoom = Math.min(4, Math.max(0.5, this.view.zoom * factor));
      this.redraw();
    }

    rotate(yaw, pitch) {
      this.view.yaw += yaw;
      this.view.pitch += pitch;
      this.redraw();
    }

    reset() {
      Object.assign(this.view, { yaw: YAW, pitch: PITCH, zoom: 1 });
      this.redraw();
    }

    listen() {
      this.search.addEventListener("input", () => {
        if (this.data.words.includes(this.search.value)) this.find();
      });
      this.search.addEventListener("change", () => this.find()); // Enter does it, too
      this.slider.addEventListener("input", () => this.select(this.selected));
      this.listenToKeys();
      this.listenToPointer();
    }

    listenToKeys() {
      const keys = {
        ArrowLeft: () => this.rotate(-TURN, 0), ArrowRight: () => this.rotate(TURN, 0),
        ArrowUp: () => this.rotate(0, -TURN), ArrowDown: () => this.rotate(0, TURN),
        "+": () => this.zoom(1.2), "=": () => this.zoom(1.2),
        "-": () => this.zoom(1 / 1.2), 0: () => this.reset(), Home: () => this.reset(),
      };
      this.svg.addEventListener("keydown", (event) => press(event, keys));
    }

    listenToPointer() {
      let drag = null;
      this.svg.addEventListener("pointerdown", (event) => {
        drag = { x: event.clientX, y: event.clientY, isMoved: false };
        this.svg.setPointerCapture(event.pointerId);
      });
      this.svg.addEventListener("pointermove", (event) => {
        if (!drag) return;
        const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
        if (!drag.isMoved && Math.hypot(dx, dy) < 4) return; // a click, not yet a drag
        drag = { x: event.clientX, y: event.clientY, isMoved: true };
        this.rotate(dx * 0.008, dy * 0.008);
      });
      this.svg.addEventListener("pointerup", (event) => {
        const hit = document.elementFromPoint(event.clientX, event.clientY);
        const isClick = drag && !drag.isMoved && hit && this.svg.contains(hit);
        if (isClick && hit.dataset.index) this.choose(Number(hit.dataset.index));
        drag = null;
      });
      this.svg.addEventListener("pointercancel", () => { drag = null; });
      this.svg.addEventListener("wheel", (event) => {
        // subtle: only where the map has the focus, or the page could not be scrolled.
        if (document.activeElement !== this.svg && !event.ctrlKey) return;
        event.preventDefault();
        this.zoom(Math.exp(-event.deltaY * 0.0015));
      }, { passive: false });
    }
  }

  window.LLMBook.register("word-map", (element, data) => new WordMap(element, data));
})();
