/* The filters: chosen by controls, kept in the address behind #, so that a link and the back button have them. */

const AXES = ["program", "service", "peer"];
const VALUES = { program: data.programs, service: data.services, peer: data.peers };
const FILTERS = ["q", "program", "service", "peer", "verdict"];
const chosen = { q: "", program: "", service: "", peer: "", verdict: "", window: null, anchor: "" };

/* #finding-…&program=…&t=0-1500 */
function readAddress() {
  for (const name of FILTERS) chosen[name] = "";
  chosen.window = null;
  chosen.anchor = "";
  for (const part of location.hash.slice(1).split("&")) {
    const at = part.indexOf("=");
    const name = at < 0 ? "" : part.slice(0, at);
    let value = at < 0 ? part : part.slice(at + 1);
    try {
      value = decodeURIComponent(value.replaceAll("+", " "));
    } catch {
      continue; /* cut in the middle: as if it were not there */
    }
    if (!name) chosen.anchor = value;
    else if (FILTERS.includes(name)) chosen[name] = value;
    else if (name === "t" && /^\d+-\d+$/.test(value)) chosen.window = value.split("-").map(Number);
  }
  for (const axis of AXES)
    if (chosen[axis] && !VALUES[axis].some((value) => value.name === chosen[axis])) chosen[axis] = "";
  if (chosen.verdict && !verdictNames().includes(chosen.verdict)) chosen.verdict = "";
  if (chosen.window && !(chosen.window[1] > chosen.window[0])) chosen.window = null;
}

function address(changes) {
  const next = { ...chosen, ...changes };
  const parts = next.anchor ? [encodeURIComponent(next.anchor)] : [];
  for (const name of FILTERS) if (next[name]) parts.push(name + "=" + encodeURIComponent(next[name]));
  if (next.window) parts.push("t=" + next.window.map(Math.round).join("-"));
  return "#" + parts.join("&");
}

/* Each change is a step of the history, but for those that come letter by letter. */
function choose(changes, quietly) {
  const to = address(changes);
  if (to === location.hash || (to === "#" && !location.hash)) return;
  if (quietly) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  readAddress();
  draw();
}

function verdictNames() {
  return [...CLASSES.map((one) => one.id), ...kinds.map((kind) => kind.name)];
}

function isFiltered() {
  return FILTERS.some((name) => chosen[name]);
}

function matchesVerdict(kind) {
  return !chosen.verdict || chosen.verdict === kinds[kind].name || chosen.verdict === kinds[kind].class;
}

function has(text, word) {
  return typeof text === "string" && text.toLowerCase().includes(word);
}

function findingHas(finding, word) {
  return [finding.rule, finding.title, finding.place, finding.exe, ...finding.frames].some((text) => has(text, word));
}

function rowHas(row, word) {
  return [row.local, row.remote, row.how, "#" + row.sock].some((text) => has(text, word)) || String(row.pid) === word;
}

function makeMatcher() {
  const at = AXES.map((axis) => VALUES[axis].findIndex((value) => value.name === chosen[axis]));
  const word = chosen.q.trim().toLowerCase();
  const named = AXES.map((axis) => VALUES[axis].map((value) => has(value.name, word)));
  const found = findings.map((finding) => findingHas(finding, word));
  return (cell) => {
    if (!at.every((wanted, axis) => wanted < 0 || cell.at[axis] === wanted) || !matchesVerdict(cell.kind)) return false;
    if (!word) return true;
    return cell.at.some((value, axis) => named[axis][value]) || has(kinds[cell.kind].name, word) ||
      cell.found.some((one) => found[one.index]) || (cell.row !== null && rowHas(cell.row, word));
  };
}

/* What is shown now. */
function select() {
  const matches = makeMatcher();
  const selected = cells.filter(matches);
  const tallies = new Map();
  const counts = kinds.map(() => 0);
  for (const cell of selected) {
    counts[cell.kind] += cell.count;
    for (const one of cell.found) {
      const tally = tallies.get(one.index) || { count: 0, bytes: 0 };
      tally.count += one.count;
      tally.bytes += one.bytes;
      tallies.set(one.index, tally);
    }
  }
  return {
    matches, cells: selected, tallies, kinds: counts,
    count: sum(selected, (cell) => cell.count),
    unread: sum(selected, (cell) => cell.unread),
    unacked: sum(selected, (cell) => cell.unacked),
    classes: classCounts(counts),
    findings: findings.filter((finding) => tallies.has(finding.index)),
  };
}

function classCounts(counts) {
  return CLASSES.map((one) => sum(counts, (n) => n) && counts.reduce((n, c, kind) => n + (kinds[kind].class === one.id ? c : 0), 0));
}

/* ---- controls ---- */

function option(value, text, n) {
  return el("option", { value }, n === undefined ? text : `${text} (${count(n)})`);
}

function fillSelect(axis, all, text) {
  const counts = VALUES[axis].map(() => 0);
  for (const cell of cells) counts[cell.at[AXES.indexOf(axis)]] += cell.count;
  byId("filter-" + axis).replaceChildren(option("", all),
    ...VALUES[axis].map((value, i) => option(value.name, text(value), counts[i])));
}

function fillVerdicts() {
  const counts = kinds.map((kind, i) => sum(cells, (cell) => cell.kind === i ? cell.count : 0));
  const present = kinds.map((kind, i) => ({ ...kind, count: counts[i], seen: cells.some((cell) => cell.kind === i) }));
  byId("filter-verdict").replaceChildren(option("", "all"), ...CLASSES.map((one) => {
    const of = present.filter((kind) => kind.class === one.id && kind.seen);
    return of.length ? el("optgroup", { label: one.name },
      option(one.id, "all " + one.name, sum(of, (kind) => kind.count)),
      of.map((kind) => option(kind.name, kind.name, kind.count))) : "";
  }));
}

function prepareFilters() {
  fillSelect("program", "all", (value) => base(value.name));
  fillSelect("service", "all", (value) => value.name);
  fillSelect("peer", "all", (value) => value.name);
  fillVerdicts();
  for (const name of FILTERS)
    byId("filter-" + name).addEventListener(name === "q" ? "input" : "change",
      (event) => choose({ [name]: event.target.value, anchor: "" }, name === "q"));
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => {
    choose({ q: "", program: "", service: "", peer: "", verdict: "", anchor: "" });
    byId("filter-q").focus();
  });
}

function drawFilters(selection) {
  for (const name of FILTERS) {
    const control = byId("filter-" + name);
    if (control.value !== chosen[name]) control.value = chosen[name];
    control.closest(".field").classList.toggle("set", Boolean(chosen[name]));
  }
  byId("clear").hidden = !isFiltered();
  show("selection", isFiltered() ?
    `${count(selection.count)} of ${plural(report.connections, "connection", "connections")}` : "");
}
