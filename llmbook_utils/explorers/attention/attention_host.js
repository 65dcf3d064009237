// What stands around the frames: gives them the height they ask for, and the theme.
// Runs once, in a page of the book or in a live notebook, however often it is written.
(function () {
  "use strict";
  if (window.LLMBookHost) return;
  const frames = () => [...document.querySelectorAll("iframe.lb-attention-frame")];
  const root = document.documentElement;

  // The book, JupyterLab, VS Code and Colab each say in their own way that it is dark.
  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    const body = document.body;
    if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
    if (/\bvscode-/.test(body.className)) { // "high-contrast" stands beside either
      return !/\bvscode-(high-contrast-)?light\b/.test(body.className);
    }
    return root.getAttribute("theme") === "dark";
  }

  const theme = () => (isDark() ? "dark" : "light");
  // A frame without an origin can be reached under no name but "*".
  const tell = (frame) => frame.contentWindow.postMessage({ llmbook: theme() }, "*");

  window.addEventListener("message", (event) => {
    const { llmbook, height } = event.data || {};
    if (llmbook !== "height" || !Number.isFinite(height)) return;
    const frame = frames().find((one) => one.contentWindow === event.source);
    if (!frame) return;
    frame.style.height = `${Math.min(Math.max(Math.ceil(height), 60), 6000)}px`;
    if (!frame.dataset.ready) tell(frame);
    frame.dataset.ready = "yes";
    frame.dispatchEvent(new Event("lb-ready"));
  });
  const retheme = () => frames().forEach(tell);
  const watch = new MutationObserver(retheme);
  const attributeFilter = ["data-theme", "theme", "class", "data-jp-theme-light"];
  for (const node of [root, document.body]) watch.observe(node, { attributeFilter });
  retheme(); // frames that asked before anyone listened ask again
  window.LLMBookHost = { theme };
})();
