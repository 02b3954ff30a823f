// What happens inside: heat maps of gates and states, one unit along the text, saturation, the flow of the gradient.

/// Units in another order: like ones together, or by their mean. Places in the series.
function unit_order(series, kind) {
  const places = Array.from({length: series.width}, (_, place) => place);
  if (kind === "mean") {
    const mean = places.map((place) => series.unit(series.units[place]).reduce((sum, value) => sum + value, 0));
    return places.sort((a, b) => mean[b] - mean[a]);
  }
  return kind === "similar" ? chained(series) : places;
}
// From the liveliest on, always to the one that is most like the last.
function chained(series) {
  const columns = series.units.map((unit) => normalised(series.unit(unit)));
  const left = new Set(columns.keys()), order = [];
  let at = series.places.get(liveliest(series)) ?? 0;
  while (left.size) {
    left.delete(at);
    order.push(at);
    let next = -1, most = -Infinity;
    for (const other of left) {
      const likeness = dot(columns[at], columns[other]);
      if (likeness > most) [next, most] = [other, likeness];
    }
    at = next;
  }
  return order;
}
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; ++i) sum += a[i] * b[i];
  return sum;
}
/// Mean 0 and length 1, so that a dot product is a correlation; all 0 if nothing varies.
function normalised(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = values.map((value) => value - mean), length = Math.sqrt(dot(centred, centred));
  return length < 1e-9 * (Math.abs(mean) + 1e-3) ? centred.map(() => 0) : centred.map((value) => value / length);
}

function one_map(entry, layer, series, order) {
  const places = order(series), rows = places.length, domain = series.domain();
  const [title, meaning] = kMeanings[series.name] || [series.role, ""];
  const heat = new HeatMap({
    label: `${title} ${series.name}, ${layer.name()}: ${rows} units over ${
        layer.tokens.length} tokens; arrow keys move, Enter chooses the unit`,
    series: series.name,
    rows,
    columns: layer.tokens.length,
    value: (row, step) => series.at(step, places[row]),
    map: series.map,
    domain,
    row_name: (row) => `unit ${series.units[places[row]]}`,
    row_number: (row) => series.units[places[row]],
    column_name: step_name(layer.tokens),
    height: Math.max(Math.min(rows * 14, 120), Math.min(rows * 3.2, 320)),
    start_row: () => places.indexOf(series.places.get(entry.unit) ?? 0),
    point: (token) => entry.point(layer.tokens, token),
    pick: (row) => entry.choose({unit: series.units[places[row]]})
  });
  heat.face.after(token_axis(layer.tokens));
  const mark = () => {
    const place = series.places.get(entry.unit);
    heat.mark_row(place === undefined ? null : places.indexOf(place));
  };
  mark();
  const node = element(
      "div", {className: "map"},
      element(
          "h4", {}, element("b", {textContent: series.name}), ` ${title}`,
          element("span", {className: "aside", textContent: meaning}),
          colour_bar(series.map, domain, series.ends(domain))),
      heat.node,
      table_of(
          "Values as a table", () => ["token", ...series.units.map((unit) => `unit ${unit}`)],
          () => layer.tokens.map(
              (token, t) => [visible(token), ...series.units.map((_, place) => exact(series.at(t, place)))])));
  node.dataset.series = series.name;
  return {node, mark, heat};
}

/// Which layer, and in which order units stand.
function state_maps(entry) {
  if (!entry.current() || !entry.current().tokens.length) return [aside("An empty text has no steps.")];
  const maps = element("div", {className: "maps"});
  let kind = "stored", drawn_maps = [];
  const fill = () => {
    const layer = entry.current(), orders = new Map();
    const order = (series) => {  // units of one layer stand in the same order in all its maps
      if (!orders.has(series.width))
        orders.set(series.width, unit_order(layer.memory().width === series.width ? layer.memory() : series, kind));
      return orders.get(series.width);
    };
    drawn_maps = layer.series.map((series) => one_map(entry, layer, series, order));
    maps.replaceChildren(...drawn_maps.map((map) => map.node));
  };
  const tabs = radio_row(
      "Layer", entry.layers.map((layer, i) => [i, layer.name()]), entry.layer, (layer) => entry.choose({layer}));
  entry.listen(({layer, unit}) => {
    if (layer) {
      tabs.set(entry.layer);
      fill();
    }
    for (const map of drawn_maps) {
      if (unit) map.mark();
      map.heat.mark_column(entry.pointed_in(entry.current().tokens));
    }
  });
  fill();
  const sort = picker(
      "Units", [["stored", "in the model's order"], ["similar", "like ones together"], ["mean", "by their mean"]], kind,
      (chosen) => {
        kind = chosen;
        fill();
      });
  return [element("div", {className: "controls"}, tabs, sort), maps];
}

/// One unit: its memory as coloured text, its states and its gates as lines.
function unit_lines(entry) {
  if (!entry.current() || !entry.current().tokens.length) return [];
  const place = element("div"), number = element("input", {type: "number", min: 0, "aria-label": "Unit"});
  number.addEventListener("change", () => {
    const units = entry.current().memory().units, wanted = Number(number.value);
    entry.choose({
      unit: units.reduce((best, unit) => (Math.abs(unit - wanted) < Math.abs(best - wanted) ? unit : best), units[0])
    });
  });
  const where = element("span", {className: "where", role: "status"});
  let charts = [], text = null;
  const fill = () => {
    const layer = entry.current(), series = layer.memory(), values = series.unit(entry.unit);
    number.value = entry.unit;
    where.textContent = ` of ${layer.json.units}, ${layer.name()}`;
    if (!values) return place.replaceChildren(aside("This unit is not on the page."));
    const most = Math.max(...values.map(Math.abs), 1e-6);
    text = token_text(layer.tokens, {
      label: `${series.name} of unit ${entry.unit}, token by token`,
      say: (t) => `${series.name} = ${exact(values[t])}`,
      colour: (t) => colour_of(colour_table("diverging"), values[t], [-most, most]),
      point: (token) => entry.point(layer.tokens, token)
    });
    charts =
        [["cell"], ["candidate", "hidden"], ["gate"]].map((roles) => unit_chart(entry, layer, roles)).filter(Boolean);
    place.replaceChildren(
        element("div", {className: "row"}, text.node, colour_bar("diverging", [-most, most])),
        ...charts.flatMap(({legend, chart}) => [legend, chart.node]), indented(token_axis(layer.tokens)),
        table_of(
            "Values as a table", () => ["token", ...layer.series.map((one) => one.name)],
            () => layer.tokens.map((token, t) => [visible(token), ...layer.series.map((one) => {
                                     const all = one.unit(entry.unit);
                                     return all ? exact(all[t]) : "";
                                   })])));
  };
  entry.listen(({unit}) => {
    if (unit) fill();
    const at = entry.pointed_in(entry.current().tokens);
    for (const {chart} of charts) chart.mark(at);
    if (text) text.mark(at);
  });
  fill();
  return [element("div", {className: "controls"}, element("label", {}, "Unit ", number, where)), place];
}
// Apart by what they are: a cell that counts far would press the others flat.
function unit_chart(entry, layer, roles) {
  const dashes = {o: "7 3", i: "2 3", g: "2 3", n: "2 3", r: "2 3"};
  const lines = layer.series.filter((one) => roles.includes(one.role) && one.unit(entry.unit))
                    .map((one) => ({
                           name: `${one.name} ${one.title()}`,
                           values: one.unit(entry.unit),
                           colour: line_colour(kSeriesColours[one.name] ?? 0),
                           dash: dashes[one.name],
                           width: one.role === "cell" ? 2.6 : 1.7
                         }));
  if (!lines.length) return null;
  const gates = roles.includes("gate"), most = Math.max(1, ...lines.flatMap((line) => line.values.map(Math.abs)));
  const end = most.toPrecision(2);
  const chart = new LineChart({
    label: `${roles.join(" and ")} of unit ${entry.unit} along the text`,
    lines,
    steps: layer.tokens.length,
    step_name: step_name(layer.tokens),
    domain: gates ? [0, 1] : [-most, most],
    ticks: gates ? [[0, "0"], [1, "1"]] : [[-most, "−" + end], [0, "0"], [most, end]],
    height: 92,
    point: (token) => entry.point(layer.tokens, token)
  });
  return {legend: line_legend(lines), chart};
}

/// For each unit: the share of steps at which its gate is nearly shut against that at which it is nearly open.
function saturation(entry) {
  const gates = [...new Set(
      entry.layers.flatMap((layer) => layer.series.filter((one) => one.role === "gate").map((one) => one.name)))];
  if (!gates.length) return [aside("This cell has no gates.")];
  const lines = entry.layers.map((layer, i) => ({name: layer.name(), colour: line_colour(i), width: 6}));
  const squares = gates.map(
      (name) => element(
          "div", {className: "square"},
          element("h4", {}, element("b", {textContent: name}), ` ${kMeanings[name] ? kMeanings[name][0] : ""}`),
          scatter({
            label: `${
                name}: share of steps nearly shut against nearly open, a point a unit; arrow keys go from unit to unit`,
            x_title: `% of steps below 0.1`,
            y_title: `% of steps above 0.9`,
            points: entry.layers.flatMap(
                (layer, i) =>
                    shut_and_open(layer.find(name)).map(({unit, low, high}) => ({
                                                          x: low,
                                                          y: high,
                                                          colour: line_colour(i),
                                                          title: `${layer.name()}, unit ${unit}`,
                                                          lines: [
                                                            `below 0.1 at ${(100 * low).toFixed(1)} % of steps`,
                                                            `above 0.9 at ${(100 * high).toFixed(1)} %`
                                                          ],
                                                          pick: () => entry.choose({layer: i, unit})
                                                        })))
          })));
  const rows = () => entry.layers.flatMap(
      (layer) => gates.flatMap(
          (name) =>
              shut_and_open(layer.find(name))
                  .map(({unit,
                         low,
                         high}) => [layer.name(), name, unit, exact(Math.fround(low)), exact(Math.fround(high))])));
  return [
    line_legend(lines), element("div", {className: "squares"}, ...squares),
    table_of("Shares as a table", () => ["layer", "gate", "unit", "below 0.1", "above 0.9"], rows)
  ];
}
/// Of all units where the file tells them, else of those that are on the page.
function shut_and_open(series) {
  if (!series || !series.steps) return [];
  if (series.low) return Array.from(series.low, (low, unit) => ({unit, low, high: series.high[unit]}));
  return series.units.map((unit) => {
    const values = series.unit(unit);
    return {
      unit,
      low: values.filter((value) => value < 0.1).length / values.length,
      high: values.filter((value) => value > 0.9).length / values.length
    };
  });
}

// Norms by the distance from the step that the direction reads last.
function norms_back(entry) {
  return entry.layers.filter((layer) => layer.norms && layer.norms.length).map((layer, i) => ({
                                                                                 name: layer.name(),
                                                                                 colour: line_colour(i),
                                                                                 dash: kDashes[i % kDashes.length],
                                                                                 values: layer.json.reverse ?
                                                                                     [...layer.norms] :
                                                                                     [...layer.norms].reverse()
                                                                               }));
}

/// How much of the gradient arrives how far back, a line a layer; entries side by side have one axis.
function gradient_flow(entry, entries) {
  const lines = norms_back(entry), steps = Math.max(0, ...lines.map((line) => line.values.length));
  const all = entries.flatMap(norms_back).flatMap((line) => line.values.filter((value) => value > 0));
  if (!all.length || !steps) return [aside("No gradient arrives at any step.")];
  const high = 10 ** Math.ceil(Math.log10(all.reduce((a, b) => Math.max(a, b))) - 1e-9);
  const low = Math.max(10 ** Math.floor(Math.log10(all.reduce((a, b) => Math.min(a, b))) + 1e-9), high * 1e-12);
  const chart = new LineChart({
    label: "Norm of the gradient at each distance, layer by layer, on a logarithmic axis",
    lines,
    steps,
    step_name: (distance) => `${distance} steps back`,
    domain: [low, high > low ? high : 10 * low],
    log: true,
    height: 200
  });
  const ticks = element(
      "div", {className: "distances", "aria-hidden": "true"}, element("span", {textContent: "0"}),
      element("span", {textContent: "steps back →"}), element("span", {textContent: String(steps - 1)}));
  const row = (back) => [back, ...lines.map((line) => (back < line.values.length ? exact(line.values[back]) : ""))];
  return [
    line_legend(lines), chart.node, ticks,
    table_of(
        "Norms as a table", () => ["steps back", ...lines.map((line) => line.name)],
        () => Array.from({length: steps}, (_, back) => row(back)))
  ];
}

function connectivity(entry) {
  const {json} = entry, place = element("div");
  const measures = {
    norm: strengths(entry, json.tokens, json.connectivity, "Norm of the gradient of each token", false),
    signed: strengths(entry, json.tokens, json.contribution, "Gradient times input of each token", true)
  };
  const choice = radio_row(
      "Measure", [["norm", "how strongly: norm"], ["signed", "which way: gradient · input"]], "norm", (kind) => {
        place.replaceChildren(measures[kind]);
        theme_changed();  // it may have been away when the page turned light or dark
      });
  place.replaceChildren(measures.norm);
  const parts = [aside(`Gradient of ${json.gradient_of}.`), element("div", {className: "controls"}, choice), place];
  if (json.target_connectivity && json.target_connectivity.length) {
    parts.push(
        element("h4", {textContent: "Likewise, of what the decoder read of its own words"}),
        strengths(
            entry, read_and_came(entry)[0], json.target_connectivity, "Norm of the gradient of each target token",
            false));
  }
  parts.push(table_of(
      "Numbers as a table", () => ["token", "norm", "gradient · input"],
      () => json.tokens.map((token, t) => [visible(token), exact(json.connectivity[t]), exact(json.contribution[t])])));
  return parts;
}
