// Elements, the note that follows the pointer, tables of numbers.

function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made && !name.startsWith("aria-"))
      made[name] = value;
    else
      made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
/// A remark in small letters.
const aside = (text) => element("p", {className: "aside", textContent: text});

function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/// One note for the whole page: what lies under the pointer or the cursor.
const note = {
  node: null,
  show(x, y, title, ...lines) {
    if (!this.node || !this.node.isConnected) {
      this.node = element("div", {className: "look-note", "aria-hidden": "true"});
      (document.querySelector(".look") || document.body).append(this.node);
    }
    this.node.replaceChildren(
        element("b", {textContent: title}), ...lines.map((line) => element("div", {textContent: line})));
    this.node.hidden = false;
    const {width, height} = this.node.getBoundingClientRect();
    this.node.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 8)) + "px";
    this.node.style.top = (y + 18 + height > innerHeight ? Math.max(4, y - height - 12) : y + 18) + "px";
  },
  hide() {
    if (this.node) this.node.hidden = true;
  },
};

/// Calls draw(width) when the node gets a width, and for each new one.
function when_sized(node, draw) {
  let last = 0;
  new ResizeObserver((sizes) => {
    const width = Math.floor(sizes[0].contentRect.width);
    if (!width || width === last) return;
    last = width;
    requestAnimationFrame(() => draw(width));
  }).observe(node);
}

/// The same numbers for who cannot see the figure, made when it is opened. rows() gives lists of cells.
function table_of(title, heads, rows) {
  const details = element("details", {className: "numbers"}, element("summary", {textContent: title}));
  details.addEventListener("toggle", () => {
    if (!details.open) return;
    const table = element(
        "table", {},
        element(
            "thead", {},
            element("tr", {}, ...heads().map((head) => element("th", {scope: "col", textContent: head})))));
    const body = element("tbody");
    for (const [first, ...others] of rows()) {
      body.append(element(
          "tr", {}, element("th", {scope: "row", textContent: first}),
          ...others.map((cell) => element("td", {textContent: cell}))));
    }
    table.append(body);
    while (details.children.length > 1) details.lastChild.remove();
    details.append(element("div", {className: "scroll", tabIndex: 0, role: "region", "aria-label": title}, table));
  });
  return details;
}

/// Buttons of which one holds; arrow keys move along them. choices: [[value, text]].
function radio_row(label, choices, chosen, choose) {
  const row = element("div", {className: "choices", role: "radiogroup", "aria-label": label});
  const buttons = choices.map(([value, text]) => {
    const button = element("button", {type: "button", role: "radio", textContent: text});
    button.addEventListener("click", () => set(value, true));
    row.append(button);
    return button;
  });
  function set(value, tell = false) {
    buttons.forEach((button, i) => {
      const on = choices[i][0] === value;
      button.setAttribute("aria-checked", on);
      button.tabIndex = on ? 0 : -1;
      if (on && tell) button.focus();
    });
    if (tell) choose(value);
  }
  row.addEventListener("keydown", (event) => {
    const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.indexOf(document.activeElement);
    set(choices[(at + step + choices.length) % choices.length][0], true);
  });
  set(chosen);
  row.set = set;
  return row;
}

function picker(label, choices, chosen, choose) {
  const select =
      element("select", {}, ...choices.map(([value, text]) => element("option", {value, textContent: text})));
  select.value = chosen;
  select.addEventListener("change", () => choose(select.value));
  return element("label", {}, label + " ", select);
}
