// Reads what payload.py wrote, and arranges it as bertviz expects.
(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  let alphabet = "";
  for (let code = 33; code < 127; code += 1) {
    const sign = String.fromCharCode(code);
    if (!"\"'\\<>&".includes(sign)) alphabet += sign;
  }
  const base = alphabet.length, small = 77;
  const value = Object.fromEntries([...alphabet].map((sign, i) => [sign, i]));

  // One layer: heads of rows of weights. A causal row ends at its own token.
  function readLayer(text, part) {
    let at = 0;
    const next = () => {
      const first = value[text[at++]];
      if (first < small) return first / 1000;
      return ((first - small) * base + value[text[at++]] + small) / 1000;
    };
    return data.heads.map(() => part.left.map((_, i) => part.right.map(
      (_, j) => (part.causal && j > i ? 0 : next()))));
  }

  function readVectors([text, scale], size) {
    const rows = [];
    for (let at = 0; at < text.length; at += 2) {
      if (at % (2 * size) === 0) rows.push([]);
      const whole = value[text[at]] * base + value[text[at + 1]] - 1000;
      rows[rows.length - 1].push(whole * scale / 1000);
    }
    return rows;
  }

  function readPart(part) {
    const read = {
      name: part.name, left_text: part.left, right_text: part.right,
      attn: part.weights.map((text) => readLayer(text, part)),
    };
    for (const name of ["queries", "keys"]) {
      if (part[name]) {
        read[name] = part[name].map((layer) => layer.map(
          (head) => readVectors(head, part.d_head)));
      }
    }
    return read;
  }

  // Two sentences: who looks (rows) and at whom (columns).
  function pairs(whole, start) {
    const A = [0, start], B = [start, whole.left_text.length];
    const cut = (name, rows, columns) => {
      const each = (layers, change) => layers && layers.map((l) => l.map(change));
      return {
        name, left_text: whole.left_text.slice(...rows),
        right_text: whole.right_text.slice(...columns),
        attn: each(whole.attn, (head) => head.slice(...rows).map(
          (row) => row.slice(...columns))),
        queries: each(whole.queries, (head) => head.slice(...rows)),
        keys: each(whole.keys, (head) => head.slice(...columns)),
      };
    };
    return [{ ...whole, name: "All" }, cut("Sentence A to A", A, A),
      cut("Sentence B to B", B, B), cut("Sentence A to B", A, B),
      cut("Sentence B to A", B, A)];
  }

  const parts = data.parts.map(readPart);
  const isCausal = data.parts[0].causal;
  // bertviz's neuron view takes a token's place for its row: of a causal model, only
  // the whole is drawn right.
  const isPair = data.second && !(isCausal && data.view === "neuron");
  window.LLMBookData = {
    ...data, isCausal, parts: isPair ? pairs(parts[0], data.second) : parts,
  };
})();
