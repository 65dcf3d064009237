// Curves of training under regularisers. The drawing is that of regularisers.py beside it.
(function () {
  "use strict";
  const { make, field, press, select, share, slider } = window.LLMBook;
  const WIDTH = 640, HEIGHT = 500, LEFT = 56, RIGHT = 14, TOP = 16, BOTTOM = 62;
  const TOPS = { loss: 3, right: 1 }; // as in regularisers.py
  const WORDS = { loss: "Loss (nats)", right: "Share right" };
  const PARTS = ["seen", "fresh"];

  function place(epoch, value, n, top) {
    const x = LEFT + epoch / n * (WIDTH - LEFT - RIGHT);
    const y = HEIGHT - BOTTOM - Math.min(value, top) / top * (HEIGHT - TOP - BOTTOM);
    return [x, y].map((z) => Number(z.toFixed(1)));
  }

  const curvePath = (values, top) => "M" + values.map((value, epoch) =>
    place(epoch, value, values.length - 1, top).join(" ")).join("L");

  class Regularisers {
    constructor(element, data) {
      this.data = data;
      this.chosen = { ...data.start };
      this.buildStage();
      this.buildPanel();
      element.append(make("div", { class: "lb-live" }, this.stage, this.panel));
      this.listen();
      this.show();
    }

    buildStage() {
      this.gap = make("path", { class: "lb-gap" });
      this.plain = make("path", { class: "lb-curve lb-plain" });
      this.curves = PARTS.map((part) => make("path", { class: `lb-curve lb-${part}` }));
      this.dots = PARTS.map((part) => make("circle", { class: `lb-dot lb-${part}`, r: 7 }));
      this.marks = make("g", {});
      const axis = `M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}`;
      this.svg = make("svg", { class: "lb-svg", viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        tabindex: 0, role: "application", "aria-roledescription": "curves of training",
        "aria-label": "Curves on seen and on fresh texts. Left and right arrow move the " +
          "epoch at which training stops, plus and minus change the strength, m changes " +
          "the measure, 0 goes back to the start." },
        make("path", { class: "lb-axis", d: axis }), this.marks, this.gap, this.plain,
        ...this.curves, ...this.dots);
      const key = (name, text) =>
        make("li", {}, make("span", { class: `lb-line lb-key-${name}` }), text);
      this.stage = make("div", { class: "lb-stage" }, this.svg,
        make("ul", { class: "lb-keys" }, key("seen", "seen texts"),
          key("fresh", "fresh texts"), key("plain", "fresh, without the regulariser")),
        make("p", { class: "lb-note" },
          "Click on the curves, or use the arrow keys, to stop at an epoch."));
    }

    buildPanel() {
      this.regulariser = select(this.data.regularisers.map(({ name }) => name), (name) => name);
      this.measure = select(Object.keys(TOPS), (name) => WORDS[name]);
      this.strength = slider({ min: 0, max: 1 });
      this.amount = make("span", { class: "lb-count" });
      this.epoch = slider({ min: 0, max: this.data.n_epochs });
      this.count = make("span", { class: "lb-count" });
      this.status = make("p", { class: "lb-status", "aria-live": "polite" });
      this.rows = make("ol", { class: "lb-strengths",
        "aria-label": "fresh texts by strength" });
      this.panel = make("div", { class: "lb-panel" },
        field("Regulariser", this.regulariser), field("Strength ", this.strength, this.amount),
        field("Stop after epoch ", this.epoch, this.count),
        field("Measure", this.measure),
        this.status, this.rows);
    }

    get group() { return this.data.regularisers.find(({ name }) => name === this.chosen.regulariser); }

    run(strength) {
      const { strengths, runs } = this.group;
      return runs[strengths.indexOf(strength)];
    }

    // Draws the chosen run and all that belongs to it.
    show() {
      const { regulariser, strength, epoch, measure } = this.chosen, group = this.group;
      const n = this.data.n_epochs, top = TOPS[measure], run = this.run(strength);
      this.regulariser.value = regulariser;
      this.measure.value = measure;
      this.strength.max = group.strengths.length - 1;
      this.strength.value = group.strengths.indexOf(strength);
      const none = strength === group.off ? " (no regulariser)" : "";
      this.amount.textContent = `${strength}${none}`;
      this.strength.setAttribute("aria-valuetext", `${strength}${none}`);
      this.epoch.value = epoch;
      this.count.textContent = epoch;
      this.plain.setAttribute("d", curvePath(this.run(group.off).fresh[measure], top));
      const places = PARTS.map((part, i) => {
        this.curves[i].setAttribute("d", curvePath(run[part][measure], top));
        const [x, y] = place(epoch, run[part][measure][epoch], n, top);
        this.dots[i].setAttribute("cx", x);
        this.dots[i].setAttribute("cy", y);
        return [x, y];
      });
      this.gap.setAttribute("d", `M${places[0].join(" ")}V${places[1][1]}`);
      this.mark(top, n);
      this.tell(run, epoch);
    }

    mark(top, n) {
      const steps = top === 1 ? 5 : 3;
      const text = (x, y, anchor, words) =>
        make("text", { class: "lb-tick", x, y, "text-anchor": anchor }, words);
      this.marks.replaceChildren(
        ...Array.from({ length: steps + 1 }, (_, i) => text(LEFT - 9,
          place(0, i * top / steps, n, top)[1] + 7, "end",
          Number((i * top / steps).toFixed(1)))),
        ...Array.from({ length: 4 }, (_, i) => Math.round(i * n / 3)).map((at) =>
          text(place(at, 0, n, top)[0], HEIGHT - 34, "middle", at)),
        text(WIDTH - RIGHT, HEIGHT - 8, "end", "epoch"));
    }

    tell(run, epoch) {
      const percent = (part) => `${(100 * part).toFixed(1)}%`;
      const [seen, fresh] = PARTS.map((part) => run[part].loss[epoch]);
      const right = PARTS.map((part) => percent(run[part].right[epoch]));
      this.status.textContent = `After epoch ${epoch}: loss ${seen.toFixed(2)} on seen ` +
        `texts, ${fresh.toFixed(2)} on fresh ones, gap ${(fresh - seen).toFixed(2)}. ` +
        `Right: ${right[0]} and ${right[1]}. Fresh texts by strength, at this epoch:`;
      const { measure, strength } = this.chosen;
      this.rows.replaceChildren(...this.group.strengths.map((each) => {
        const value = this.run(each).fresh[measure][epoch];
        const bar = make("span", { class: "lb-bar" }, make("span", {
          style: `--share: ${Math.min(100, 100 * value / TOPS[measure]).toFixed(1)}%` }));
        const shown = measure === "loss" ? value.toFixed(2) : percent(value);
        return make("li", { class: each === strength ? "is-here" : "" },
          make("span", {}, each), bar, make("span", {}, shown));
      }));
    }

    choose(change) {
      this.chosen = { ...this.chosen, ...change };
      const { strengths, off } = this.group;
      if (!strengths.includes(this.chosen.strength)) this.chosen.strength = off;
      this.show();
    }

    stop(epoch) {
      this.choose({ epoch: Math.min(this.data.n_epochs, Math.max(0, Math.round(epoch))) });
    }

    listen() {
      const on = (node, name, action) => node.addEventListener(name, action);
      on(this.regulariser, "change", () => this.choose({ regulariser: this.regulariser.value }));
      on(this.measure, "change", () => this.choose({ measure: this.measure.value }));
      on(this.strength, "input",
        () => this.choose({ strength: this.group.strengths[Number(this.strength.value)] }));
      on(this.epoch, "input", () => this.stop(Number(this.epoch.value)));
      on(this.svg, "click", (event) => {
        const x = share(event, this.svg)[0] * WIDTH;
        this.stop((x - LEFT) / (WIDTH - LEFT - RIGHT) * this.data.n_epochs);
      });
      on(this.svg, "keydown", (event) => this.press(event));
    }

    press(event) {
      const { epoch, strength, measure } = this.chosen;
      const stronger = (by) => {
        const number = this.group.strengths.indexOf(strength) + by;
        if (number in this.group.strengths)
          this.choose({ strength: this.group.strengths[number] });
      };
      const keys = {
        ArrowLeft: () => this.stop(epoch - 1), ArrowRight: () => this.stop(epoch + 1),
        "+": () => stronger(1), "-": () => stronger(-1),
        m: () => this.choose({ measure: measure === "loss" ? "right" : "loss" }),
        0: () => this.choose({ ...this.data.start }),
      };
      press(event, keys);
    }
  }

  window.LLMBook.regularisers = { curvePath }; // for the test
  window.LLMBook.register("regularisers", (element, data) => new Regularisers(element, data));
})();
