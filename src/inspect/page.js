// The figures, in the order of a chapter: what the model says, what it listens to, what happens inside.
//   render_look(document.getElementById("look"), json);   // the JSON of rondo look --json, or of POST /v1/look

const of_kind = (kind) => (entry) => entry.json.kind === kind;
const kFigures = [
  {
    name: "prediction",
    title: "What it says, token by token",
    has: of_kind("classifier"),
    make: classifier_says,
    caption:
        "The probability of each label after every prefix of the text, as if the text ended there. A jump shows the word that decided."
  },
  {
    name: "tags",
    title: "The tags and their rivals",
    has: of_kind("tagger"),
    make: tagger_says,
    caption:
        "Above, the best sequence of tags. Below, the probability of every tag of every word by itself: a column with one bright cell is certain, one with several is not."
  },
  {
    name: "translation",
    title: "What it wrote",
    has: of_kind("translator"),
    make: translator_says,
    caption: "The translation with the best score of the beam."
  },
  {
    name: "alternatives",
    title: "What could have come next",
    has: (entry) => Boolean(entry.json.alternatives && entry.json.alternatives.length),
    make: next_tokens,
    caption:
        "Below each token: the one that came next, then the most probable ones. The token that came is framed. The line shows the surprise, −log₂ of its probability."
  },
  {
    name: "attention",
    title: "Where it looked",
    has: (entry) => Boolean(entry.json.attention),
    make: attention_matrix,
    caption:
        "A row a token that was written, a column a token that was read: the weight with which the one looked at the other. A row sums to 1."
  },
  {
    name: "beam",
    title: "The ways not taken",
    has: (entry) => Boolean(entry.json.beam && entry.json.beam.length),
    make: beam_figure,
    caption:
        "The hypotheses that beam search kept at each step, the best on top, with lines to what each goes on from. The chosen one is drawn strong; a thick frame is finished."
  },
  {
    name: "connectivity",
    title: "What it listens to",
    has: (entry) => Boolean(entry.json.connectivity),
    make: connectivity,
    caption:
        "The gradient of the output with respect to each token’s embedding: how much a small change of that token would change what the model says."
  },
  {
    name: "gradient",
    title: "How far back it learns",
    has: (entry) => entry.layers.some((layer) => layer.norms),
    make: gradient_flow,
    caption:
        "The norm of the gradient that arrives at the state of each step, against the distance from the last one that the direction reads; the axis is logarithmic. A straight fall is a vanishing gradient; a line that stays level is a memory."
  },
  {
    name: "states",
    title: "Gates and states",
    has: () => true,
    make: state_maps,
    caption:
        "A column a token, a row a unit. Gates go from 0, shut, to 1, open; states are blue below zero and orange above. Point at a cell for its value; click, or press Enter, to follow its unit below."
  },
  {
    name: "unit",
    title: "One unit along the text",
    has: () => true,
    make: unit_lines,
    caption:
        "The memory of the chosen unit as the colour of each token, then its states and its gates as lines. Choose it by its number here, or in any figure."
  },
  {
    name: "search",
    title: "Find a unit by what it follows",
    has: () => true,
    make: unit_search,
    caption:
        "Pearson’s correlation of every unit on the page with a property of the tokens, strongest first. With few tokens high values come by chance: try a found unit on another text."
  },
  {
    name: "saturation",
    title: "Do gates saturate?",
    has: (entry) => entry.layers.length > 0,
    make: saturation,
    caption:
        "A point a unit: how often its gate is nearly shut (below 0.1), against how often nearly open (above 0.9). Near the upper corner of f are units that never forget, near the right corner ones that keep nothing (after Karpathy, Johnson and Fei-Fei 2015)."
  },
];

const kKinds = {
  classifier: "classifier",
  tagger: "tagger",
  language_model: "language model",
  translator: "translator"
};

function described(entry) {
  const {json} = entry, layers = entry.layers.filter((layer) => layer.json.part === entry.layers[0].json.part);
  const parts = [kKinds[json.kind] || json.kind, json.cell.toUpperCase()];
  if (layers.length)
    parts.push(`${new Set(layers.map((layer) => layer.json.layer)).size} × ${layers[0].json.units}${
        layers.some((layer) => layer.json.reverse) ? " bidirectional" : ""}`);
  return [...parts, json.precision, `${json.tokens.length} tokens`].join(" · ");
}

function chips(entries, shown, change) {
  return element(
      "fieldset", {className: "chips"}, element("legend", {textContent: entries.length > 1 ? "Side by side" : "Shown"}),
      ...entries.map((entry) => {
        const box = element("input", {type: "checkbox", checked: shown.has(entry), disabled: entries.length === 1});
        box.addEventListener("change", () => {
          if (box.checked)
            shown.add(entry);
          else if (shown.size > 1)
            shown.delete(entry);
          box.checked = shown.has(entry);
          change();
        });
        return element(
            "label", {}, box, element("b", {textContent: entry.title()}),
            element("span", {className: "aside", textContent: described(entry)}),
            element("q", {}, element("bdi", {textContent: shortened(one_line(entry.json.text), 160)})));
      }));
}

/// Of entries side by side what differs: models, texts or both.
function heading_of(entry, entries) {
  const differ = (value) => new Set(entries.map(value)).size > 1;
  const texts = differ((one) => one.json.text), models = differ((one) => one.json.model) || !texts;
  return element(
      "h3", {}, ...(models ? [element("b", {textContent: entry.title() + " "})] : []),
      ...(texts ? [element("bdi", {textContent: "“" + shortened(one_line(entry.json.text), 60) + "”"})] : []));
}
const one_line = (text) => text.replace(/\s+/g, " ");

function figure(definition, number, entries) {
  const cells = entries.filter(definition.has).map((entry) => {
    const heading = entries.length > 1 ? [heading_of(entry, entries)] : [];
    return element(
        "div", {className: "entry", "data-entry": entry.index}, ...heading, ...definition.make(entry, entries));
  });
  const grid = element("div", {className: "cells"}, ...cells);
  grid.style.setProperty("--across", Math.min(3, cells.length));
  const label = `look-figure-${number}`;
  const node = element(
      "section", {className: "figure", "aria-labelledby": label},
      element("h2", {id: label}, element("span", {className: "count", textContent: `${number}`}), definition.title),
      element("p", {className: "caption", textContent: definition.caption}), grid);
  node.dataset.figure = definition.name;
  return node;
}

function theme_button() {
  const button = element("button", {
    type: "button",
    className: "theme",
    textContent: "◐ Light or dark",
    "aria-label": "Switch between light and dark"
  });
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = is_dark() ? "light" : "dark";
  });
  return button;
}

/// Draws all figures of a look's JSON into `root`, in place of what it holds.
function render_look(root, json, {heading = true} = {}) {
  root.classList.add("look");
  const entries = json.entries.map((one, i) => new Entry(one, i)), shown = new Set(entries.slice(0, 3));
  const figures = element("div");
  const draw = () => {
    const chosen = entries.filter((entry) => shown.has(entry));
    for (const entry of chosen) entry.listeners = [];
    figures.replaceChildren(
        ...kFigures.filter((one) => chosen.some(one.has)).map((one, i) => figure(one, i + 1, chosen)));
  };
  const notes = (json.notes || []).map((text) => aside(text));
  const head = heading ? [element("header", {}, element("h1", {textContent: "A look inside"}), theme_button())] : [];
  root.replaceChildren(...head, chips(entries, shown, draw), ...notes, figures);
  draw();
}
