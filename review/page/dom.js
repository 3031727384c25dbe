/* Elements. Text is only ever set as text: nothing recorded becomes markup. */

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat(3))
    if (child !== null && child !== undefined && child !== false) element.append(child);
  return element;
}

function el(name, attributes, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function svg(name, attributes, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function byId(id) {
  return document.getElementById(id);
}

function show(id, ...children) {
  byId(id).replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
}

function number(text, exact) {
  return el("td", { class: "number", title: exact }, text);
}

/* A table; where its rows are many, the first of them and a button (which takes the place of two). */
function table(caption, heads, body, options) {
  const { most = Infinity, classes = "" } = options || {}, first = body.length <= most + 2 ? Infinity : most;
  const list = el("tbody", {}, body.slice(0, first));
  const out = el("table", { class: classes }, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads)), list);
  const region = el("div", { class: "scroll", role: "group", "aria-label": caption, tabindex: "0" }, out);
  if (body.length <= first) return region;
  const more = el("button", { type: "button", class: "quiet", onclick: () => {
    const from = list.children.length;
    list.append(...body.slice(from, from + Math.max(first, 50)));
    if (list.children.length < body.length) more.textContent = moreText(body.length - list.children.length);
    else more.remove();
    if (list.children[from]) {
      list.children[from].tabIndex = -1;
      list.children[from].focus();
    }
  } }, moreText(body.length - first));
  return [region, more];
}

function moreText(left) {
  return `Show more (${count(left)} left)`;
}

function head(text, isNumber) {
  return el("th", { scope: "col", class: isNumber ? "number" : undefined }, text);
}

/* Numbers behind a chart, for whoever does not see it. */
function asTable(caption, heads, lines) {
  return el("details", { class: "numbers" }, el("summary", {}, "As a table"),
    table(caption, heads.map((text, i) => head(text, i > 0)),
      lines.map((line) => el("tr", {}, line.map((text, i) => i ? number(text) : el("th", { scope: "row" }, text))))));
}

/* One bar of the three classes; what stands beside it says the same in words. */
function classBar(counts, label) {
  const whole = sum(counts, (n) => n);
  const bar = svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img", "aria-label": label });
  let at = 0;
  CLASSES.forEach((one, i) => {
    const width = whole ? Math.max(1000 * counts[i] / whole, counts[i] ? 8 : 0) : 0;
    if (!width) return;
    bar.append(svg("rect", { class: "fill-" + one.id, x: at, y: 0, width: Math.min(width, 1000 - at), height: 10 }));
    at += width;
  });
  return bar;
}
