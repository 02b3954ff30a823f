// Colour maps that the colour-blind can read, and whether the page is dark.

// A table of 256 colours, [r, g, b] each, between stops that stand at equal distances.
function ramp(stops) {
  const colours = stops.split(" ").map((hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({length: 256}, (_, i) => {
    const place = (i / 255) * (colours.length - 1), low = Math.min(Math.floor(place), colours.length - 2);
    return colours[low].map((value, k) => Math.round(value + (place - low) * (colours[low + 1][k] - value)));
  });
}

const kViridis = ramp("440154 482777 3f4a8a 31678e 26838f 1f9d8a 6cce5a b6de2b fee825");
const kDiverging = {
  light: ramp("08306b 1f5fa8 4a94cc 93c4e3 d3e6f2 f8f8f6 fde3c4 fbbd76 ee8a2b c25a06 7a3403"),
  dark: ramp("b5dcff 74bdf5 3b8fd0 24639a 1b3d5c 191c20 4f3114 8a5012 c97a20 f2a24a ffd7a3"),
};
// One hue, from the page's own colour: for shares and strengths behind text.
const kStrength = {
  light: ramp("ffffff fde9cf fbc98a f2a24a e07b1a"),
  dark: ramp("1d2125 49301a 7d4c14 b36a17 d98a2b")
};

const is_dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};
const theme = () => (is_dark() ? "dark" : "light");

/// The table of a kind of colour map ("gate", "diverging", "strength") in the theme of the moment.
const colour_table = (kind) => ({gate: kViridis, diverging: kDiverging[theme()], strength: kStrength[theme()]})[kind];

/// The colour of `value` in `domain`.
function colour_of(table, value, [low, high]) {
  const share = (value - low) / (high - low || 1);
  return table[Math.max(0, Math.min(255, Math.round(255 * share)))];
}

/// Background and a colour for letters on it: the one of black and white with more contrast.
function paint(node, [r, g, b]) {
  const linear = [r, g, b].map((x) => (x / 255 <= 0.03928 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
  const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  node.style.background = `rgb(${r} ${g} ${b})`;
  node.style.color = light > 0.179 ? "#14171a" : "#ffffff";
}

/// Of lines: apart for the colour-blind in this order, with a dash besides, for colour alone must not tell.
const line_colour = (i) => `var(--line-${i % 7})`;
const kDashes = ["", "7 3", "2 3", "10 3 2 3", "4 2", "12 4", "1 4"];
