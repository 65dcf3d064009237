// Points in space, seen from a side; for every explorer that turns.
(function () {
  "use strict";

  // Turns a point to the view: right, up and near. word_map_picture.py does the same.
  function turn([x, y, z], { yaw, pitch }) {
    const across = x * Math.cos(yaw) + z * Math.sin(yaw);
    const back = -x * Math.sin(yaw) + z * Math.cos(yaw);
    const up = y * Math.cos(pitch) - back * Math.sin(pitch);
    const depth = y * Math.sin(pitch) + back * Math.cos(pitch);
    const near = 1 + 0.25 * depth; // what is near is drawn larger
    return [across * near, up * near, depth];
  }

  function boxOf(turned) {
    const [xs, ys] = [0, 1].map((axis) => turned.map((point) => point[axis]));
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    return { x: (left + right) / 2, y: (low + high) / 2,
      w: right - left || 1e-9, h: high - low || 1e-9 };
  }

  // Chooses the labels that fit, the most important first.
  function fitLabels(order, at, widths, { width, height }) {
    const taken = [], shown = new Set();
    for (const i of order) {
      const [x, y] = at[i];
      const box = [x + 4, y - 18, x + 12 + widths[i], y - 1];
      if (box[0] < 0 || box[2] > width || box[1] < 0 || box[3] > height) continue;
      if (taken.some((b) => box[2] >= b[0] && box[0] <= b[2] &&
                            box[3] >= b[1] && box[1] <= b[3])) continue;
      taken.push(box);
      shown.add(i);
    }
    return shown;
  }

  Object.assign(window.LLMBook, { turn, boxOf, fitLabels });
})();
