// One model on one text: the JSON's numbers decoded, and what a person has chosen of them.

const kMeanings = {
  i: ["input gate", "how much is written"],
  f: ["forget gate", "how much is kept"],
  o: ["output gate", "how much is shown"],
  g: ["candidate", "what would be written"],
  c: ["cell", "the memory"],
  h: ["hidden state", "what is passed on"],
  r: ["reset gate", "how much past is seen"],
  z: ["update gate", "how much past stays"],
  n: ["candidate", "what would be written"],
};
const kRoles = ["gate", "candidate", "cell", "hidden"];  // as they stand in figures
const kSeriesColours = {
  i: 0,
  r: 0,
  f: 1,
  z: 1,
  o: 2,
  g: 4,
  n: 4,
  c: 6,
  h: 3
};

function decode(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

/// The shortest decimal that is this float32 and no other.
function exact(value) {
  for (let digits = 1; digits < 9; ++digits) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) return String(text);
  }
  return String(value);
}
const with_minus = (value) => String(value).replace("-", "−");
const brief = (value) => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(1) : value.toFixed(3));

/// A token so that a person sees it.
const visible = (token) => {
  const shown = token.replace(/\n/g, "⏎")
                    .replace(/\t/g, "⇥")
                    .replace(/\r/g, "␍")
                    .replace(/^ +| +$/g, (s) => "␣".repeat(s.length));
  return shown === "" ? "∅" : shown;
};
const shortened = (text, most) => {
  const letters = Array.from(text);
  return letters.length > most ? letters.slice(0, most - 1).join("") + "…" : text;
};

class Series {
  constructor(json, steps) {
    this.name = json.name;
    this.role = json.role;
    this.steps = steps;
    this.values = decode(json.values);
    this.width = steps ? this.values.length / steps : 0;
    this.units = json.units || Array.from({length: this.width}, (_, unit) => unit);  // their numbers in the layer
    this.places = new Map(this.units.map((unit, place) => [unit, place]));
    this.low = json.low && decode(json.low);
    this.high = json.high && decode(json.high);
    this.map = this.role === "gate" ? "gate" : "diverging";
  }
  title() { return kMeanings[this.name] ? kMeanings[this.name][0] : this.role; }
  at(step, place) { return this.values[step * this.width + place]; }
  /// One unit along the text, or nothing if the page has not got it.
  unit(unit) {
    const place = this.places.get(unit);
    return place === undefined ? null : Array.from({length: this.steps}, (_, step) => this.at(step, place));
  }
  /// What the colours span: 0 to 1 of gates, -1 to 1 of what tanh made, else to where 99 in 100 values lie on both sides
  /// of 0, for a few cells that count far would leave all others pale.
  domain() {
    if (this.role === "gate") return [0, 1];
    const sizes = this.values.map(Math.abs).sort();
    if (this.role !== "cell" && !(sizes[sizes.length - 1] > 1)) return [-1, 1];
    const most = sizes[Math.floor(0.99 * (sizes.length - 1))] || 1;
    this.clipped = most < sizes[sizes.length - 1];
    return [-most, most];
  }
  /// The ends of a legend in words, where values lie beyond.
  ends([low, high]) {
    return this.clipped ? {low: "≤ " + with_minus(Number(low.toPrecision(2))), high: "≥ " + Number(high.toPrecision(2))} : {};
  }
}

class Layer {
  constructor(json, tokens) {
    this.json = json;
    this.tokens = tokens;
    this.series = json.series.map((one) => new Series(one, tokens.length))
                      .sort((a, b) => kRoles.indexOf(a.role) - kRoles.indexOf(b.role));
    this.norms = json.gradient_norms;
  }
  name() {
    const {part, layer, reverse, dimension} = this.json;
    const along = dimension < 0 ? "" : dimension === 0 ? " depth" : " time";
    return `${part ? part + " " : ""}layer ${layer + 1}${along} ${reverse ? "←" : "→"}`;
  }
  find(name) { return this.series.find((one) => one.name === name); }
  /// The memory: cells where the layer has them, else hidden states.
  memory() { return this.find("c") || this.find("h") || this.series[this.series.length - 1]; }
}

function liveliest(series) {
  let best = 0, most = -1;
  for (let place = 0; place < series.width; ++place) {
    let sum = 0, squares = 0;
    for (let step = 0; step < series.steps; ++step) {
      sum += series.at(step, place);
      squares += series.at(step, place) ** 2;
    }
    const variance = squares - (sum * sum) / series.steps;
    if (variance > most) [best, most] = [place, variance];
  }
  return series.units[best] ?? 0;
}

/// What figures show together: a layer, a unit of it, a token. They listen for changes.
class Entry {
  constructor(json, index) {
    this.json = json;
    this.index = index;
    const characters = json.characters || [];
    const tokens_of = (layer) =>
        (layer.side === "target"         ? json.target_tokens :
             layer.side === "characters" ? characters :
                                           json.tokens);
    this.layers = json.layers.map((layer) => new Layer(layer, tokens_of(layer)));
    this.layer = 0;
    this.unit = this.layers.length ? liveliest(this.layers[0].memory()) : 0;
    this.pointed = null;  // a token under the pointer: the list that it is of, and its place
    this.listeners = [];
  }
  title() { return this.json.model; }
  current() { return this.layers[this.layer]; }
  /// A token of one of the texts (source, target, characters), or null for none.
  point(tokens, place) { this.choose({pointed: place === null ? null : {tokens, place}}); }
  /// Its place, for who draws that text.
  pointed_in(tokens) { return this.pointed && this.pointed.tokens === tokens ? this.pointed.place : null; }
  listen(listener) { this.listeners.push(listener); }
  choose(change) {
    const layer = change.layer !== undefined && change.layer !== this.layer;
    Object.assign(this, change);
    if (layer && change.unit === undefined) this.unit = liveliest(this.current().memory());
    for (const listener of this.listeners) listener({layer, unit: layer || change.unit !== undefined});
  }
}
