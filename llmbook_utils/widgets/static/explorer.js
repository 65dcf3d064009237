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

  let count = 0;
  window.LLMBook = {
    // Each kind's script calls this once; scripts may load before or after the page.
    register(kind, mount) {
      kinds[kind] = mount;
      if (document.readyState !== "loading") mountAll(document);
    },
    // Two copies of one output may stand in one page: ids are counted, not hashed.
    freshId: (prefix) => `${prefix}-${(count += 1)}`,
    // Builds an element; text is always set as text, never parsed as HTML.
    make(tag, attributes, ...children) {
      const isSvg = ["svg", "g", "path", "circle", "text", "line"].includes(tag);
      const element = isSvg
        ? document.createElementNS("http://www.w3.org/2000/svg", tag)
        : document.createElement(tag);
      for (const [key, value] of Object.entries(attributes || {})) {
        element.setAttribute(key, value);
      }
      element.append(...children);
      return element;
    },
  };
  document.addEventListener("DOMContentLoaded", () => mountAll(document));
})();
