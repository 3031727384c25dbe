"use strict";
/* The data, and values in words. */

/* Characters that would move text, hide it or turn its direction: as they are written in source. */
const TREACHEROUS = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function harmless(key, value) {
  if (typeof value !== "string") return value;
  return value.replace(TREACHEROUS, (c) => c === "\t" ? "    " : "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
}

const data = JSON.parse(document.getElementById("data").textContent, harmless);
const report = data.report;
const findings = report.findings.map((finding, index) => ({ ...finding, ...data.more[index], index }));
const kinds = data.kinds;

const CLASSES = [
  { id: "abrupt", name: "abrupt" },
  { id: "graceful", name: "nothing lost" },
  { id: "other", name: "other" },
];

function digits(number, most) {
  return number.toLocaleString("en", { maximumFractionDigits: most });
}

function count(number) {
  if (Number.isSafeInteger(number)) return digits(number, 0);
  return "about " + number.toExponential(2).replace("e+", " × 10^");
}

function plural(number, one, many) {
  return count(number) + " " + (number === 1 ? one : many);
}

function scaled(number, units, step) {
  let unit = 0;
  while (unit + 1 < units.length && Math.round(number * 10) / 10 >= step) {
    number /= step;
    unit++;
  }
  return digits(number, unit && number < 100 ? 1 : 0) + "\u00a0" + units[unit];
}

function bytes(number) {
  return scaled(number, ["B", "kB", "MB", "GB", "TB", "PB", "EB"], 1000);
}

/* Where the edges are powers of two. */
function binary(number) {
  return scaled(number, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], 1024);
}

const TIME_UNITS = [[1, "µs"], [1e3, "ms"], [1e6, "s"], [60e6, "min"], [3600e6, "h"], [86400e6, "days"]];

function duration(us) {
  if (us < 1e6) return scaled(us, ["µs", "ms"], 1000);
  if (us < 120e6) return digits(us / 1e6, us < 10e6 ? 2 : 1) + "\u00a0s";
  const [size, name] = TIME_UNITS.findLast(([one]) => us >= 2 * one);
  return digits(us / size, us < 100 * size ? 1 : 0) + "\u00a0" + name;
}

/* A point in time, of those that lie `step` apart: told apart from the next. */
function moment(us, step) {
  const [size, name] = TIME_UNITS.findLast(([one]) => us >= 2 * one) || TIME_UNITS[0];
  const most = Math.min(Math.max(Math.ceil(-Math.log10(step / size)), 0), 9);
  return digits(us / size, most) + "\u00a0" + name;
}

function share(part, whole) {
  if (!whole) return "0\u00a0%";
  const percent = 100 * part / whole;
  if (percent && percent < 0.1) return "under 0.1\u00a0%";
  if (percent > 99.9 && percent < 100) return "over 99.9\u00a0%";
  return digits(percent, percent < 10 || percent > 99 ? 1 : 0) + "\u00a0%";
}

function base(path) {
  return path.slice(path.lastIndexOf("/") + 1) || path;
}

function sum(list, of) {
  return list.reduce((total, item) => total + of(item), 0);
}

/* ---- cells: what the filters act on. Where every connection is in the page, each is one. ---- */

const ROW = ["sock", "program", "service", "peer", "kind", "pid", "fd", "born", "shut", "close", "drain",
  "unread", "unacked", "sent", "received", "how", "local", "remote", "timeWait"];
const rows = data.rows.map((row) => Object.fromEntries(ROW.map((name, i) => [name, row[i] === "" ? null : row[i]])));
const rowOf = new Map(rows.map((row) => [row.sock, row]));

function isConnection(row) {
  return kinds[row.kind].name !== "backlog";
}

/* 0, 1, 2-3, 4-7, … */
function bucketOf(value) {
  return value < 1 ? 0 : Math.min(Math.floor(Math.log2(value)) + 1, 64);
}

function single(value) {
  return value === null || value < 0 ? [] : [[bucketOf(value), 1]];
}

function span(from, to) {
  return from === null || to === null ? null : to - from;
}

function cellOfRow(row) {
  const reset = kinds[row.kind].name.startsWith("reset-") && kinds[row.kind].class === "abrupt";
  return {
    at: [row.program, row.service, row.peer], kind: row.kind, row, found: [],
    count: isConnection(row) ? 1 : 0,
    unread: row.unread || 0, unacked: reset ? row.unacked || 0 : 0, timeWait: row.timeWait,
    measures: isConnection(row) ?
      [single(row.unread), single(row.unacked), single(span(row.shut, row.close)), single(span(row.close, row.drain))] :
      [[], [], [], []],
  };
}

/* [distance, value, …] -> [[place, value], …] */
function dense(list) {
  const pairs = [];
  for (let i = 0, at = 0; i < list.length; i += 2) pairs.push([at += list[i], list[i + 1]]);
  return pairs;
}

function triples(list) {
  const out = [];
  for (let i = 0; i < list.length; i += 3) out.push({ index: list[i], count: list[i + 1], bytes: list[i + 2] });
  return out;
}

function cellOfNumbers(cell) {
  return {
    at: cell.slice(0, 3), kind: cell[3], row: null, count: cell[4], unread: cell[5], unacked: cell[6],
    timeWait: cell[7], measures: cell.slice(8, 12).map(dense), found: triples(cell[12]),
  };
}

function makeCells() {
  if (!data.all_rows) return data.cells.map(cellOfNumbers);
  const of = new Map(rows.map((row) => [row.sock, cellOfRow(row)]));
  for (const finding of findings)
    for (let i = 0; i < finding.rows.length; i += 2)
      of.get(finding.rows[i]).found.push({ index: finding.index, count: 1, bytes: finding.rows[i + 1] });
  return [...of.values()];
}

const cells = makeCells();
