// The core of every explorer: finds its element in the page and brings it to life.
// Plain JavaScript without a loader, because the same text runs in a built page and
// inlined in a frame of a live notebook, where no file can be fetched.
(function () {
  "use strict";
  const kinds = {};

  function mountAll(root) {
    for (const element of root.querySelectorAll("[data-llmbook]")) {
      const mount = kinds[element.dataset.llmbook];
      if (!mount || element.classList.contains("is-live")) continue;
      const script = element.querySelector('script[type="application/json"]');
      mount(element, script ? JSON.parse(script.textContent) : null);
      element.classList.add("is-live");
    }
  }

  // Builds an element; text is always set as text, never parsed as HTML.
  function make(tag, attributes, ...children) {
    const isSvg = ["svg", "g", "path", "circle", "text", "line"].includes(tag);
    const element = isSvg
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) {
      element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  let count = 0;
  window.LLMBook = {
    make,
    // Each kind's script calls this once; scripts may load before or after the page.
    register(kind, mount) {
      kinds[kind] = mount;
      if (document.readyState !== "loading") mountAll(document);
    },
    // Two copies of one output may stand in one page: ids are counted, not hashed.
    freshId: (prefix) => `${prefix}-${(count += 1)}`,
    button(text, action, attributes) {
      const made = make("button", { type: "button", ...attributes }, text);
      made.addEventListener("click", action);
      return made;
    },
    slider: (attributes) =>
      make("input", { type: "range", class: "lb-slider", step: 1, ...attributes }),
    select: (values, shown) => make("select", { class: "lb-search" },
      ...values.map((value, i) => make("option", { value }, shown(value, i)))),
    // A box that completes what is typed to one of the words, and their list.
    search(words) {
      const list = window.LLMBook.freshId("lb-words");
      const input = make("input", { type: "search", list, autocomplete: "off",
        spellcheck: "false", class: "lb-search" });
      const options = words.map((word) => make("option", { value: word }));
      return [input, make("datalist", { id: list }, ...options)];
    },
    // What a control is called, and what it says now, above it.
    field: (text, input, shown = "") => make("label", { class: "lb-field" },
      make("span", {}, text, shown), input),
    // Does what a key means here, if it means anything.
    press(event, keys) {
      if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      keys[event.key]();
    },
    // Where an element was hit, as shares of its width and height.
    share(event, element) {
      const box = element.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height];
    },
  };
  document.addEventListener("DOMContentLoaded", () => mountAll(document));
})();
