// A text under a model of n-grams: which counts a token's probability comes from.
(function () {
  "use strict";
  const { make, field, press, slider } = window.LLMBook;
  const MOST = 8; // bits from which the colour is full, as in back_off_picture.py
  const GLUED = /^[.,:?!]$/;

  const bitsOf = (prob) => -Math.log2(prob);
  const places = (prob) => (prob >= 0.0995 ? prob.toFixed(2) : prob.toPrecision(2));

  function percent(share) {
    if (share < 0.001) return "<0.1%";
    const tenths = Math.floor(1000 * share + 0.5);
    return tenths >= 100 ? `${Math.floor(100 * share + 0.5)}%`
      : `${(tenths / 10).toFixed(1)}%`;
  }

  class BackOff {
    constructor(element, data) {
      Object.assign(this, { data, at: data.at, n: data.n });
      this.most = data.steps[0].length;
      this.build();
      element.append(this.root);
      this.listen();
      this.update();
    }

    build() {
      const { data } = this;
      this.text = make("p", { class: "lb-back-off-text", role: "group",
        "aria-label": "The text. Choose a token; left and right move." });
      this.tokens = data.text.map((word, i) => {
        const shown = data.words[word];
        const token = make("button", { type: "button", class: "lb-piece" }, shown);
        if (i && !GLUED.test(shown)) this.text.append(" ");
        this.text.append(token);
        if (shown === "⏎") this.text.append(make("br"));
        return token;
      });
      this.slider = slider({ min: 1, max: this.most, value: this.n });
      this.length = make("span", { class: "lb-count" });
      this.status = make("p", { class: "lb-status", role: "status" });
      this.parts = make("ol", { class: "lb-parts" });
      this.orders = make("ol", { class: "lb-orders",
        "aria-label": "The token's probability for each n" });
      this.root = make("div", { class: "lb-column" }, this.text,
        field("Longest n-gram: ", this.slider, this.length), this.status, this.parts, this.orders);
    }

    context(n) {
      const { data } = this;
      const ids = [data.start, ...data.text].slice(Math.max(0, this.at + 2 - n), this.at + 1);
      return ids.map((i) => data.words[i]).join(" ");
    }

    update() {
      const { data, at, n } = this;
      this.tokens.forEach((token, i) => {
        const bits = bitsOf(data.steps[i][n - 1].p);
        token.style.setProperty("--heat", `${(40 * Math.min(1, bits / MOST)).toFixed(1)}%`);
        token.title = `${bits.toFixed(2)} bits`;
        token.tabIndex = i === at ? 0 : -1;
        token.classList.toggle("is-chosen", i === at);
        token.setAttribute("aria-pressed", String(i === at));
      });
      this.length.textContent = n === 1 ? "n = 1, no context"
        : `n = ${n}, ${n - 1} ${n === 2 ? "token" : "tokens"} before`;
      this.slider.value = n;
      this.tell(data.steps[at][n - 1]);
      this.list();
    }

    tell(entry) {
      const { data, at, n } = this;
      const word = `“${data.words[data.text[at]]}”`;
      const after = n > 1 ? `After “${this.context(n)}”` : "Without a context";
      const rows = [];
      if (entry.short) {
        this.status.textContent = `${word}: nothing more stands before it. As with a smaller n.`;
      } else if (!("total" in entry)) {
        this.status.textContent = `${after}, never seen: all is handed to n = ${n - 1}.`;
        rows.push(this.row(`on to n = ${n - 1}`, 1, "100%", "is-handed"));
      } else {
        const unit = entry.unit === "times" ? "occurrences" : "different contexts";
        this.status.textContent = `${after}: ${entry.total.toLocaleString("en")} ${unit}, ` +
          `${entry.kinds.toLocaleString("en")} different ${entry.kinds === 1 ? "token" : "tokens"}.`;
        rows.push(...this.rows(entry));
      }
      this.parts.replaceChildren(...rows);
    }

    rows(entry) {
      const { data, at, n } = this, { total, top, kinds, gamma } = entry;
      const rows = [];
      let rest = 1 - gamma;
      for (let i = 0; i < top.length; i += 3) {
        const less = top[i + 2], share = (top[i + 1] - less) / total;
        rest -= share;
        const note = `${top[i + 1].toLocaleString("en")} − ${Number(less.toFixed(2))} → ${percent(share)}`;
        const isTrue = top[i] === data.text[at];
        rows.push(this.row(data.words[top[i]], share, note, isTrue ? "is-true" : ""));
      }
      const others = kinds - top.length / 3;
      if (others) {
        rows.push(this.row(`${others} others`, Math.max(0, rest), percent(rest), "is-other"));
      }
      const below = n > 1 ? `n = ${n - 1}` : "all alike";
      rows.push(this.row(`on to ${below}`, gamma, percent(gamma), "is-handed"));
      return rows;
    }

    row(label, share, note, kind) {
      const row = make("li", { class: kind },
        make("span", { class: "lb-word" }, label),
        make("span", { class: "lb-bar" }, make("span", {})),
        make("span", { class: "lb-share" }, note));
      row.style.setProperty("--share", `${share * 100}%`);
      return row;
    }

    // One line for each n: the probability, and its bits.
    list() {
      const { data, at } = this, rows = [];
      const word = data.words[data.text[at]];
      for (let n = 1; n <= this.most; n += 1) {
        const { p } = data.steps[at][n - 1], context = n > 1 ? `${this.context(n)} ` : "";
        const button = make("button", { type: "button", "aria-pressed": String(n === this.n) },
          make("span", {}, `n = ${n}`),
          make("span", { class: "lb-word" }, context, make("b", {}, word)),
          make("span", {}, places(p)),
          make("span", {}, `${bitsOf(p).toFixed(2)} bits`));
        button.addEventListener("click", () => this.order(n));
        rows.push(make("li", {}, button));
      }
      if (data.true.length) {
        const bits = data.true[at];
        rows.push(make("li", { class: "lb-truth" }, make("span", {}, "truth"),
          make("span", { class: "lb-word" }, "by the generator"),
          make("span", {}, places(2 ** -bits)), make("span", {}, `${bits.toFixed(2)} bits`)));
      }
      this.orders.replaceChildren(...rows);
    }

    order(n) {
      this.n = Math.max(1, Math.min(this.most, n));
      this.update();
      this.orders.querySelectorAll("button")[this.n - 1].focus();
    }

    go(at) {
      this.at = Math.max(0, Math.min(this.tokens.length - 1, at));
      this.update();
      this.tokens[this.at].focus();
    }

    listen() {
      this.tokens.forEach((token, i) => token.addEventListener("click", () => this.go(i)));
      this.slider.addEventListener("input", () => {
        this.n = Number(this.slider.value);
        this.update();
      });
      this.text.addEventListener("keydown", (event) => {
        press(event, {
          ArrowRight: () => this.go(this.at + 1), ArrowLeft: () => this.go(this.at - 1),
          Home: () => this.go(0), End: () => this.go(this.tokens.length - 1),
        });
      });
      this.orders.addEventListener("keydown", (event) => {
        press(event, { ArrowDown: () => this.order(this.n + 1),
          ArrowUp: () => this.order(this.n - 1) });
      });
    }
  }

  window.LLMBook.register("back-off", (element, data) => new BackOff(element, data));
})();
