// A map of words in three dimensions: turn it, search a word, see its neighbours.
(function () {
  "use strict";
  const WIDTH = 640, HEIGHT = 480, YAW = 0.6, PITCH = 0.35; // as in word_map.py
  const TURN = 0.14; // radians for one press of an arrow key
  const { make } = window.LLMBook;

  // Turns a point to the view; the same formula draws the printed picture.
  function turn([x, y, z], { yaw, pitch, zoom }) {
    const across = x * Math.cos(yaw) + z * Math.sin(yaw);
    const back = -x * Math.sin(yaw) + z * Math.cos(yaw);
    const up = y * Math.cos(pitch) - back * Math.sin(pitch);
    const depth = y * Math.sin(pitch) + back * Math.cos(pitch);
    const scale = 0.44 * HEIGHT * zoom * (1 + 0.25 * depth);
    return [WIDTH / 2 + across * scale * 1.15, HEIGHT / 2 - up * scale, depth];
  }

  // Chooses the labels that fit, the most important first.
  function fitLabels(order, points, words) {
    const taken = [], shown = new Set();
    for (const i of order) {
      const [x, y] = points[i];
      const box = [x + 4, y - 17, x + 10 + 7.2 * words[i].length, y - 1];
      if (box[0] < 0 || box[2] > WIDTH || box[1] < 0 || box[3] > HEIGHT) continue;
      if (taken.some((b) => box[2] >= b[0] && box[0] <= b[2] &&
                            box[3] >= b[1] && box[1] <= b[3])) continue;
      taken.push(box);
      shown.add(i);
    }
    return shown;
  }

  function buildControls(data) {
    const listId = LLMBook.freshId("lb-words");
    const search = make("input", { type: "search", list: listId, autocomplete: "off",
      spellcheck: "false", class: "lb-search" });
    const slider = make("input", { type: "range", min: 1, max: data.near[0].length,
      value: Math.min(5, data.near[0].length), class: "lb-slider" });
    const parts = {
      search, slider, sliderValue: make("output", { class: "lb-count" }),
      status: make("p", { class: "lb-status", role: "status" }),
      list: make("ol", { class: "lb-near" }),
    };
    parts.panel = make("div", { class: "lb-panel" },
      make("label", { class: "lb-field" }, "Search a word", search),
      make("datalist", { id: listId },
        ...data.words.map((word) => make("option", { value: word }))),
      make("label", { class: "lb-field" },
        make("span", {}, "Neighbours: ", parts.sliderValue), slider),
      parts.status, parts.list);
    return parts;
  }

  function buildMap(data) {
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "lb-svg",
      tabindex: 0, role: "application", "aria-roledescription": "3-D map",
      "aria-label": `Map of ${data.words.length} words. Arrow keys turn it, ` +
        "plus and minus zoom, 0 resets it." });
    const edges = make("g", {}), dots = make("g", {}), labels = make("g", {});
    svg.append(edges, dots, labels);
    const points = data.words.map((word, i) => {
      const group = data.group_of.length ? data.group_of[i] : 0;
      const dot = make("circle", { class: `lb-dot lb-c${group}`, "data-index": i });
      const label = make("text", { class: "lb-label", "data-index": i }, word);
      dots.append(dot);
      labels.append(label);
      return { dot, label };
    });
    return { svg, edges, dots, points };
  }

  function mount(element, data) {
    const view = { yaw: YAW, pitch: PITCH, zoom: 1 };
    const controls = buildControls(data);
    const map = buildMap(data);
    let selected = data.selected, near = [], frame = 0;

    function draw() {
      frame = 0;
      const at = data.xyz.map((point) => turn(point, view));
      const order = at.map((_, i) => i).sort((a, b) => at[b][2] - at[a][2]);
      const shown = fitLabels([selected, ...near, ...order], at, data.words);
      map.points.forEach(({ dot, label }, i) => {
        const [x, y, depth] = at[i];
        const state = i === selected ? " is-selected"
          : near.includes(i) ? " is-near" : "";
        dot.setAttribute("cx", x.toFixed(1));
        dot.setAttribute("cy", y.toFixed(1));
        dot.setAttribute("r", ((state ? 4.6 : 3.4) + depth).toFixed(1));
        dot.style.opacity = state ? 1 : (0.62 + 0.3 * depth).toFixed(2);
        label.setAttribute("x", (x + 6).toFixed(1));
        label.setAttribute("y", (y - 5).toFixed(1));
        label.style.display = shown.has(i) ? "" : "none";
        for (const node of [dot, label]) {
          node.classList.toggle("is-selected", state === " is-selected");
          node.classList.toggle("is-near", state === " is-near");
        }
      });
      map.dots.append(...order.reverse().map((i) => map.points[i].dot)); // near on top
      const [x0, y0] = at[selected];
      map.edges.replaceChildren(...near.map((i) => make("line", { class: "lb-edge",
        x1: x0, y1: y0, x2: at[i][0], y2: at[i][1] })));
    }
    const redraw = () => { if (!frame) frame = requestAnimationFrame(draw); };

    function select(index) {
      selected = index;
      const count = Number(controls.slider.value);
      near = data.near[index].slice(0, count);
      controls.sliderValue.textContent = count;
      controls.status.textContent =
        `Nearest to “${data.words[index]}”, by cosine in the full space:`;
      controls.list.replaceChildren(...near.map((i, rank) => {
        const cosine = data.cos[index][rank];
        const button = make("button", { type: "button", "data-index": i },
          make("span", { class: "lb-word" }, data.words[i]),
          make("span", { class: "lb-cosine" }, cosine.toFixed(2)));
        button.style.setProperty("--share", `${Math.max(0, cosine) * 100}%`);
        button.addEventListener("click", () => choose(i));
        return make("li", {}, button);
      }));
      redraw();
    }

    function choose(index) {
      controls.search.value = data.words[index];
      select(index);
    }

    function find() {
      const wanted = controls.search.value.trim();
      let index = data.words.indexOf(wanted);
      if (index < 0) {
        index = data.words.findIndex(
          (word) => word.toLowerCase() === wanted.toLowerCase());
      }
      if (index >= 0) select(index);
      else if (wanted) controls.status.textContent = `“${wanted}” is not on this map.`;
    }

    function zoom(factor) {
      view.zoom = Math.min(4, Math.max(0.5, view.zoom * factor));
      redraw();
    }
    function reset() {
      Object.assign(view, { yaw: YAW, pitch: PITCH, zoom: 1 });
      redraw();
    }

    const keys = {
      ArrowLeft: () => { view.yaw -= TURN; }, ArrowRight: () => { view.yaw += TURN; },
      ArrowUp: () => { view.pitch -= TURN; }, ArrowDown: () => { view.pitch += TURN; },
      "+": () => zoom(1.2), "=": () => zoom(1.2), "-": () => zoom(1 / 1.2),
      0: reset, Home: reset,
    };
    map.svg.addEventListener("keydown", (event) => {
      if (!keys[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      keys[event.key]();
      redraw();
    });

    let drag = null;
    map.svg.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, y: event.clientY, moved: false };
      map.svg.setPointerCapture(event.pointerId);
    });
    map.svg.addEventListener("pointermove", (event) => {
      if (!drag) return;
      const dx = event.clientX - drag.x, dy = event.clientY - drag.y;
      if (!drag.moved && Math.hypot(dx, dy) < 4) return; // a click, not yet a drag
      Object.assign(drag, { x: event.clientX, y: event.clientY, moved: true });
      view.yaw += dx * 0.008;
      view.pitch += dy * 0.008;
      redraw();
    });
    map.svg.addEventListener("pointerup", (event) => {
      const hit = document.elementFromPoint(event.clientX, event.clientY);
      if (drag && !drag.moved && hit && hit.dataset.index) {
        choose(Number(hit.dataset.index));
      }
      drag = null;
    });
    map.svg.addEventListener("pointercancel", () => { drag = null; });
    map.svg.addEventListener("wheel", (event) => {
      // subtle: only where the map has the focus, or the page could not be scrolled.
      if (document.activeElement !== map.svg && !event.ctrlKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * 0.0015));
    }, { passive: false });

    controls.search.addEventListener("input", () => {
      if (data.words.includes(controls.search.value)) find();
    });
    controls.search.addEventListener("change", find);
    controls.search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") find();
    });
    controls.slider.addEventListener("input", () => select(selected));

    const button = (text, label, action) => {
      const made = make("button", { type: "button", "aria-label": label }, text);
      made.addEventListener("click", action);
      return made;
    };
    const stage = make("div", { class: "lb-stage" }, map.svg,
      make("div", { class: "lb-tools" }, button("+", "Zoom in", () => zoom(1.2)),
        button("−", "Zoom out", () => zoom(1 / 1.2)),
        button("Reset", "Reset the view", reset)));
    if (data.groups.length) {
      stage.append(make("ul", { class: "lb-legend" }, ...data.groups.map((name, i) =>
        make("li", {}, make("span", { class: `lb-swatch lb-c${i}` }), name))));
    }
    stage.append(make("p", { class: "lb-note" }, "Drag or use the arrow keys to turn. " +
      `The three axes keep ${Math.round(data.share * 100)}% of the variance.`));
    element.append(make("div", { class: "lb-live" }, stage, controls.panel));
    choose(selected);
  }

  window.LLMBook.register("word-map", mount);
})();
