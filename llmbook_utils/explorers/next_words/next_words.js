// A table of counts to walk through: choose what follows, or let chance choose.
(function () {
  "use strict";
  const { make, button, field, press, search, slider } = window.LLMBook;
  const COLDEST = 0.2, HOTTEST = 3; // temperatures, as in next_words.py
  const NO_SPACE_BEFORE = /^[.,?:;!]$/;

  // Raises each probability to 1 / temperature; they sum to 1 again.
  function probabilities(counts, temperature) {
    const most = Math.log(Math.max(...counts));
    const powers = counts.map((n) => Math.exp((Math.log(n) - most) / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }

  function percent(share) {
    if (share < 0.001) return "<0.1%";
    const tenths = Math.floor(1000 * share + 0.5);
    return tenths >= 100 ? `${Math.floor(100 * share + 0.5)}%`
      : `${(tenths / 10).toFixed(1)}%`;
  }

  function drawn(followers, sum) { // one of them, by its probability
    let at = Math.random() * sum;
    return followers.find(({ prob }) => (at -= prob) < 0) || followers.at(-1);
  }

  class NextWords {
    constructor(element, data) {
      this.data = data;
      this.story = [...data.begin];
      this.build();
      element.append(this.root);
      this.listen();
      this.update();
    }

    build() {
      this.text = make("p", { class: "lb-written", role: "group",
        "aria-label": "The text so far; choose a word to go back to it" });
      this.draw = button("Draw one", () => this.choose(drawn(this.followers(), 1).word));
      this.back = button("Back", () => this.goBack());
      this.again = button("Start again", () => { this.story = []; this.update(); });
      const [input, list] = search(this.data.words);
      this.search = input;
      this.slider = slider({ min: COLDEST, max: HOTTEST, step: 0.1, value: 1 });
      this.degree = make("span", { class: "lb-count" });
      this.status = make("p", { class: "lb-status", role: "status" });
      this.list = make("ol", { class: "lb-followers",
        "aria-label": "What may follow. Up and down move, Enter chooses, left goes back." });
      this.root = make("div", { class: "lb-column" }, this.text,
        make("div", { class: "lb-buttons" }, this.draw, this.back, this.again),
        make("div", { class: "lb-settings" },
          field("Temperature: ", this.slider, this.degree),
          field("Begin with a word", this.search)),
        list, this.status, this.list);
    }

    get last() { return this.story.length ? this.story.at(-1) : this.data.end; }

    // All followers of the last word with their probabilities, the likeliest first.
    followers() {
      const flat = this.data.next[this.last], found = [];
      for (let i = 0; i < flat.length; i += 2) found.push({ word: flat[i], n: flat[i + 1] });
      if (!found.length) return found;
      const counts = found.map(({ n }) => n);
      const probs = probabilities(counts, Number(this.slider.value));
      found.forEach((follower, i) => { follower.prob = probs[i]; });
      return found;
    }

    update() {
      const isInList = this.list.contains(document.activeElement);
      const found = this.followers(), { words, shown } = this.data;
      const [first, rest] = [found.slice(0, shown), found.slice(shown)];
      const sum = rest.reduce((total, { prob }) => total + prob, 0);
      const rows = first.map(({ word, prob }) => this.row(words[word], prob, () => word));
      if (rest.length) {
        rows.push(this.row(`${rest.length} others`, sum, () => drawn(rest, sum).word));
        rows.at(-1).classList.add("is-other");
      }
      this.list.replaceChildren(...rows);
      this.degree.textContent = Number(this.slider.value).toFixed(1);
      this.back.disabled = !this.story.length;
      this.draw.disabled = !found.length;
      this.tell(found);
      this.write();
      if (isInList) (this.list.querySelector("button") || this.back).focus();
    }

    row(label, prob, choose) {
      const button = make("button", { type: "button" },
        make("span", { class: "lb-word" }, label),
        make("span", { class: "lb-bar" }, make("span", {})),
        make("span", { class: "lb-share" }, percent(prob)));
      button.style.setProperty("--share", `${prob * 100}%`);
      button.addEventListener("click", () => this.choose(choose()));
      return make("li", {}, button);
    }

    tell(found) {
      const name = `“${this.data.words[this.last]}”`;
      const times = found.reduce((total, { n }) => total + n, 0).toLocaleString("en");
      const what = this.last === this.data.end ? "At the start of a story" : `After ${name}`;
      this.status.textContent = !found.length ? `Nothing was ever seen after ${name}.`
        : `${what}, seen ${times} times, came ` +
          (found.length === 1 ? "one word only:" : `${found.length} different words:`);
    }

    // The text so far: each word is a button that leads back to it.
    write() {
      const parts = [], { words } = this.data;
      this.story.forEach((word, i) => {
        if (i && !NO_SPACE_BEFORE.test(words[word])) parts.push(" ");
        const isLast = i === this.story.length - 1;
        const token = make("button", { type: "button",
          class: isLast ? "lb-token is-last" : "lb-token" }, words[word]);
        token.addEventListener("click", () => {
          this.story.length = i + 1;
          this.update();
        });
        parts.push(token);
      });
      this.text.replaceChildren(...parts);
      if (!parts.length) this.text.append("Nothing yet. Choose how the story begins.");
      this.text.scrollTop = this.text.scrollHeight;
    }

    choose(word) {
      this.story.push(word);
      this.update();
    }

    goBack() {
      this.story.pop();
      this.update();
    }

    find() {
      const wanted = this.search.value.trim(), { words } = this.data;
      let index = words.indexOf(wanted);
      if (index < 0) {
        index = words.findIndex((word) => word.toLowerCase() === wanted.toLowerCase());
      }
      if (index >= 0) {
        this.story = index === this.data.end ? [] : [index];
        this.update();
      } else if (wanted) this.status.textContent = `“${wanted}” is not in the table.`;
    }

    listen() {
      this.slider.addEventListener("input", () => this.update());
      this.search.addEventListener("input", () => {
        if (this.data.words.includes(this.search.value)) this.find();
      });
      this.search.addEventListener("change", () => this.find()); // Enter does it, too
      this.list.addEventListener("keydown", (event) => this.press(event));
    }

    press(event) {
      const buttons = [...this.list.querySelectorAll("button")];
      const at = buttons.indexOf(document.activeElement);
      const keys = {
        ArrowDown: () => buttons[Math.min(at + 1, buttons.length - 1)].focus(),
        ArrowUp: () => buttons[Math.max(at - 1, 0)].focus(),
        Home: () => buttons[0].focus(), End: () => buttons.at(-1).focus(),
        ArrowRight: () => buttons[at].click(), ArrowLeft: () => this.goBack(),
        Backspace: () => this.goBack(),
      };
      if (at >= 0) press(event, keys);
    }
  }

  window.LLMBook.register("next-words", (element, data) => new NextWords(element, data));
})();
