// A small network's boundary. The formulas are those of llmbook_utils/experiments/planes.py.
(function () {
  "use strict";
  const { make, field, press, select, share, slider } = window.LLMBook;
  const SIZE = 640, CELLS = 40, BANDS = 8, REACH = 2.2; // as in boundary.py
  const SIDE = SIZE / CELLS, STEP = REACH / 22;

  // The error function by a series whose terms are all of one sign.
  function erf(x) {
    if (Math.abs(x) > 6) return Math.sign(x);
    let term = x, sum = x;
    for (let n = 1; n < 200 && Math.abs(term) > 1e-17; n += 1) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  const ACTIVATIONS = {
    none: (z) => z,
    sigmoid: (z) => 1 / (1 + Math.exp(-z)),
    tanh: Math.tanh,
    relu: (z) => Math.max(0, z),
    gelu: (z) => z * (1 + erf(z / Math.SQRT2)) / 2,
  };
  const NAMES = { relu: "ReLU", gelu: "GELU" };

  // All that happens in a network at a point: sums, outputs, parts of the score.
  function evaluate({ activation, hidden, output }, [x, y]) {
    const sums = hidden.map(([a, b, c]) => a * x + b * y + c);
    const outputs = sums.map(ACTIVATIONS[activation]);
    const parts = outputs.map((a, i) => a * output[i]);
    const bias = output[output.length - 1];
    return { sums, outputs, parts, bias, score: parts.reduce((s, p) => s + p, 0) + bias };
  }

  const sigmoid = ACTIVATIONS.sigmoid;
  const place = ([x, y]) =>
    [(x + REACH) / (2 * REACH) * SIZE, (REACH - y) / (2 * REACH) * SIZE];
  const point = (column, row) =>
    [column * 2 * REACH / CELLS - REACH, REACH - row * 2 * REACH / CELLS];

  // For each band the runs of its cells, as rectangles of one path.
  function bandPaths(network) {
    const paths = Array.from({ length: BANDS }, () => "");
    for (let row = 0; row < CELLS; row += 1) {
      const line = Array.from({ length: CELLS }, (_, column) => {
        const p = sigmoid(evaluate(network, point(column + 0.5, row + 0.5)).score);
        return Math.min(BANDS - 1, Math.floor(p * BANDS));
      });
      for (let left = 0, right; left < CELLS; left = right) {
        for (right = left; right < CELLS && line[right] === line[left];) right += 1;
        const width = (right - left) * SIDE;
        paths[line[left]] +=
          `M${left * SIDE} ${row * SIDE}h${width}v${SIDE}h-${width}z`;
      }
    }
    return paths;
  }

  // The places where the score changes its sign, cell by cell.
  function borderPath(network) {
    const corners = Array.from({ length: CELLS + 1 }, (_, row) =>
      Array.from({ length: CELLS + 1 }, (__, column) =>
        evaluate(network, point(column, row)).score));
    let path = "";
    for (let i = 0; i < CELLS; i += 1) {
      for (let j = 0; j < CELLS; j += 1) {
        const ring = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]], ends = [];
        ring.forEach((a, n) => {
          const b = ring[(n + 1) % 4];
          const [u, v] = [corners[a[0]][a[1]], corners[b[0]][b[1]]];
          if ((u > 0) === (v > 0)) return;
          const part = u / (u - v);
          ends.push([(a[1] + part * (b[1] - a[1])) * SIDE,
            (a[0] + part * (b[0] - a[0])) * SIDE].map((z) => z.toFixed(1)).join(" "));
        });
        for (let n = 0; n < ends.length; n += 2) path += `M${ends[n]}L${ends[n + 1]}`;
      }
    }
    return path;
  }

  class Boundary {
    constructor(element, data) {
      this.data = data;
      this.chosen = { ...data.start };
      this.at = [0, 0];
      this.buildStage();
      this.buildPanel();
      element.append(make("div", { class: "lb-live" }, this.stage, this.panel));
      this.listen();
      this.show();
    }

    buildStage() {
      this.bands = Array.from({ length: BANDS }, (_, i) =>
        make("path", { class: `lb-band lb-b${i}` }));
      this.folds = make("g", { class: "lb-folds" });
      this.border = make("path", { class: "lb-border" });
      this.dots = make("g", {});
      this.cross = make("circle", { class: "lb-cross", r: 11 });
      this.svg = make("svg", { class: "lb-svg", viewBox: `0 0 ${SIZE} ${SIZE}`,
        tabindex: 0, role: "application", "aria-roledescription": "map of two classes",
        "aria-label": "Points of two classes and a network's boundary. Arrow keys move " +
          "the probe, plus and minus change the width, 0 goes back to the start." },
        ...this.bands, this.folds, this.border, this.dots, this.cross);
      this.note = make("p", { class: "lb-note" }, "Thick: the boundary. Dashed: where " +
        "a hidden neuron's sum is 0. Click, or use the arrow keys, to move the probe.");
      this.stage = make("div", { class: "lb-stage" }, this.svg, this.note);
    }

    buildPanel() {
      const { sets, activations, widths, seeds } = this.data;
      this.set = select(sets.map(({ name }) => name), (name) => name);
      this.activation = select(activations, (name) => NAMES[name] || name);
      this.seed = select(seeds, (seed) => `seed ${seed}`);
      this.width = slider({ min: 0, max: widths.length - 1 });
      this.count = make("span", { class: "lb-count" });
      this.status = make("p", { class: "lb-status", "aria-live": "polite" });
      this.losses = make("ol", { class: "lb-losses", "aria-label": "loss by width" });
      this.probe = make("p", { class: "lb-probe" });
      this.neurons = make("ol", { class: "lb-neurons", "aria-label": "parts of the score" });
      this.panel = make("div", { class: "lb-panel" }, field("Points", this.set),
        field("Activation", this.activation),
        field("Hidden neurons ", this.width, this.count), field("Start", this.seed),
        this.status, this.losses, this.probe, this.neurons);
    }

    find(change) {
      const wanted = { ...this.chosen, ...change };
      return this.data.sets.find(({ name }) => name === wanted.set).networks.find((n) =>
        ["width", "activation", "seed"].every((key) => n[key] === wanted[key]));
    }

    // Draws the chosen network and all that belongs to it.
    show() {
      const { widths, sets } = this.data, { set, width, activation, seed } = this.chosen;
      this.network = this.find({});
      this.set.value = set;
      this.activation.value = activation;
      this.seed.value = seed;
      this.width.value = widths.indexOf(width);
      this.width.setAttribute("aria-valuetext", `${width} hidden neurons`);
      this.count.textContent = width;
      bandPaths(this.network).forEach((d, i) => this.bands[i].setAttribute("d", d));
      this.border.setAttribute("d", borderPath(this.network));
      this.folds.replaceChildren(...this.network.hidden.map(([a, b, c]) => {
        const square = a * a + b * b || 1e-12, far = 9 / Math.sqrt(square);
        const ends = [far, -far].map((t) =>
          place([-c * a / square - b * t, -c * b / square + a * t]));
        return make("line", { x1: ends[0][0], y1: ends[0][1], x2: ends[1][0],
          y2: ends[1][1] });
      }));
      const { points, labels } = sets.find(({ name }) => name === set);
      this.dots.replaceChildren(...points.map((xy, i) => {
        const [x, y] = place(xy);
        return labels[i]
          ? make("path", { class: "lb-point lb-p1", d: `M${x} ${y - 7}l7 7l-7 7l-7 -7z` })
          : make("circle", { class: "lb-point lb-p0", cx: x, cy: y, r: 6 });
      }));
      const percent = (part) => `${(100 * part).toFixed(1)}%`;
      const { loss, seen, fresh } = this.network;
      this.status.textContent = `Loss ${loss.toFixed(3)}. Right: ${percent(seen)} of the ` +
        `points it learned from, ${percent(fresh)} of new ones. Loss by width:`;
      this.losses.replaceChildren(...widths.map((each) => {
        const found = this.find({ width: each }).loss;
        const bar = make("span", { class: "lb-bar" }, make("span", {
          style: `--share: ${Math.min(100, 100 * found / Math.LN2).toFixed(1)}%` }));
        return make("li", { class: each === width ? "is-here" : "" },
          make("span", {}, each), bar, make("span", {}, found.toFixed(3)));
      }));
      this.measure();
    }

    // Shows what every neuron says at the probe.
    measure() {
      const { outputs, parts, bias, score } = evaluate(this.network, this.at);
      const [cx, cy] = place(this.at);
      this.cross.setAttribute("cx", cx);
      this.cross.setAttribute("cy", cy);
      this.probe.textContent = `At (${this.at.map((z) => z.toFixed(2)).join(", ")}): ` +
        `score ${score.toFixed(2)}, probability ${sigmoid(score).toFixed(3)} of orange. ` +
        `The score is the bias ${bias.toFixed(2)} and of each neuron output times weight:`;
      this.neurons.replaceChildren(...outputs.map((a, i) =>
        make("li", { class: parts[i] > 0 ? "is-for" : "is-against" },
          `${a.toFixed(2)} × ${this.network.output[i].toFixed(2)} = ` +
            `${parts[i].toFixed(2)}`)));
    }

    choose(change) {
      this.chosen = { ...this.chosen, ...change };
      this.show();
    }

    move([x, y]) {
      const inside = (z) => Number(Math.min(REACH, Math.max(-REACH, z)).toFixed(4));
      this.at = [inside(x), inside(y)];
      this.measure();
    }

    listen() {
      const { widths } = this.data;
      const on = (node, name, action) => node.addEventListener(name, action);
      on(this.set, "change", () => this.choose({ set: this.set.value }));
      on(this.activation, "change",
        () => this.choose({ activation: this.activation.value }));
      on(this.seed, "change", () => this.choose({ seed: Number(this.seed.value) }));
      on(this.width, "input",
        () => this.choose({ width: widths[Number(this.width.value)] }));
      on(this.svg, "click", (event) => {
        const [x, y] = share(event, this.svg);
        this.move([(2 * x - 1) * REACH, (1 - 2 * y) * REACH]);
      });
      on(this.svg, "keydown", (event) => this.press(event));
    }

    press(event) {
      const { widths, start } = this.data, [x, y] = this.at;
      const wider = (by) => {
        const number = widths.indexOf(this.chosen.width) + by;
        if (number in widths) this.choose({ width: widths[number] });
      };
      const keys = {
        ArrowLeft: () => this.move([x - STEP, y]),
        ArrowRight: () => this.move([x + STEP, y]),
        ArrowUp: () => this.move([x, y + STEP]),
        ArrowDown: () => this.move([x, y - STEP]),
        "+": () => wider(1), "-": () => wider(-1),
        0: () => { this.at = [0, 0]; this.choose({ ...start }); },
      };
      press(event, keys);
    }
  }

  window.LLMBook.boundary = { evaluate, bandPaths, borderPath }; // for the test
  window.LLMBook.register("boundary", (element, data) => new Boundary(element, data));
})();
