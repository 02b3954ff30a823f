// Lines over steps, points in a square, and the tree of a beam, as SVG.

const kGutter = 44;  // left of lines and heat maps: their axes; the columns of both stand below each other

function decades([low, high]) {
  const ticks = [];
  const first = Math.ceil(Math.log10(low) - 1e-9), last = Math.floor(Math.log10(high) + 1e-9),
        step = Math.max(1, Math.ceil((last - first) / 5));
  for (let power = last; power >= first; power -= step)
    ticks.push([10 ** power, power === 0 ? "1" : power === 1 ? "10" : "10" + superscript(power)]);
  return ticks;
}
const superscript = (power) => String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);

/// Lines over steps: what = { label, lines: [{ name, values, colour, dash, width }], steps, step_name(t), domain, log, ticks,
/// height, point(step or null), pick(step), x_title }. Keys move a cursor along the steps.
class LineChart {
  constructor(what) {
    this.what = what;
    this.step = null;
    this.plot = element("div", {className: "plot", tabIndex: 0, role: "img", "aria-label": what.label});
    this.spoken = element("span", {className: "unseen", role: "status"});
    this.node = element("div", {className: "chart"}, this.plot, this.spoken);
    when_sized(this.plot, (width) => this.draw(width));
    this.follow();
  }

  x(step) { return kGutter + ((step + 0.5) / this.what.steps) * (this.width - kGutter); }
  y(value) {
    const [low, high] = this.what.domain, height = this.what.height, pad = 7;
    const share =
        this.what.log ? Math.max(0, Math.log(value / low) / Math.log(high / low)) : (value - low) / (high - low || 1);
    return pad + (1 - share) * (height - 2 * pad);
  }

  draw(width) {
    this.width = width;
    const {height, lines, domain, log} = this.what;
    const svg = drawn("svg", {width, height, "aria-hidden": "true"});
    for (const [value, text] of this.what.ticks ||
         (log ? decades(domain) : domain.map((end) => [end, String(Number(end.toPrecision(2)))]))) {
      const y = this.y(value);
      svg.append(drawn("line", {x1: kGutter, x2: width, y1: y, y2: y, class: value === 0 ? "rule zero" : "rule"}));
      svg.append(drawn("text", {x: kGutter - 6, y: y + 4, class: "tick end"}, text));
    }
    for (const line of lines)
      svg.append(drawn("path", {
        d: this.path(line.values),
        class: "line",
        style: `stroke: ${line.colour}; stroke-width: ${line.width || 1.7}`,
        "stroke-dasharray": line.dash || ""
      }));
    this.cursor = drawn("line", {y1: 0, y2: height, class: "cursor", visibility: "hidden"});
    this.dots = lines.map((line) => drawn("circle", {r: 3, visibility: "hidden", style: `fill: ${line.colour}`}));
    svg.append(this.cursor, ...this.dots);
    this.plot.replaceChildren(svg);
    if (this.marked !== undefined) this.mark(this.marked);
  }

  // A line breaks where it has no value: zero has no place on a logarithmic axis.
  path(values) {
    let path = "", pen = false;
    values.forEach((value, step) => {
      const drawable = Number.isFinite(value) && (!this.what.log || value > 0);
      if (drawable) path += `${pen ? "L" : "M"}${this.x(step).toFixed(1)} ${this.y(value).toFixed(1)}`;
      if (drawable && values.length === 1) path += "h3";
      pen = drawable;
    });
    return path;
  }

  change(what) {
    Object.assign(this.what, what);
    if (what.label) this.plot.setAttribute("aria-label", what.label);
    if (this.width) this.draw(this.width);
  }

  mark(step) {
    this.marked = step;
    if (!this.cursor) return;
    const shown = step !== null && step !== undefined;
    this.cursor.setAttribute("visibility", shown ? "visible" : "hidden");
    if (shown)
      for (const end of ["x1", "x2"]) this.cursor.setAttribute(end, this.x(step));
    this.what.lines.forEach((line, i) => {
      const value = shown ? line.values[step] : undefined;
      const drawable = Number.isFinite(value) && (!this.what.log || value > 0);
      this.dots[i].setAttribute("visibility", drawable ? "visible" : "hidden");
      if (!drawable) return;
      this.dots[i].setAttribute("cx", this.x(step));
      this.dots[i].setAttribute("cy", this.y(value));
    });
  }

  tell(step, x, y) {
    this.step = step;
    const values =
        this.what.lines.filter((line) => line.values[step] !== undefined)
            .map(
                (line) =>
                    `${line.name} ${this.what.log ? line.values[step].toExponential(2) : exact(line.values[step])}`);
    note.show(x, y, this.what.step_name(step), ...values);
    this.spoken.textContent = `${this.what.step_name(step)}: ${values.join(", ")}`;
    this.mark(step);
    if (this.what.point) this.what.point(step);
  }

  follow() {
    const within = (step) => Math.max(0, Math.min(this.what.steps - 1, step));
    const leave = () => {
      note.hide();
      this.mark(null);
      if (this.what.point) this.what.point(null);
    };
    this.plot.addEventListener("pointermove", (event) => {
      if (!this.width || !this.what.steps) return;
      const x = event.clientX - this.plot.getBoundingClientRect().left - kGutter;
      this.tell(within(Math.floor((x / (this.width - kGutter)) * this.what.steps)), event.clientX, event.clientY);
    });
    this.plot.addEventListener("pointerleave", leave);
    this.plot.addEventListener("blur", leave);
    this.plot.addEventListener("keydown", (event) => {
      const move = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity, PageUp: -10, PageDown: 10}[event.key];
      if (!move || !this.width || !this.what.steps) return;
      event.preventDefault();
      const step = within((this.step ?? -1) + move), box = this.plot.getBoundingClientRect();
      this.tell(step, box.left + this.x(step), box.top + 20);
    });
  }
}

/// What the lines of a chart are.
function line_legend(lines) {
  return element("div", {className: "keys"}, ...lines.map((line) => {
    const stroke = drawn("svg", {width: 24, height: 10, "aria-hidden": "true"}, drawn("line", {
                           x1: 1,
                           x2: 23,
                           y1: 5,
                           y2: 5,
                           class: "line",
                           style: `stroke: ${line.colour}; stroke-width: ${line.width || 1.7}`,
                           "stroke-dasharray": line.dash || ""
                         }));
    return element("span", {}, stroke, " " + line.name);
  }));
}

/// Points in the unit square: what = { label, points: [{ x, y, colour, title, lines, pick() }], x_title, y_title }.
function scatter(what) {
  const size = 190, left = 34, top = 8, low = 34, at_x = (x) => left + x * size, at_y = (y) => top + (1 - y) * size;
  const svg = drawn("svg", {
    viewBox: `0 0 ${left + size + 22} ${top + size + low}`,
    class: "scatter",
    tabindex: 0,
    role: "img",
    "aria-label": what.label
  });
  svg.append(
      drawn("path", {d: `M${at_x(0)} ${at_y(1)}L${at_x(0)} ${at_y(0)}L${at_x(1)} ${at_y(0)}Z`, class: "triangle"}));
  for (const share of [0, 0.5, 1]) {
    svg.append(drawn("text", {x: at_x(share), y: at_y(0) + 14, class: "tick middle"}, String(share * 100)));
    svg.append(drawn("text", {x: left - 5, y: at_y(share) + 4, class: "tick end"}, String(share * 100)));
  }
  svg.append(drawn("text", {x: at_x(0.5), y: at_y(0) + 29, class: "tick middle"}, what.x_title));
  svg.append(drawn("text", {transform: `translate(9 ${at_y(0.5)}) rotate(-90)`, class: "tick middle"}, what.y_title));
  const dots = what.points.map((point) => drawn("circle", {
                                 cx: at_x(point.x),
                                 cy: at_y(point.y),
                                 r: 3.2,
                                 class: "dot",
                                 style: `fill: ${point.colour}; stroke: ${point.colour}`
                               }));
  const ring = drawn("circle", {r: 6, class: "ring", visibility: "hidden"});
  svg.append(...dots, ring);
  let at = -1;
  const tell = (i) => {
    at = i;
    const point = what.points[i], box = dots[i].getBoundingClientRect();
    ring.setAttribute("visibility", "visible");
    ring.setAttribute("cx", at_x(point.x));
    ring.setAttribute("cy", at_y(point.y));
    note.show(box.right, box.bottom, point.title, ...point.lines);
  };
  const leave = () => {
    note.hide();
    ring.setAttribute("visibility", "hidden");
  };
  dots.forEach((dot, i) => {
    dot.addEventListener("pointerenter", () => tell(i));
    dot.addEventListener("pointerleave", leave);
    dot.addEventListener("click", () => what.points[i].pick());
  });
  svg.addEventListener("blur", leave);
  svg.addEventListener("keydown", (event) => {
    const move = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (move && dots.length) {
      event.preventDefault();
      tell((at + move + dots.length) % dots.length);
    }
    if (event.key === "Enter" && at >= 0) what.points[at].pick();
  });
  return svg;
}

/// The hypotheses of a beam, a column a step, lines to what each goes on from; the way to the chosen one is strong.
function beam_tree(beam, chosen, label) {
  const wide = 104, high = 30, rows = Math.max(1, ...beam.map((step) => step.length));
  const svg = drawn(
      "svg",
      {width: beam.length * wide + 8, height: rows * high + 22, role: "img", "aria-label": label, class: "beam"});
  const on_way = new Set();
  for (let [step, rank] = chosen; step >= 0 && rank >= 0; rank = beam[step--][rank].parent)
    on_way.add(step + ":" + rank);
  const strong = (step, rank) => (on_way.has(step + ":" + rank) ? " chosen" : "");
  beam.forEach((kept, step) => {
    svg.append(drawn("text", {x: step * wide + 50, y: 12, class: "tick middle"}, String(step + 1)));
    kept.forEach((one, rank) => {
      const x = step * wide + 8, y = 22 + rank * high, name = strong(step, rank);
      if (step > 0 && one.parent >= 0) {
        svg.append(drawn("path", {
          class: "branch" + name,
          d: `M${x - 26} ${34 + one.parent * high}C${x - 8} ${34 + one.parent * high} ${x - 12} ${y + 12} ${x} ${
              y + 12}`
        }));
      }
      const box = drawn(
          "g", {class: "kept" + name + (one.finished ? " finished" : "")},
          drawn("rect", {x, y, width: wide - 26, height: 24, rx: 5}),
          drawn("text", {x: x + (wide - 26) / 2, y: y + 16, class: "middle"}, shortened(visible(one.token), 11)));
      const lines = [
        `score ${exact(one.score)}`, `log probability ${brief(one.log_probability)}`,
        one.finished ? "finished" : `rank ${rank + 1} of step ${step + 1}`
      ];
      box.addEventListener(
          "pointermove", (event) => note.show(event.clientX, event.clientY, visible(one.token), ...lines));
      box.addEventListener("pointerleave", () => note.hide());
      svg.append(box);
    });
  });
  return svg;
}
