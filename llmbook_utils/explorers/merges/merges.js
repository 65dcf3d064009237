// Byte-pair merges one at a time: the same steps as in merges.py, for any text.
(function () {
  "use strict";
  const { make, button, field, press, select, slider } = window.LLMBook;
  // What `regex` and `tokenizers` call \s is \p{White_Space} here: \s differs a little.
  const SPACE = "\\p{White_Space}";
  const PIECE = new RegExp("'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^" + SPACE +
    "\\p{L}\\p{N}]+|" + SPACE + "+(?!\\P{White_Space})|" + SPACE + "+", "gu");
  const HEIGHT = 130, MARGIN = { left: 44, right: 18, top: 10, bottom: 38 };
  const MAX_LENGTH = 300; // characters of a typed text

  class Merges {
    constructor(element, data) {
      this.data = data;
      this.total = data.merges.length;
      this.ranks = new Map(data.merges.map((pair, rank) => [pair.join(" "), rank]));
      this.byteOf = new Map([...data.alphabet].map((char, byte) => [char, byte]));
      this.madeBy = new Map(data.merges.map((pair, rank) => [pair.join(""), rank]));
      this.buildControls();
      this.buildStage();
      element.append(make("div", { class: "lb-column" },
        this.controls, this.stage, this.status, this.curve, this.detail));
      this.listen();
      this.setText(data.texts[0]);
      this.setMerges(data.start);
    }

    buildControls() {
      const { texts } = this.data;
      this.choice = select([...texts.keys(), -1], (i) => texts[i] ?? "(your text)");
      this.input = make("input", { type: "text", class: "lb-search",
        maxlength: MAX_LENGTH, autocomplete: "off", spellcheck: "false" });
      this.slider = slider({ min: 0, max: this.total, value: 0 });
      this.count = make("span", { class: "lb-count" });
      this.controls = make("div", { class: "lb-settings" },
        field("Choose a text", this.choice), field("or type your own", this.input),
        field("Merges: ", this.slider, this.count),
        make("div", { class: "lb-buttons" },
          button("← Previous join", () => this.jump(-1)),
          button("Next join →", () => this.jump(1))));
    }

    buildStage() {
      this.stage = make("div", { class: "lb-chips", tabindex: 0, role: "group",
        "aria-label": "Tokens. Left and right arrow step from join to join." });
      this.status = make("p", { class: "lb-status", role: "status" });
      this.svg = make("svg", { class: "lb-svg", role: "img" });
      this.curve = make("div", { class: "lb-curve" }, this.svg);
      this.detail = make("p", { class: "lb-detail", "aria-live": "polite" });
    }

    // The merges that change a piece, and its tokens when the first `limit` are known.
    mergePiece(piece, limit) {
      const bytes = new TextEncoder().encode(piece);
      let symbols = Array.from(bytes, (byte) => this.alphabet[byte]);
      const joins = [];
      for (;;) {
        let best = limit;
        for (let i = 0; i + 1 < symbols.length; i += 1) {
          const rank = this.ranks.get(`${symbols[i]} ${symbols[i + 1]}`);
          if (rank !== undefined && rank < best) best = rank;
        }
        if (best === limit) return { symbols, joins };
        const [left, right] = this.data.merges[best], merged = [];
        for (let i = 0; i < symbols.length; i += 1) {
          const isPair = symbols[i] === left && symbols[i + 1] === right;
          merged.push(isPair ? left + right : symbols[i]);
          i += isPair ? 1 : 0;
        }
        joins.push([best, symbols.length - merged.length]);
        symbols = merged;
      }
    }

    get alphabet() { return (this.letters = this.letters || [...this.data.alphabet]); }

    pieces() { return this.text.match(PIECE) || []; }

    setText(text) {
      this.text = text.slice(0, MAX_LENGTH);
      if (this.input.value !== text) this.input.value = text;
      const place = this.data.texts.indexOf(text);
      this.choice.value = String(place);
      this.saved = new Map(); // rank of a merge: how many tokens fewer
      let length = 0;
      for (const piece of this.pieces()) {
        const { symbols, joins } = this.mergePiece(piece, this.total);
        length += symbols.length;
        for (const [rank, saves] of joins) {
          this.saved.set(rank, (this.saved.get(rank) || 0) + saves);
          length += saves;
        }
      }
      this.nBytes = length;
      this.joins = [...this.saved.keys()].sort((a, b) => a - b);
      this.selected = null;
    }

    setMerges(count) {
      this.made = Math.min(this.total, Math.max(0, count));
      this.slider.value = this.made;
      this.count.textContent = `${this.made} of ${this.total}`;
      this.draw();
    }

    jump(direction) {
      const next = direction > 0
        ? this.joins.find((rank) => rank >= this.made)
        : this.joins.findLast((rank) => rank < this.made);
      if (next === undefined) this.setMerges(direction > 0 ? this.total : 0);
      else this.setMerges(direction > 0 ? next + 1 : next);
    }

    label(token) {
      const bytes = Uint8Array.from(token, (char) => this.byteOf.get(char));
      let text = null;
      try {
        text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch { /* a part of a character */ }
      if (text !== null) {
        text = text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
        if (!/[\p{C}\p{Z}]/u.test(text)) return text;
      }
      return this.hex(token);
    }

    hex(token) {
      return Array.from(token, (char) =>
        this.byteOf.get(char).toString(16).toUpperCase().padStart(2, "0")).join(" ");
    }

    draw() {
      const tokens = this.pieces().flatMap(
        (piece) => this.mergePiece(piece, this.made).symbols);
      const last = this.made ? this.data.merges[this.made - 1].join("") : null;
      const hadFocus = this.stage.contains(document.activeElement);
      this.stage.replaceChildren(...tokens.map((token, i) => {
        const chip = make("button", { type: "button", "aria-pressed": "false",
          class: token === last ? "lb-chip is-new" : "lb-chip" }, this.label(token));
        chip.addEventListener("click", () => this.select(i));
        return chip;
      }));
      if (hadFocus) this.stage.focus(); // the chip that had it is gone
      this.tokens = tokens;
      this.say(last);
      this.drawCurve();
      // What was made last, else what was selected, if it is still there, else the first.
      const places = [last, this.selected].map((token) => tokens.indexOf(token));
      this.select(places.find((place) => place >= 0) ?? 0);
    }

    say(last) {
      const n = this.tokens.length, tokens = `${n} token${n === 1 ? "" : "s"}`;
      if (!last) {
        this.status.textContent = `${tokens}: one for each byte, no merge made yet.`;
        return;
      }
      const [left, right] = this.data.merges[this.made - 1].map((t) => this.label(t));
      const here = this.saved.get(this.made - 1);
      this.status.textContent = `${tokens}. Merge ${this.made} makes ` +
        `${left} + ${right} into ${this.label(last)}` +
        (here ? `, here ${here} time${here === 1 ? "" : "s"}.` : ": nothing to join here.");
    }

    select(place) {
      const chips = [...this.stage.children];
      chips.forEach((chip, i) => chip.setAttribute("aria-pressed", String(i === place)));
      if (!chips.length) {
        this.detail.textContent = "Type a text above.";
        return;
      }
      const token = this.selected = this.tokens[place], rank = this.madeBy.get(token);
      const { data } = this, byte = this.byteOf.get(token);
      const [id, count] = rank === undefined
        ? [data.byte_ids[byte], data.byte_counts[byte]]
        : [data.merge_ids[rank], data.merge_counts[rank]];
      const origin = rank === undefined ? "a single byte" : `made by merge ${rank + 1}`;
      this.detail.replaceChildren(
        make("strong", {}, this.label(token)), ` id ${id}, bytes ${this.hex(token)}, ` +
        `${origin}; ${count.toLocaleString("en")} times in the training text ` +
        (rank === undefined ? "before all merges." : "at that moment."));
    }

    // Tokens against merges. The axis is logarithmic: early merges do most.
    drawCurve() {
      const { left, right, top, bottom } = MARGIN, foot = HEIGHT - bottom;
      const width = Math.max(260, this.curve.clientWidth), inner = width - left - right;
      const x = (merges) => left + Math.log1p(merges) / Math.log1p(this.total) * inner;
      const y = (n) => foot - n / Math.max(1, this.nBytes) * (foot - top);
      let n = this.nBytes, path = `M${x(0)} ${y(n)}`;
      for (const rank of this.joins) {
        n -= this.saved.get(rank);
        path += `H${x(rank + 1).toFixed(1)}V${y(n).toFixed(1)}`;
      }
      const text = (tx, ty, words, anchor) => make("text",
        { class: "lb-tick", x: tx, y: ty, "text-anchor": anchor }, words);
      const ticks = [0, 1, 3, 10, 30, 100, 300, 1000, 3000].filter((m) => m <= this.total);
      this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      this.svg.setAttribute("aria-label", `Tokens against merges: ${this.nBytes} at ` +
        `first, ${n} at last, ${this.tokens.length} after ${this.made} merges.`);
      this.svg.replaceChildren(
        make("path", { class: "lb-axis", d: `M${left} ${top}V${foot}H${width - right}` }),
        make("path", { class: "lb-now", d: `M${x(this.made)} ${top}V${foot}` }),
        make("path", { class: "lb-step", d: `${path}H${x(this.total)}` }),
        make("circle", { class: "lb-here", r: 4.5, cx: x(this.made).toFixed(1),
          cy: y(this.tokens.length).toFixed(1) }),
        text(left - 6, top + 8, this.nBytes, "end"), text(left - 6, foot, 0, "end"),
        ...ticks.map((m) => text(x(m), foot + 16, m, "middle")),
        text(left + inner / 2, HEIGHT - 4, "merges", "middle"),
        text(left + 8, foot - 8, "tokens of this text", "start"));
    }

    listen() {
      new ResizeObserver(() => this.drawCurve()).observe(this.curve);
      this.slider.addEventListener("input", () => this.setMerges(Number(this.slider.value)));
      this.choice.addEventListener("change", () => {
        const place = Number(this.choice.value);
        if (place < 0) this.input.focus();
        else { this.setText(this.data.texts[place]); this.draw(); }
      });
      this.input.addEventListener("input", () => {
        this.setText(this.input.value);
        this.draw();
      });
      const keys = { ArrowRight: () => this.jump(1), ArrowLeft: () => this.jump(-1),
        Home: () => this.setMerges(0), End: () => this.setMerges(this.total) };
      this.stage.addEventListener("keydown", (event) => press(event, keys));
    }
  }

  window.LLMBook.register("merges", (element, data) => new Merges(element, data));
})();
