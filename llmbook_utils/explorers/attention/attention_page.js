// A page of the book: builds a view's frame when the reader comes near it. The
// libraries are one file for all pages, and go into each frame as text: a frame without
// an origin may not load a file of its own where the book is read from a disk.
(function () {
  "use strict";
  const here = document.currentScript.src;
  let loading = null;

  function loadLibraries() {
    loading ??= new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = here.replace(/attention_page\.js.*$/, "attention_libraries.js");
      script.onload = () => done(window.LLMBookAttention);
      script.onerror = fail;
      document.head.append(script);
    });
    return loading;
  }

  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

  // The same as document() in Python.
  function compose(parts, json, data) {
    const scripts = ["d3", "jquery", data.view, "frame"]
      .map((name) => `<script>${parts[name]}</${"script"}>`).join("");
    return `<!doctype html><html lang="en" data-theme="${window.LLMBookHost.theme()}">`
      + '<head><meta charset="utf-8">'
      + '<meta name="viewport" content="width=device-width">'
      + `<title>${escape(data.alt)}</title><style>${parts.style}</style></head><body>`
      + `<script type="application/json" id="data">${json}</${"script"}>`
      + `${scripts}</body></html>`;
  }

  async function draw(element, data) {
    const json = element.querySelector('script[type="application/json"]').textContent;
    const picture = element.querySelector(".lb-static");
    const frame = document.createElement("iframe");
    frame.className = "lb-attention-frame";
    frame.title = data.alt;
    frame.setAttribute("sandbox", "allow-scripts");
    frame.style.cssText = "display:block;width:100%;border:0;"
      + "position:absolute;opacity:0";
    frame.srcdoc = compose(await loadLibraries(), json, data);
    // The picture stays until the frame has drawn.
    frame.addEventListener("lb-ready", () => {
      frame.style.position = frame.style.opacity = element.style.minHeight = "";
      picture.classList.add("lb-replaced");
    }, { once: true });
    element.append(frame);
  }

  const style = document.createElement("style");
  style.textContent = ".lb-attention{position:relative}"
    + "@media screen{.lb-replaced{display:none}}"
    + "@media print{.lb-attention{min-height:0!important}.lb-attention iframe"
    + "{display:none!important}}";
  document.head.append(style);

  window.LLMBook.register("attention", (element, data) => {
    element.style.minHeight = `${data.height}px`;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      draw(element, data);
    }, { rootMargin: "600px" });
    watch.observe(element);
  });
})();
