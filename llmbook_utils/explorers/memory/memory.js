// What a recurrent network carries: stored states and gates, step by step.
(function () {
  "use strict";
  const { make, field, press, select, share, slider } = window.LLMBook;
  const LEVELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const ROW = 16, CURVE = 62, LEFT = 8, RIGHT = 8, TOP = 24;
  const unpack = (text) => Array.from(text, (c) => LEVELS.indexOf(c) / 63);
  const percent = (p) => `${Math.round(100 * p)}%`;

  class Memory {
    constructor(element, data) {
      this.data = data;
      this.buildControls();
      this.svg = make("svg", { class: "lb-svg", role: "img" });
      this.stage = make("div", { class: "lb-memory-stage", tabindex: 0, role: "group",
        "aria-label": "Steps of the text. Left and right arrow select a step." }, this.svg);
      this.status = make("p", { class: "lb-status", "aria-live": "polite" });
      this.bars = make("div", { class: "lb-memory-bars" });
      element.append(make("div", { class: "lb-column" },
        this.controls, this.stage, this.status, this.bars));
      this.listen();
      this.choose();
    }

    buildControls() {
      const { networks, distances, befores } = this.data;
      this.network = select([...networks.keys()], (number) => networks[number].name);
      this.between = slider({ min: 0, max: distances.length - 1,
        value: Math.floor(distances.length / 2) });
      this.before = slider({ min: 0, max: befores.length - 1, value: 0 });
      this.betweenCount = make("span", { class: "lb-count" });
      this.beforeCount = make("span", { class: "lb-count" });
      this.controls = make("div", { class: "lb-settings" },
        field("Network", this.network),
        field("Steps from name to question: ", this.between, this.betweenCount),
        field("Words before the name: ", this.before, this.beforeCount));
    }

    // Reads the run that the controls name, and selects the step of the name.
    choose() {
      const { distances, befores, networks, texts } = this.data;
      const i = Number(this.between.value), j = Number(this.before.value);
      const place = i * befores.length + j;
      this.net = networks[Number(this.network.value)];
      this.run = this.net.runs[place];
      this.ids = texts[place];
      this.state = unpack(this.run.state).map((share) => 2 * share - 1);
      this.gates = this.net.gates.map((gate) => unpack(this.run[gate]));
      this.p = unpack(this.run.p);
      this.nameAt = this.ids.findIndex((id) => id < this.data.n_names);
      this.betweenCount.textContent = distances[i];
      this.beforeCount.textContent = befores[j];
      for (const [input, value] of [[this.between, distances[i]], [this.before, befores[j]]]) {
        input.setAttribute("aria-valuetext", `${value}`);
      }
      this.draw();
      this.select(this.nameAt);
    }

    word(step) { return this.data.words[this.ids[step]]; }

    draw() {
      const width = Math.max(280, this.stage.clientWidth), n = this.ids.length;
      const units = this.net.units.length, foot = TOP + units * ROW;
      this.step = (width - LEFT - RIGHT) / n;
      const x = (t) => LEFT + t * this.step, height = foot + CURVE + 20;
      const y = (p) => foot + 10 + (1 - p) * (CURVE - 10);
      const cells = this.state.map((value, i) => {
        const t = Math.floor(i / units), unit = i % units;
        return make("path", { class: value < 0 ? "lb-minus" : "lb-plus",
          opacity: Math.abs(value).toFixed(2),
          d: `M${x(t).toFixed(2)} ${TOP + unit * ROW}h${this.step.toFixed(2)}v${ROW - 1}` +
            `h${(-this.step).toFixed(2)}z` });
      });
      const text = (tx, ty, words, anchor) => make("text",
        { class: "lb-tick", x: tx.toFixed(1), y: ty, "text-anchor": anchor }, words);
      const line = this.p.map((p, t) =>
        `${t ? "L" : "M"}${(x(t) + this.step / 2).toFixed(1)} ${y(p).toFixed(1)}`).join("");
      this.mark = make("path", { class: "lb-here", d: "" });
      this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      this.svg.setAttribute("aria-label", `${this.net.name}, ${n} steps: the name ` +
        `${this.word(this.nameAt)} at step ${this.nameAt + 1}; at the question it has ` +
        `the probability ${percent(this.p[n - 1])}.`);
      this.svg.replaceChildren(...cells,
        make("path", { class: "lb-axis", d: `M${LEFT} ${y(0)}H${width - RIGHT}` }),
        make("path", { class: "lb-curve-line", d: line }), this.mark,
        text(x(this.nameAt), 16, this.word(this.nameAt), "start"),
        text(width - RIGHT, 16, this.word(n - 1), "end"),
        text(LEFT, height - 5, `probability of ${this.word(this.nameAt)}, 0 to 100%`,
          "start"));
      this.height = foot;
    }

    select(step) {
      const n = this.ids.length, units = this.net.units.length;
      this.selected = Math.min(n - 1, Math.max(0, step));
      const t = this.selected, left = LEFT + t * this.step;
      this.mark.setAttribute("d", `M${left.toFixed(2)} ${TOP - 2}h${this.step.toFixed(2)}` +
        `v${this.height + CURVE - TOP}h${(-this.step).toFixed(2)}z`);
      this.status.textContent = `Step ${t + 1} of ${n}: “${this.word(t)}”. Asked now, ` +
        `the network would say ${this.data.words[this.run.answers[t]]}; ` +
        `${this.word(this.nameAt)} has ${percent(this.p[t])}.`;
      const head = [this.net.shown, ...this.net.gates].map((name) =>
        make("span", { class: "lb-memory-head" }, name));
      const rows = this.net.units.flatMap((unit, row) => {
        const at = t * units + row, value = this.state[at];
        return [this.bar(`unit ${unit}, ${this.net.shown}`, Math.abs(value),
          value < 0 ? "is-minus" : "is-plus", value.toFixed(2)),
        ...this.gates.map((gate, g) =>
          this.bar(`unit ${unit}, ${this.net.gates[g]} gate`, gate[at], "is-gate",
            gate[at].toFixed(2)))];
      });
      this.bars.style.setProperty("--columns", head.length);
      this.bars.replaceChildren(...head, ...rows);
    }

    bar(label, share, kind, words) {
      const fill = make("span", { class: `lb-memory-fill ${kind}` });
      fill.style.setProperty("--share", percent(share));
      return make("span", { class: "lb-memory-bar", role: "img",
        "aria-label": `${label}: ${words}`, title: `${label}: ${words}` }, fill,
      make("span", { class: "lb-memory-value" }, words));
    }

    listen() {
      for (const input of [this.between, this.before]) {
        input.addEventListener("input", () => this.choose());
      }
      this.network.addEventListener("change", () => this.choose());
      new ResizeObserver(() => {
        const step = this.selected;
        this.draw();
        this.select(step);
      }).observe(this.stage);
      this.svg.addEventListener("click", (event) => {
        const at = share(event, this.svg)[0] * this.svg.viewBox.baseVal.width;
        this.select(Math.floor((at - LEFT) / this.step));
      });
      const keys = {
        ArrowRight: () => this.select(this.selected + 1),
        ArrowLeft: () => this.select(this.selected - 1),
        Home: () => this.select(0), End: () => this.select(this.ids.length - 1),
      };
      this.stage.addEventListener("keydown", (event) => press(event, keys));
    }
  }

  window.LLMBook.register("memory", (element, data) => new Memory(element, data));
})();
