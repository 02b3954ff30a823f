// A heat map: one pixel a cell on a canvas that the browser stretches, so that it costs nothing to resize; a cell under
// the pointer or the cursor keys tells its exact value.

/// A strip of colours with its ends, in words.
function colour_bar(kind, [low, high], words = {}) {
  const canvas = element("canvas", {width: 64, height: 1, className: "bar", "aria-hidden": "true"});
  const draw = () => {
    const table = colour_table(kind), context = canvas.getContext("2d");
    for (let i = 0; i < 64; ++i) {
      context.fillStyle = `rgb(${table[Math.round((i * 255) / 63)].join(" ")})`;
      context.fillRect(i, 0, 1, 1);
    }
  };
  draw();
  on_theme(canvas, draw);
  const plain = (value) => with_minus(Number(value.toPrecision(2)));
  return element("span", {className: "legend"}, words.low || plain(low), canvas, words.high || plain(high));
}

/// Token names under columns: as many as have room. The first column begins at the node's left edge.
function token_axis(tokens) {
  const axis = element("div", {className: "axis", "aria-hidden": "true"});
  when_sized(axis, (width) => {
    const letters =
        tokens.filter((token) => Array.from(token).length < 3).length > 0.8 * tokens.length;  // they stand upright
    const step = Math.max(1, Math.ceil(((letters ? 7.5 : 13) * tokens.length) / width));
    const names = [];
    let longest = 1;
    for (let t = 0; t < tokens.length; t += step) {
      const text = shortened(visible(tokens[t]), 12), name = element("span", {textContent: text});
      if (letters && text.length < 3) name.className = "letter";
      longest = Math.max(longest, text.length);
      name.style.left = `max(6px, ${((t + 0.5) / tokens.length) * 100}%)`;
      names.push(name);
    }
    axis.style.height = Math.min(80, 6 + 6.2 * longest) + "px";
    axis.replaceChildren(...names);
  });
  return axis;
}

class HeatMap {
  /// what: { label, rows, columns, value(row, column), row_name(row), column_name(column), map, domain, height,
  /// least_column, most_column (pixels), gutter (row labels, or nothing for numbers), pick(row, column), point(column or null) }
  constructor(what) {
    this.what = what;
    this.cell = null;  // under the cursor keys
    this.canvas = element("canvas", {
      width: what.columns,
      height: what.rows,
      tabIndex: 0,
      role: "grid",
      "aria-label": what.label,
      "aria-rowcount": what.rows,
      "aria-colcount": what.columns,
      "aria-readonly": "true"
    });
    this.spoken = element("span", {role: "gridcell", id: "look-cell-" + HeatMap.made++});
    this.canvas.append(element("div", {role: "row"}, this.spoken));
    this.row_mark = element("span", {className: "row-mark", hidden: true});
    this.column_mark = element("div", {className: "column-mark", hidden: true});
    this.cursor = element("div", {className: "cell-mark", hidden: true});
    this.face = element("div", {className: "face"}, this.canvas, this.column_mark, this.cursor);
    this.face.style.height = what.height + "px";
    this.face.style.minWidth = what.columns * (what.least_column || 3) + "px";
    if (what.most_column) this.face.style.maxWidth = what.columns * what.most_column + "px";
    this.node = element("div", {className: "heat"}, this.gutter(), element("div", {className: "scroll-x"}, this.face));
    this.scroll = this.node.lastChild;
    this.follow_pointer();
    this.follow_keys();
    this.draw();
    on_theme(this.canvas, () => this.draw());
  }
  static made = 0;

  gutter() {
    const {rows, gutter, height} = this.what;
    const node = element("div", {className: gutter ? "gutter words" : "gutter", "aria-hidden": "true"});
    node.style.height = height + "px";
    const step = gutter ? Math.max(1, Math.ceil((12 * rows) / height)) : Math.max(1, rows - 1);
    for (let row = 0; row < rows; row += step) {
      const name =
          element("span", {textContent: gutter ? shortened(visible(gutter[row]), 12) : this.what.row_number(row)});
      name.style.top = ((row + 0.5) / rows) * 100 + "%";
      node.append(name);
    }
    node.append(this.row_mark);
    return node;
  }

  draw() {
    const {rows, columns, value, map, domain} = this.what;
    if (!rows || !columns) return;
    const context = this.canvas.getContext("2d"), image = context.createImageData(columns, rows),
          table = colour_table(map);
    for (let row = 0, at = 0; row < rows; ++row) {
      for (let column = 0; column < columns; ++column, at += 4) {
        const [r, g, b] = colour_of(table, value(row, column), domain);
        image.data[at] = r;
        image.data[at + 1] = g;
        image.data[at + 2] = b;
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  place(node, row, column) {
    const {rows, columns} = this.what;
    node.hidden = row === null && column === null;
    if (row !== null) Object.assign(node.style, {top: (row / rows) * 100 + "%", height: 100 / rows + "%"});
    if (column !== null) Object.assign(node.style, {left: (column / columns) * 100 + "%", width: 100 / columns + "%"});
  }
  /// An arrow at the row, and its number.
  mark_row(row) {
    this.row_mark.hidden = row === null || row === undefined;
    if (this.row_mark.hidden) return;
    this.row_mark.style.top = ((row + 0.5) / this.what.rows) * 100 + "%";
    this.row_mark.textContent = `${this.what.row_number ? this.what.row_number(row) : ""}▸`;
  }
  mark_column(column) { this.place(this.column_mark, null, column ?? null); }

  tell(row, column, x, y) {
    const {value, row_name, column_name, series} = this.what;
    const text = exact(value(row, column));
    note.show(x, y, (series ? series + " = " : "") + text, row_name(row), column_name(column));
    this.spoken.textContent = `${row_name(row)}, ${column_name(column)}: ${text}`;
    if (this.what.point) this.what.point(column);
  }

  follow_pointer() {
    const cell_at = (event) => {
      const box = this.canvas.getBoundingClientRect(), {rows, columns} = this.what;
      const within = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
      return [
        within((event.clientY - box.top) / box.height, rows), within((event.clientX - box.left) / box.width, columns)
      ];
    };
    this.canvas.addEventListener("pointermove", (event) => this.tell(...cell_at(event), event.clientX, event.clientY));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("click", (event) => {
      const [row, column] = cell_at(event);
      this.cell = [row, column];
      if (this.what.pick) this.what.pick(row, column);
    });
  }
  leave() {
    note.hide();
    this.cursor.hidden = true;
    if (this.what.point) this.what.point(null);
  }

  follow_keys() {
    const moves = {
      ArrowUp: [-1, 0],
      ArrowDown: [1, 0],
      ArrowLeft: [0, -1],
      ArrowRight: [0, 1],
      PageUp: [-10, 0],
      PageDown: [10, 0],
      Home: [0, -Infinity],
      End: [0, Infinity]
    };
    this.canvas.addEventListener("keydown", (event) => {
      const [row, column] = this.cell || this.start();
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        if (this.what.pick) this.what.pick(row, column);
      } else if (event.key === "Escape") {
        this.leave();
      } else if (moves[event.key] && !event.altKey && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        const [down, right] = moves[event.key], within = (at, count) => Math.max(0, Math.min(count - 1, at));
        this.go(within(row + down, this.what.rows), within(column + right, this.what.columns));
      }
    });
    this.canvas.addEventListener("focus", () => {
      if (this.canvas.matches(":focus-visible")) this.go(...(this.cell || this.start()));
    });
    this.canvas.addEventListener("blur", () => this.leave());
  }
  start() { return [Math.max(0, this.what.start_row ? this.what.start_row() : 0), 0]; }
  go(row, column) {
    this.cell = [row, column];
    this.place(this.cursor, row, column);
    this.canvas.setAttribute("aria-activedescendant", this.spoken.id);
    const left = (column / this.what.columns) * this.face.clientWidth;
    if (left < this.scroll.scrollLeft || left > this.scroll.scrollLeft + this.scroll.clientWidth - 12)
      this.scroll.scrollLeft = left - 40;
    const box = this.cursor.getBoundingClientRect();
    this.tell(row, column, box.right, box.bottom);
  }
}

/// Redraws in the other colours when the page turns light or dark, as long as the node is on the page.
function on_theme(node, draw) {
  node.draw_in_theme = draw;
  node.dataset.themed = "";
}
function theme_changed() {
  for (const node of document.querySelectorAll("[data-themed]")) node.draw_in_theme();
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme_changed);
new MutationObserver(theme_changed)
    .observe(document.documentElement, {attributes: true, attributeFilter: ["data-theme"]});
