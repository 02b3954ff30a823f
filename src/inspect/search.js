// Which unit follows a property of the tokens? The correlation of every unit of every layer with it.

const plain_token = (token) => token.replace(/^▁/, "");

/// True from an opening sign to its closing one, both included.
function between(tokens, opens, closes) {
  let depth = 0;
  return tokens.map((token) => {
    let inside = depth > 0;
    for (const sign of plain_token(token) === "``" ? ["“"] : plain_token(token) === "''" ? ["”"] : plain_token(token)) {
      if (opens.includes(sign) && closes.includes(sign))
        depth = depth ? 0 : 1;
      else if (opens.includes(sign))
        ++depth;
      else if (closes.includes(sign))
        depth = Math.max(0, depth - 1);
      else
        continue;
      inside = true;
    }
    return inside;
  });
}
const each = (test) => (tokens) => tokens.map((token) => test(plain_token(token)));

const kProperties = {
  "inside quotes": (tokens) => between(tokens, "\"“„«", "\"”“»".replace("“", "")),
  "inside brackets": (tokens) => between(tokens, "([{", ")]}"),
  "capital letter": each((token) => /^\p{Lu}/u.test(token)),
  digit: each((token) => /\p{Nd}/u.test(token)),
  punctuation: each((token) => /^[\p{P}\p{S}]+$/u.test(token)),
  "end of a sentence": each((token) => /[.!?…。]["”’)]*$|^<\/s>$/u.test(token)),
  "start of a word": (tokens) => tokens.map(
      (token, t) =>
          token.startsWith("▁") || (/^[\p{L}\p{N}]/u.test(token) && (t === 0 || /(\s|<\/s>)$/.test(tokens[t - 1])))),
  "length of the token": each((token) => Array.from(token).length),
  "position in the text": (tokens) => tokens.map((_, t) => t),
};

/// [{ layer, unit, r, values }], strongest first.
function followers(entry, name, property, most) {
  const found = [];
  entry.layers.forEach((layer, at) => {
    const series = layer.find(name);
    if (!series) return;
    const wanted = normalised(property(layer.tokens).map(Number));
    for (const unit of series.units) {
      const r = dot(wanted, normalised(series.unit(unit)));
      if (r !== 0) found.push({layer: at, unit, r});
    }
  });
  return found.sort((a, b) => Math.abs(b.r) - Math.abs(a.r)).slice(0, most);
}

function strip(values, kind, domain, label) {
  const canvas =
      element("canvas", {width: values.length || 1, height: 1, className: "strip", role: "img", "aria-label": label});
  const draw = () => {
    const table = colour_table(kind), context = canvas.getContext("2d");
    values.forEach((value, t) => {
      context.fillStyle = `rgb(${colour_of(table, value, domain).join(" ")})`;
      context.fillRect(t, 0, 1, 1);
    });
  };
  draw();
  on_theme(canvas, draw);
  return canvas;
}

function ranked_row(entry, found, name) {
  const layer = entry.layers[found.layer], series = layer.find(name), values = series.unit(found.unit),
        most = Math.max(...values.map(Math.abs), 1e-6);
  const bar = element("span", {className: found.r < 0 ? "r negative" : "r", "aria-hidden": "true"}, element("i"));
  bar.firstChild.style.width = 50 * Math.abs(found.r) + "%";
  const button = element(
      "button", {type: "button", className: "found"},
      element("span", {textContent: `${layer.name()}, unit ${found.unit}`}), bar,
      element("span", {className: "number", textContent: (found.r < 0 ? "−" : "+") + Math.abs(found.r).toFixed(3)}),
      strip(values, series.map, series.role === "gate" ? [0, 1] : [-most, most], `${name} along the text`));
  button.addEventListener("click", () => entry.choose({layer: found.layer, unit: found.unit}));
  return element("li", {}, button);
}

/// What was searched for, over the text that the first ranked layer reads.
function searched(entry, property) {
  const tokens = entry.current() ? entry.current().tokens : entry.json.tokens, values = property(tokens).map(Number);
  const domain = [Math.min(...values), Math.max(...values)];
  return element(
      "li", {className: "found property"}, element("span", {textContent: "the property"}), element("span"),
      element("span"), strip(values, "strength", domain, "The property along the text"));
}

function unit_search(entry) {
  const names = [...new Set(entry.layers.flatMap((layer) => layer.series.map((one) => one.name)))];
  if (!names.length || !entry.json.tokens.length) return [];
  const list = element("ol", {className: "ranking", "aria-label": "Units, strongest correlation first"}),
        told = element("p", {className: "aside", role: "status"});
  const varies = (property) => new Set(property(entry.json.tokens)).size > 1;
  const wanted = {
    property: Object.keys(kProperties).find((name) => varies(kProperties[name])) || "inside quotes",
    pattern: "",
    name: names.includes("c") ? "c" : "h"
  };
  const pattern = element(
      "input", {type: "text", placeholder: "e.g. ^the$", spellcheck: false, "aria-label": "Regular expression"});
  const find = () => {
    let property = kProperties[wanted.property];
    pattern.hidden = wanted.property !== "pattern";
    if (wanted.property === "pattern") {
      try {
        const expression = new RegExp(wanted.pattern || "(?!)", "u");
        property = each((token) => expression.test(token));
      } catch (error) {
        told.textContent = "This is no regular expression: " + error.message;
        return;
      }
    }
    const found = followers(entry, wanted.name, property, 8);
    told.textContent = found.length ? "" : "It is the same for all tokens of this text, so no unit can follow it.";
    list.replaceChildren(
        ...(found.length ? [searched(entry, property)] : []),
        ...found.map((one) => ranked_row(entry, one, wanted.name)));
  };
  pattern.addEventListener("input", () => {
    wanted.pattern = pattern.value;
    find();
  });
  const controls = element(
      "div", {className: "controls"},
      picker(
          "Which unit follows",
          [...Object.keys(kProperties).map((name) => [name, name]), ["pattern", "tokens that match …"]],
          wanted.property,
          (chosen) => {
            wanted.property = chosen;
            find();
            if (chosen === "pattern") pattern.focus();
          }),
      pattern,
      picker(
          "by its", names.map((name) => [name, `${name} ${kMeanings[name] ? kMeanings[name][0] : ""}`]), wanted.name,
          (chosen) => {
            wanted.name = chosen;
            find();
          }));
  find();
  return [controls, told, list];
}
