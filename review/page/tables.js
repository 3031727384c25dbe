/* Tables: by port, peer and process; single connections; what the words mean. */

const WAIT = 60e6; /* µs that Linux keeps TIME-WAIT */

function byAxis(selection, axis) {
  const lines = VALUES[AXES[axis]].map((value) => ({ value, count: 0, counts: kinds.map(() => 0), timeWait: 0, unacked: 0 }));
  for (const cell of selection.cells) {
    const line = lines[cell.at[axis]];
    line.count += cell.count;
    line.counts[cell.kind] += cell.count;
    line.timeWait += cell.timeWait;
    line.unacked += cell.unacked;
  }
  return lines.filter((line) => line.count).map((line) => ({ ...line, classes: classCounts(line.counts) }))
    .sort((a, b) => b.classes[0] - a.classes[0] || b.count - a.count);
}

function kindList(counts) {
  return kinds.map((kind, i) => counts[i] ? `${count(counts[i])} ${kind.name}` : "").filter(Boolean).join(", ");
}

/* How many sockets are in TIME-WAIT at a time, where they come evenly; of a short recording all are still there. */
function held(timeWait) {
  return Math.ceil(timeWait * Math.min(WAIT / Math.max(data.span_us, 1), 1));
}

function axisTable(selection, axis, title, heading) {
  const lines = byAxis(selection, axis), name = AXES[axis];
  if (!lines.length) return null;
  return el("div", { class: "place-table" }, el("h3", {}, heading), table(title,
    [head(heading.slice(3, 4).toUpperCase() + heading.slice(4)), head("Connections", true), head("How they ended"), head("Abrupt", true), head("At risk", true),
      head("TIME-WAIT", true), head("at a time", true)],
    lines.map((line) => el("tr", {},
      el("th", { scope: "row" }, el("button", { type: "button", class: "link", title: line.value.name, "aria-pressed": String(chosen[name] === line.value.name),
        onclick: () => choose({ [name]: chosen[name] === line.value.name ? "" : line.value.name, anchor: "" }) },
      axis ? line.value.name : base(line.value.name))),
      number(count(line.count)), el("td", { class: "bar-cell" }, classBar(line.classes, kindList(line.counts)), el("span", { class: "kinds" }, kindList(line.counts))),
      number(count(line.classes[0])), number(bytes(line.unacked), count(line.unacked) + " bytes"),
      number(count(line.timeWait)), number(count(held(line.timeWait))))),
    { most: 10 }));
}

function drawPlaces(selection) {
  const tables = [axisTable(selection, 1, "Ends by port", "By port"), axisTable(selection, 2, "Ends by peer", "By peer"),
    axisTable(selection, 0, "Ends by process", "By process")].filter(Boolean);
  show("places-body", tables.length ? [tables, el("p", { class: "note" },
    "“to 443” are connections that this side asked for; other ports are its own. TIME-WAIT counts connections that this side ended first, in order; “at a time” is how many sockets that keeps in TIME-WAIT, 60 s each, where they come evenly." +
    (data.peers.some((peer) => peer.many) ? " A network like 10.1.0.0/16 stands for those of its peers that have no line of their own." : ""))] :
    el("p", { class: "note" }, "No connections."));
}

/* ---- single connections ---- */

const COLUMNS = [
  { name: "#", of: (row) => row.sock, text: (row) => "#" + row.sock },
  { name: "Began", of: (row) => row.born, text: (row) => duration(row.born) },
  { name: "Process", of: (row) => base(VALUES.program[row.program].name), text: (row) => base(VALUES.program[row.program].name) + (row.pid === null ? "" : " " + row.pid), words: true },
  { name: "This side", of: (row) => row.local ?? "", text: (row) => row.local ?? "–", words: true },
  { name: "Peer", of: (row) => row.remote ?? "", text: (row) => row.remote ?? "–", words: true },
  { name: "Ended", of: (row) => kinds[row.kind].name, text: (row) => ended(row), words: true },
  { name: "Lived", of: (row) => span(row.born, row.close) ?? Infinity, text: (row) => row.close === null ? "–" : duration(span(row.born, row.close)) },
  { name: "Half-closed", of: (row) => span(row.shut, row.close) ?? -1, text: (row) => row.shut === null || row.close === null ? "–" : duration(span(row.shut, row.close)) },
  { name: "Unread", of: (row) => row.unread ?? -1, text: (row) => row.unread === null ? "–" : bytes(row.unread) },
  { name: "Not acknowledged", of: (row) => row.unacked ?? -1, text: (row) => row.unacked === null ? "–" : bytes(row.unacked) },
  { name: "Sent", of: (row) => row.sent ?? -1, text: (row) => row.sent === null ? "–" : bytes(row.sent) },
  { name: "Received", of: (row) => row.received ?? -1, text: (row) => row.received === null ? "–" : bytes(row.received) },
];

function ended(row) {
  const kind = kinds[row.kind];
  return el("span", { class: "ended " + kind.class }, kind.name + (row.how ? ` by ${row.how}` : ""));
}

function rowLine(row) {
  return el("tr", {}, COLUMNS.map((column, i) => {
    const attributes = { class: column.words ? undefined : "number" };
    return i ? el("td", attributes, column.text(row)) : el("th", { scope: "row", class: "number" }, column.text(row));
  }));
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function rowTable(list, caption, by) {
  const out = el("div", {});
  const redraw = (column, falling) => {
    const sorted = column === undefined ? list : [...list].sort((a, b) => compare(COLUMNS[column].of(a), COLUMNS[column].of(b)) * (falling ? -1 : 1));
    const heads = COLUMNS.map((one, i) => el("th", { scope: "col", class: one.words ? undefined : "number", "aria-sort": i === column ? (falling ? "descending" : "ascending") : undefined },
      el("button", { type: "button", class: "link", onclick: () => {
        redraw(i, i === column ? !falling : !one.words && i > 1);
        out.querySelectorAll("thead button")[i].focus();
      } }, one.name, i === column ? el("span", { "aria-hidden": "true" }, falling ? " ↓" : " ↑") : "")));
    out.replaceChildren(...[table(caption, heads, sorted.map(rowLine), { most: 25, classes: "rows" })].flat());
  };
  redraw(by);
  return out;
}

function drawConnections(selection) {
  const list = data.all_rows ? selection.cells.filter((cell) => cell.count).map((cell) => cell.row) :
    rows.filter((row) => isConnection(row) && selection.matches({ ...cellOfRow(row), found: foundOf.get(row) || [] }));
  const why = data.all_rows ? "" : list.length ? `The recording has too many to list: these ${count(list.length)} lost most, of each finding. ` : "The recording has too many to list, and these have no finding. ";
  show("connections-body", why || !list.length ? el("p", { class: "note" }, why || "None.", data.all_rows ? "" : [el("code", {}, "halfclose log"), " has all."]) : null,
    list.length ? rowTable(list, "Connections") : null);
}

/* What is found of a row: for the search. */
const foundOf = new Map();
for (const finding of findings)
  for (let i = 0; i < finding.rows.length; i += 2) {
    const row = rowOf.get(finding.rows[i]);
    if (!foundOf.has(row)) foundOf.set(row, []);
    foundOf.get(row).push({ index: finding.index, count: 1, bytes: finding.rows[i + 1] });
  }

function drawWords() {
  show("words-body", kinds.map((kind) => [el("dt", {}, kind.name, " ", el("span", { class: "ended " + kind.class }, CLASSES.find((one) => one.id === kind.class).name)),
    el("dd", {}, kind.meaning)]));
}
