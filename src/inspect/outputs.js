// What a model of each kind says: predictions, tags, alternatives, a translation with its attention and beam.

const step_name = (tokens) => (step) => `token ${step + 1} “${visible(tokens[step])}”`;

/// Tokens as running text; between words of a tokenizer that drops spaces there is one.
function token_text(tokens, what) {
  const spaced = !tokens.some((token) => /\s/.test(token) || token.startsWith("▁")) &&
      tokens.some((token) => Array.from(token).length > 1);
  const line = element(
      "div", {className: spaced ? "tokens spaced" : "tokens", tabIndex: 0, role: "listbox", "aria-label": what.label});
  const spans = tokens.map((token, t) => {
    const shown = token.startsWith("▁") ? " " + token.slice(1) : spaced || token.trim() === "" ? visible(token) : token;
    const span = element("bdi", {
      textContent: token === " " ? " " : shown,
      role: "option",
      id: `look-token-${token_text.made++}`,
      "aria-label": `${visible(token)}, ${what.say(t)}`
    });
    span.addEventListener("pointerenter", (event) => tell(t, event.clientX, event.clientY));
    line.append(span, ...(token.includes("\n") ? [element("br")] : spaced ? [" "] : []));
    return span;
  });
  let at = -1;
  function tell(t, x, y) {
    at = t;
    line.setAttribute("aria-activedescendant", spans[t].id);
    note.show(x, y, visible(tokens[t]), what.say(t));
    if (what.point) what.point(t);
  }
  const leave = () => {
    note.hide();
    if (what.point) what.point(null);
  };
  line.addEventListener("pointerleave", leave);
  line.addEventListener("blur", leave);
  line.addEventListener("keydown", (event) => {
    const move = {ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity}[event.key];
    if (!move || !tokens.length) return;
    event.preventDefault();
    const t = Math.max(0, Math.min(tokens.length - 1, at + move)), box = spans[t].getBoundingClientRect();
    tell(t, box.left, box.bottom);
  });
  const colour = () => spans.forEach((span, t) => paint(span, what.colour(t)));
  const mark = (t) => spans.forEach((span, i) => span.classList.toggle("at", i === t));
  colour();
  on_theme(line, colour);
  return {node: line, mark};
}
token_text.made = 0;

/// A number a token as coloured text, weakest to strongest.
function strengths(entry, tokens, values, label, signed) {
  const most = Math.max(...values.map(Math.abs), 1e-30), kind = signed ? "diverging" : "strength",
        domain = [signed ? -most : 0, most];
  const text = token_text(tokens, {
    label,
    say: (t) => exact(values[t]),
    colour: (t) => colour_of(colour_table(kind), values[t], domain),
    point: (token) => entry.point(tokens, token)
  });
  entry.listen(() => text.mark(entry.pointed_in(tokens)));
  const plain = (value) => (value === 0 ? "0" : with_minus(value.toPrecision(2)));
  return element(
      "div", {className: "row"}, text.node, colour_bar(kind, domain, {low: plain(domain[0]), high: plain(domain[1])}));
}

function strongest_labels(values, steps, labels, most) {
  const peak = labels.map((_, k) => Math.max(...Array.from({length: steps}, (_, t) => values[t * labels.length + k])));
  const last = labels.map((_, k) => values[(steps - 1) * labels.length + k]);
  return labels.map((_, k) => k).sort((a, b) => peak[b] - peak[a]).slice(0, most).sort((a, b) => last[b] - last[a]);
}

function prediction_lines(entry) {
  const {tokens, labels} = entry.json, values = decode(entry.json.predictions);
  const shown = strongest_labels(values, tokens.length, labels, 6);
  const lines = shown.map((k, i) => ({
                            name: shortened(labels[k], 30),
                            colour: line_colour(i),
                            dash: kDashes[i],
                            width: i ? 1.6 : 2.6,
                            values: tokens.map((_, t) => values[t * labels.length + k])
                          }));
  const chart = new LineChart({
    label: "Probability of the labels after each token",
    lines,
    steps: tokens.length,
    step_name: step_name(tokens),
    domain: [0, 1],
    ticks: [[0, "0"], [0.5, "0.5"], [1, "1"]],
    height: 190,
    point: (token) => entry.point(tokens, token)
  });
  entry.listen(() => chart.mark(entry.pointed_in(tokens)));
  const parts = [line_legend(lines), chart.node, indented(token_axis(tokens))];
  if (shown.length < labels.length)
    parts.push(aside(`${labels.length - shown.length} less probable labels are not drawn.`));
  parts.push(table_of(
      "Probabilities as a table", () => ["token", ...labels],
      () => tokens.map((token, t) => [visible(token), ...labels.map((_, k) => exact(values[t * labels.length + k]))])));
  return parts;
}
function indented(axis) {
  axis.classList.add("indented");
  return axis;
}

function outcome_bars(entry) {
  const {labels, output} = entry.json;
  const values = decode(output);
  const order = labels.map((_, k) => k).sort((a, b) => values[b] - values[a]).slice(0, 5);
  return element("ul", {className: "outcome", "aria-label": "The most probable labels"}, ...order.map((k) => {
    const fill = element("i");
    fill.style.width = (values[k] * 100).toFixed(1) + "%";
    return element(
        "li", {}, element("span", {textContent: shortened(labels[k], 40)}),
        element("span", {className: "track", "aria-hidden": "true"}, fill),
        element("span", {className: "number", textContent: values[k].toFixed(3), title: exact(values[k])}));
  }));
}

function classifier_says(entry) {
  const parts = entry.json.output ? [outcome_bars(entry)] : [];
  if (entry.json.predictions && entry.json.tokens.length) return [...parts, ...prediction_lines(entry)];
  return [
    ...parts,
    aside(
        entry.json.tokens.length ?
            "This text is too long for a prediction after each token, which would cost the square of its length." :
            "An empty text has no tokens.")
  ];
}

function matrix(entry, what) {
  const {rows, columns, values, row_names, column_names, domain, map, label, of} = what;
  const heat = new HeatMap({
    label,
    rows,
    columns,
    value: (row, column) => values[row * columns + column],
    map,
    domain,
    gutter: row_names,
    least_column: 12,
    most_column: 56,
    row_name: (row) => `${of[0]} ${visible(row_names[row])}`,
    column_name: (column) => `${of[1]} ${visible(column_names[column])}`,
    height: Math.max(40, Math.min(rows * 20, 560)),
    point: (token) => entry.point(column_names, token)
  });
  entry.listen(() => heat.mark_column(entry.pointed_in(column_names)));
  const axis = token_axis(column_names);
  axis.style.maxWidth = heat.face.style.maxWidth;
  heat.face.after(axis);
  return [
    colour_bar(map, domain), heat.node,
    table_of(
        "Values as a table", () => ["", ...column_names.map(visible)],
        () => row_names.map(
            (name, row) => [visible(name), ...column_names.map((_, column) => exact(values[row * columns + column]))]))
  ];
}

function tagger_says(entry) {
  if (!entry.json.tokens.length) return [aside("An empty text has no words.")];
  const {tokens, labels, tags} = entry.json, marginals = decode(entry.json.predictions);
  const kinds = [...new Set(labels.filter((label) => label !== "O").map((label) => label.replace(/^[BIES]-/, "")))];
  const line = element("div", {className: "tagged"}, ...tokens.map((token, t) => {
    const word = element("span", {className: "word"}, element("bdi", {textContent: visible(token)}));
    if (tags[t] !== "O") {
      word.style.borderColor = line_colour(kinds.indexOf(tags[t].replace(/^[BIES]-/, "")));
      word.append(element("small", {textContent: tags[t]}));
    }
    return word;
  }));
  const turned = new Float32Array(marginals.length);  // tags down, words across
  for (let t = 0; t < tokens.length; ++t)
    for (let k = 0; k < labels.length; ++k) turned[k * tokens.length + t] = marginals[t * labels.length + k];
  return [
    line, ...matrix(entry, {
      rows: labels.length,
      columns: tokens.length,
      values: turned,
      row_names: labels,
      column_names: tokens,
      domain: [0, 1],
      map: "gate",
      label: "Probability of each tag of each word",
      of: ["tag", "word"]
    })
  ];
}

function alternatives_table(entry) {
  const {alternatives, next_probabilities} = entry.json, [read, came] = read_and_came(entry);
  const ranks = Math.max(0, ...alternatives.map((list) => list.length)), coloured = [];
  const cell = (tag, token, probability, framed) => {
    const made =
        element(tag, {className: framed ? "came" : ""}, element("bdi", {textContent: shortened(visible(token), 12)}));
    if (probability === undefined) return made;
    made.title = exact(Math.fround(probability));
    made.append(element("small", {textContent: probability.toFixed(2)}));
    coloured.push([made, probability]);
    return made;
  };
  const row_head = (text) => element("th", {scope: "row", textContent: text});
  const rows = Array.from(
      {length: ranks},
      (_, rank) => element(
          "tr", {}, row_head(`${rank + 1}.`),
          ...alternatives.map(
              (list, t) =>
                  (list[rank] ? cell("td", list[rank].token, list[rank].probability, list[rank].token === came[t]) :
                                element("td")))));
  const table = element(
      "table", {},
      element("thead", {}, element("tr", {}, row_head("read"), ...alternatives.map((_, t) => cell("th", read[t])))),
      element(
          "tbody", {},
          element(
              "tr", {}, row_head("came"),
              ...alternatives.map(
                  (_, t) =>
                      (t < came.length ? cell("td", came[t], next_probabilities[t], true) :
                                         element("td", {textContent: "?"})))),
          ...rows));
  const node = element(
      "div", {
        className: "scroll-x guesses",
        tabIndex: 0,
        role: "region",
        "aria-label": "What could have come next, step by step"
      },
      table);
  const colour = () => coloured.forEach(
      ([one, probability]) => paint(one, colour_of(colour_table("strength"), Math.sqrt(probability), [0, 1])));
  colour();
  on_theme(node, colour);
  return [colour_bar("strength", [0, 1], {low: "probability 0", high: "1 (by its square root)"}), node];
}

function surprise_line(entry) {
  const [read, came] = read_and_came(entry),
               surprises = entry.json.next_probabilities.map((probability) => -Math.log2(Math.max(probability, 1e-30)));
  const most = Math.max(1, ...surprises),
        lines = [{name: "surprise in bits", values: surprises, colour: line_colour(0)}];
  const name = (t) => `after “${visible(read[t])}”${t < came.length ? ` came “${visible(came[t])}”` : ""}`;
  const chart = new LineChart({
    label: "Surprise at the token that came, in bits",
    lines,
    steps: read.length,
    domain: [0, most],
    height: 110,
    ticks: [[0, "0"], [most, most.toFixed(1)]],
    step_name: name
  });
  return [line_legend(lines), chart.node, indented(token_axis(read))];
}

/// What each step has read, and what came then: of a translator that which it wrote.
function read_and_came(entry) {
  const {kind, tokens, target_tokens} = entry.json;
  return kind === "translator" ? [["(start)", ...target_tokens.slice(0, -1)], target_tokens] :
                                 [tokens, tokens.slice(1)];
}
function next_tokens(entry) { return [...alternatives_table(entry), ...surprise_line(entry)]; }

function translator_says(entry) {
  return [element("blockquote", {}, element("bdi", {textContent: entry.json.translation || "(nothing)"}))];
}
function attention_matrix(entry) {
  const {tokens, target_tokens, kind} = entry.json, values = decode(entry.json.attention);
  const names = kind === "translator" ? target_tokens : ["weight"];
  return [...matrix(entry, {
    rows: names.length,
    columns: tokens.length,
    values,
    row_names: names,
    column_names: tokens,
    domain: kind === "translator" ? [0, 1] : [0, Math.max(...values)],
    map: "gate",
    label: "Attention weights",
    of: [kind === "translator" ? "writing" : "", "reading"]
  })];
}
function beam_figure(entry) {
  const {beam} = entry.json;
  let chosen = [-1, -1], best = -Infinity;
  beam.forEach((kept, step) => kept.forEach((one, rank) => {
    if (one.finished && one.score > best) [best, chosen] = [one.score, [step, rank]];
  }));
  if (chosen[0] < 0) chosen = [beam.length - 1, 0];
  const tree = beam_tree(beam, chosen, `Beam search, ${beam.length} steps`);
  return [
    element("div", {className: "scroll-x", tabIndex: 0, role: "region", "aria-label": "Beam search"}, tree),
    table_of(
        "The beam as a table", () => ["step", "rank", "token", "goes on from", "log probability", "score", ""],
        () => beam.flatMap(
            (kept, step) => kept.map(
                (one, rank) =>
                    [step + 1, rank + 1, visible(one.token), one.parent < 0 ? "" : one.parent + 1,
                     exact(one.log_probability), exact(one.score), one.finished ? "finished" : ""])))
  ];
}
