// Optimisers race downhill. The rules are those of llmbook_utils/models/networks/descent.py.
(function () {
  "use strict";
  const { make, button, field, press, select, share, slider } = window.LLMBook;
  const WIDTH = 1280, HEIGHT = 840, TOO_FAR = 1e6; // as in descent.py and models/networks/descent.py
  const NAMES = ["gradient descent", "momentum", "Adam"];
  const LEAST = -3, PAUSE = 60; // log10 of the lowest rate; ms between two steps

  // From the settings, a function from the gradients of one coordinate to its steps.
  const RULES = [
    ({ lr }) => (g) => lr * g,
    ({ lr, momentum }) => {
      let velocity = 0;
      return (g) => lr * (velocity = momentum * velocity + g);
    },
    ({ adam_lr: lr }) => {
      const b1 = 0.9, b2 = 0.999;
      let mean = 0, square = 0, t = 0;
      return (g) => {
        t += 1;
        mean = b1 * mean + (1 - b1) * g;
        square = b2 * square + (1 - b2) * g * g;
        const root = Math.sqrt(square / (1 - b2 ** t));
        return lr * (mean / (1 - b1 ** t)) / (root + 1e-8);
      };
    },
  ];

  const heightOf = (terms, [x, y]) =>
    terms.reduce((sum, [c, m, n]) => sum + c * x ** m * y ** n, 0);

  function slopes(terms, [x, y]) {
    let byX = 0, byY = 0;
    for (const [c, m, n] of terms) {
      byX += c * m * x ** Math.max(m - 1, 0) * y ** n;
      byY += c * n * x ** m * y ** Math.max(n - 1, 0);
    }
    return [byX, byY];
  }

  // Three paths [[x, y], ...]; shorter where a runner leaves for infinity.
  function race({ n_steps: steps, noise }, chosen) {
    return RULES.map((rule) => {
      const along = [rule(chosen), rule(chosen)], path = [[...chosen.start]];
      for (let t = 0; t < steps; t += 1) {
        const here = path[t];
        if (Math.max(...here.map(Math.abs)) > TOO_FAR) break;
        const slope = slopes(chosen.terms, here);
        path.push(here.map((place, i) =>
          place - along[i](slope[i] + (chosen.is_noisy ? noise[t][i] : 0))));
      }
      return path;
    });
  }

  function place([x, y], { x: [left, right], y: [low, high] }) {
    const inside = (z) => Math.min(9999, Math.max(-9999, z)).toFixed(1);
    return [inside((x - left) / (right - left) * WIDTH),
      inside((high - y) / (high - low) * HEIGHT)];
  }

  class Race {
    constructor(element, data) {
      this.data = data;
      this.shown = data.n_steps;
      this.timer = null;
      this.buildStage();
      this.buildPanel();
      element.append(make("div", { class: "lb-live" }, this.stage, this.panel));
      this.listen();
      this.take(0);
    }

    buildStage() {
      this.contours = make("path", { class: "lb-contours" });
      this.paths = NAMES.map((_, i) => make("path", { class: `lb-path lb-r${i}` }));
      this.heads = NAMES.map((_, i) =>
        make("circle", { class: `lb-head lb-r${i}`, r: 13 }));
      this.start = make("circle", { class: "lb-start", r: 12 });
      this.svg = make("svg", { class: "lb-svg", viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        tabindex: 0, role: "application", "aria-roledescription": "race downhill",
        "aria-label": "Surface with three paths. Arrow keys move the start, space " +
          "plays, Enter makes one step, 0 goes back to the start." },
        this.contours, ...this.paths, this.start, ...this.heads);
      this.rows = NAMES.map((name, i) => {
        const height = make("span", { class: "lb-height" });
        const row = make("li", {}, make("span", { class: `lb-line lb-r${i}` }),
          make("span", { class: "lb-name" }, name), height);
        return { row, height };
      });
      this.note = make("p", { class: "lb-note" });
      this.stage = make("div", { class: "lb-stage" }, this.svg,
        make("ul", { class: "lb-heights" }, ...this.rows.map(({ row }) => row)),
        this.note);
    }

    buildPanel() {
      const control = (text, attributes) => {
        const input = slider(attributes), shown = make("span", { class: "lb-count" });
        return { input, shown, label: field(text, input, shown) };
      };
      const rate = { min: LEAST, max: 0, step: 0.01 };
      this.lr = control("Learning rate ", rate);
      this.momentum = control("Momentum ", { min: 0, max: 0.99, step: 0.01 });
      this.adam = control("Adam's rate ", rate);
      this.step = control("Step ", { min: 0, max: this.data.n_steps });
      this.choice = select([...this.data.surfaces.keys()],
        (number) => this.data.surfaces[number].name);
      this.noisy = make("input", { type: "checkbox" });
      this.play = button("Play", () => this.toggle());
      this.panel = make("div", { class: "lb-panel" },
        field("Surface", this.choice), this.lr.label, this.momentum.label, this.adam.label,
        make("label", { class: "lb-switch" }, this.noisy, " Noise in the gradient"),
        this.step.label,
        make("div", { class: "lb-buttons" }, this.play,
          button("One step", () => this.advance()),
          button("Reset", () => this.take(Number(this.choice.value)))));
    }

    // Shows a surface with its own settings.
    take(number) {
      this.pause();
      this.choice.value = number;
      this.chosen = { ...this.data.surfaces[number], is_noisy: this.noisy.checked };
      this.chosen.start = [...this.chosen.start];
      this.lr.input.value = Math.log10(this.chosen.lr);
      this.momentum.input.value = this.chosen.momentum;
      this.adam.input.value = Math.log10(this.chosen.adam_lr);
      this.contours.setAttribute("d", this.chosen.contours);
      const { x, y } = this.chosen;
      this.note.textContent = "Click, or use the arrow keys, to move the start. From " +
        `left to right x = ${x[0]} … ${x[1]}, upwards y = ${y[0]} … ${y[1]}.`;
      this.shown = this.data.n_steps;
      this.run();
    }

    run() {
      const { lr, momentum, adam_lr: adam } = this.chosen;
      this.lr.shown.textContent = lr;
      this.momentum.shown.textContent = momentum;
      this.adam.shown.textContent = adam;
      this.found = race(this.data, this.chosen);
      this.draw();
    }

    draw() {
      const [cx, cy] = place(this.chosen.start, this.chosen);
      Object.entries({ cx, cy }).forEach(([k, v]) => this.start.setAttribute(k, v));
      this.found.forEach((path, i) => {
        const seen = path.slice(0, this.shown + 1);
        const places = seen.map((point) => place(point, this.chosen));
        this.paths[i].setAttribute("d", `M${places.map((p) => p.join(" ")).join("L")}`);
        const [x, y] = places[places.length - 1];
        this.heads[i].setAttribute("cx", x);
        this.heads[i].setAttribute("cy", y);
        const isLost = Math.max(...seen[seen.length - 1].map(Math.abs)) > TOO_FAR;
        const height = heightOf(this.chosen.terms, seen[seen.length - 1]);
        this.rows[i].height.textContent = isLost
          ? "diverged" : `height ${height.toPrecision(3)}`;
      });
      this.step.input.value = this.shown;
      this.step.shown.textContent = this.shown;
    }

    advance() {
      this.shown = this.shown >= this.data.n_steps ? 1 : this.shown + 1;
      this.draw();
      if (this.shown >= this.data.n_steps) this.pause();
    }

    toggle() {
      if (this.timer) return this.pause();
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
        this.shown = this.data.n_steps; // no motion: the end at once
        return this.draw();
      }
      this.play.textContent = "Pause";
      this.timer = setInterval(() => this.advance(), PAUSE);
    }

    pause() {
      clearInterval(this.timer);
      this.timer = null;
      this.play.textContent = "Play";
    }

    moveStart([x, y]) {
      const { x: [left, right], y: [low, high] } = this.chosen;
      const inside = (z, a, b) => Number(Math.min(b, Math.max(a, z)).toFixed(4));
      this.chosen.start = [inside(x, left, right), inside(y, low, high)];
      this.run();
    }

    listen() {
      const set = (name, value) => { this.chosen[name] = value; this.run(); };
      const rate = (field) => Number((10 ** Number(field.input.value)).toPrecision(3));
      const on = (node, name, action) => node.addEventListener(name, action);
      on(this.lr.input, "input", () => set("lr", rate(this.lr)));
      on(this.adam.input, "input", () => set("adam_lr", rate(this.adam)));
      on(this.momentum.input, "input",
        () => set("momentum", Number(this.momentum.input.value)));
      on(this.noisy, "change", () => set("is_noisy", this.noisy.checked));
      on(this.choice, "change", () => this.take(Number(this.choice.value)));
      on(this.step.input, "input", () => {
        this.shown = Number(this.step.input.value);
        this.draw();
      });
      on(this.svg, "click", (event) => {
        const { x: [left, right], y: [low, high] } = this.chosen;
        const [across, down] = share(event, this.svg);
        this.moveStart([left + across * (right - left), high - down * (high - low)]);
      });
      on(this.svg, "keydown", (event) => this.press(event));
    }

    press(event) {
      const { start: [x, y], x: [left, right], y: [low, high] } = this.chosen;
      const [dx, dy] = [(right - left) / 40, (high - low) / 40];
      const keys = {
        ArrowLeft: () => this.moveStart([x - dx, y]),
        ArrowRight: () => this.moveStart([x + dx, y]),
        ArrowUp: () => this.moveStart([x, y + dy]),
        ArrowDown: () => this.moveStart([x, y - dy]),
        " ": () => this.toggle(), Enter: () => this.advance(),
        0: () => this.take(Number(this.choice.value)),
      };
      press(event, keys);
    }
  }

  window.LLMBook.race = race; // for the test that compares it with the package
  window.LLMBook.register("descent", (element, data) => new Race(element, data));
})();
