// What the book's pages do: draw the stored plots in the reader's colours, follow the
// theme, and unfold everything for print.
(function () {
  "use strict";
  const root = document.documentElement;
  const token = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const here = document.currentScript.src;

  // Plotly is 5 MB to read and run: it waits until a figure comes near.
  let loading = null;
  function loadPlotly() {
    loading ??= new Promise((done, fail) => {
      const script = document.createElement("script");
      script.src = here.replace(/llmbook\.js.*$/, "plotly.min.js");
      script.onload = () => done(window.Plotly);
      script.onerror = fail;
      document.head.append(script);
    });
    return loading;
  }

  // The template's mid-tones, replaced by the colours of the reader's theme.
  function themed(layout) {
    const ink = token("--lb-ink"), soft = token("--lb-soft"), line = token("--lb-line");
    const patch = {
      "font.color": ink, "font.family": token("--lb-sans"),
      "hoverlabel.bgcolor": token("--lb-raised"), "hoverlabel.bordercolor": soft,
      "hoverlabel.font.color": ink,
      colorway: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => token(`--lb-${i}`)),
    };
    const axes = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
    for (const axis of new Set(["xaxis", "yaxis", ...axes])) {
      Object.assign(patch, { [`${axis}.gridcolor`]: line, [`${axis}.linecolor`]: soft,
        [`${axis}.tickcolor`]: soft });
    }
    return patch;
  }

  async function drawPlot(place) {
    if (place.dataset.drawn) return;
    place.dataset.drawn = "begun";
    const Plotly = await loadPlotly();
    const data = JSON.parse(place.nextElementSibling.textContent);
    const options = { ...data.config, responsive: true, displaylogo: false };
    const layout = { ...data.layout, autosize: true };
    delete layout.width; // the page decides
    const isNarrow = place.clientWidth < 500;
    if (isNarrow) layout.margin = { ...layout.margin, l: 44, r: 8 };
    place.style.minHeight = `${layout.height || 400}px`;
    await Plotly.newPlot(place, data.data, layout, options);
    await Plotly.relayout(place, themed(layout));
    nameParts(place);
    place.dataset.drawn = "yes";
  }

  // A picture cannot hold buttons: once plotly has added its own, the drawing inside
  // is the picture and the whole is a group. What plotly lays over it stays silent.
  function nameParts(place) {
    const label = place.getAttribute("aria-label");
    place.setAttribute("role", "group");
    const [drawing, ...layers] = place.querySelectorAll(".main-svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", label);
    for (const layer of layers) layer.setAttribute("aria-hidden", "true");
  }

  function retheme() {
    for (const place of document.querySelectorAll('.llmbook-plot[data-drawn="yes"]')) {
      window.Plotly.relayout(place, themed(place.layout));
    }
  }

  // A figure is drawn when it comes near: a chapter may hold twenty of them.
  function drawPlots() {
    const places = [...document.querySelectorAll(".llmbook-plot")];
    if (!places.length) return;
    const watch = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        drawPlot(target);
      }
    }, { rootMargin: "600px" });
    places.forEach((place) => watch.observe(place));
    new MutationObserver(retheme).observe(root, { attributeFilter: ["data-theme"] });
    // The rest follows when nothing else is to be done: a printout has them all.
    const idle = window.requestIdleCallback || ((draw) => setTimeout(draw, 2000));
    window.addEventListener("load", () => idle(async () => {
      for (const place of places) await drawPlot(place);
    }));
  }

  // Wide tables and code scroll; whoever has no mouse must be able to reach them.
  function reachScrollers() {
    for (const box of document.querySelectorAll(
      "div.highlight pre, .pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  // Paper is white and cannot be unfolded.
  function prepareForPrint() {
    let opened = [], theme = "";
    window.addEventListener("beforeprint", () => {
      theme = root.dataset.theme;
      root.dataset.theme = "light";
      retheme();
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const fold of opened) fold.open = true;
    });
    window.addEventListener("afterprint", () => {
      root.dataset.theme = theme;
      for (const fold of opened) fold.open = false;
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawPlots();
    prepareForPrint();
    reachScrollers();
    window.addEventListener("resize", reachScrollers);
    // A formula is as wide as it will be once it is set.
    window.addEventListener("load", () => {
      window.MathJax?.startup?.promise?.then(reachScrollers);
    });
    if (still.matches) root.style.scrollBehavior = "auto";
  });
})();
