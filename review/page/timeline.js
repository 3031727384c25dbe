/* Connections over time: how many were open, half-closed, draining; and where they were reset. */

const PHASES = [
  { id: "open", name: "open" },
  { id: "half", name: "half-closed" },
  { id: "drain", name: "draining" },
];
const SHORTEST = 20; /* µs that a window has at least */
const whole = lifeOfAll();
const LANES = 40;

/* From the first beginning to the last end, and a little around. */
function lifeOfAll() {
  let first = Infinity, last = 0;
  const add = (time) => { first = Math.min(first, time); last = Math.max(last, time); };
  if (data.all_rows) {
    for (const row of rows.filter(isConnection)) [row.born, row.drain ?? row.close ?? data.span_us].forEach(add);
  } else {
    for (const track of data.tracks)
      for (let i = 0; i < 6; i++)
        for (const [bin] of dense(track[3 + i])) [bin, bin + 1].forEach((edge) => add(edge * data.unit / 1000));
  }
  if (first > last) return [0, Math.max(data.span_us, 1)];
  const around = Math.max((last - first) * 0.03, SHORTEST);
  return [Math.max(Math.floor(first - around), 0), Math.ceil(last + around)];
}

let chartState = null; /* what is drawn: for the pointer */

function windowNow() {
  return chosen.window || whole;
}

function zoomTo(from, to, quietly) {
  const most = whole[1] - whole[0], length = Math.round(Math.min(Math.max(to - from, SHORTEST), most));
  from = Math.round(Math.min(Math.max(from, whole[0]), whole[1] - length));
  choose({ window: length >= most ? null : [from, from + length], anchor: "" }, quietly);
}

function zoomBy(factor) {
  const [from, to] = windowNow(), middle = (from + to) / 2, half = (to - from) * factor / 2;
  zoomTo(middle - half, middle + half, true);
}

function pan(part) {
  const [from, to] = windowNow();
  zoomTo(from + (to - from) * part, to + (to - from) * part, true);
}

/* When connections come into a phase and leave it: [phase, time, by how many], from single connections … */
function* stepsOfRow(row) {
  yield [0, row.born, 1];
  if (row.shut !== null) {
    yield [0, row.shut, -1];
    yield [1, row.shut, 1];
  }
  if (row.close !== null) yield [row.shut !== null ? 1 : 0, row.close, -1];
  if (row.close !== null && kinds[row.kind].name === "drained") {
    yield [2, row.close, 1];
    if (row.drain !== null) yield [2, row.drain, -1];
  }
}

/* … or from the tracks, whose bins have a width. */
function* stepsOfTrack(track) {
  const unit = data.unit / 1000;
  for (let i = 0; i < 2 * PHASES.length; i++)
    for (const [bin, n] of dense(track[3 + i])) yield [i >> 1, (bin + 0.5) * unit, i % 2 ? -n : n];
}

function* stepsNow(selection) {
  if (data.all_rows) {
    for (const cell of selection.cells) if (cell.count) for (const step of stepsOfRow(cell.row)) yield [...step, cell.kind];
    return;
  }
  const wanted = new Set(selection.cells.filter((cell) => cell.count).map((cell) => `${cell.at[0]} ${cell.at[1]} ${cell.kind}`));
  for (const track of data.tracks)
    if (wanted.has(`${track[0]} ${track[1]} ${track[2]}`)) for (const step of stepsOfTrack(track)) yield [...step, track[2]];
}

/* For each bin of the window: how many were there at some time of it, each in the last phase that it was in by then;
   and how many were reset. */
function binsOf(selection, from, to, bins) {
  const zeros = () => new Float64Array(bins), level = PHASES.map(() => 0);
  const came = PHASES.map(zeros), left = PHASES.map(zeros), abrupt = zeros(), onToDrain = zeros();
  for (const [phase, time, n, kind] of stepsNow(selection)) {
    const bin = Math.min(Math.floor((time - from) / (to - from) * bins), bins - 1);
    if (bin < 0) level[phase] += n;
    else if (time <= to) {
      if (n > 0) came[phase][bin] += n;
      else left[phase][bin] -= n;
      if (n < 0 && phase < 2 && kinds[kind].class === "abrupt") abrupt[bin] -= n;
      if (n < 0 && phase === 1 && kinds[kind].name === "drained") onToDrain[bin] -= n;
    }
  }
  const present = PHASES.map(zeros);
  for (let bin = 0; bin < bins; bin++) {
    const all = sum(level, (n) => n) + came[0][bin];
    const drain = level[2] + came[2][bin], half = level[1] + came[1][bin] - onToDrain[bin];
    [all - drain - half, half, drain].forEach((n, phase) => {
      present[phase][bin] = Math.max(n, 0);
      level[phase] += came[phase][bin] - left[phase][bin];
    });
  }
  return { present, abrupt };
}

/* At 1, 2, 5, 10, … µs, and at what a clock has behind seconds. */
function niceTicks(from, to, most) {
  const raw = (to - from) / most, power = 10 ** Math.floor(Math.log10(raw));
  const ofClock = [15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400].map((n) => n * 1e6);
  const step = (raw > 10e6 && ofClock.find((n) => n >= raw)) || [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw);
  const ticks = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) ticks.push([at, moment(at, step)]);
  return ticks;
}

function area(present, upTo, bins, width, y) {
  const step = width / bins;
  let path = "";
  for (let bin = 0; bin < bins; bin++) {
    const sums = sum(present.slice(0, upTo + 1), (of) => of[bin]);
    path += `${bin ? "L" : "M"}${(bin * step).toFixed(1)} ${y(sums).toFixed(1)}L${((bin + 1) * step).toFixed(1)} ${y(sums).toFixed(1)}`;
  }
  return path + `L${width} ${y(0)}L0 ${y(0)}Z`;
}

/* The window in bars; where the data has bins, each has a whole number of them. */
function scaleOf(width) {
  const [from, to] = windowNow(), most = Math.min(Math.floor(width / 4), 400);
  if (data.all_rows) return { from, to, bins: most };
  const unit = data.unit / 1000, first = Math.floor(from / unit), each = Math.ceil((to / unit - first) / most) || 1;
  const bins = Math.ceil((to / unit - first) / each);
  return { from: first * unit, to: (first + bins * each) * unit, bins };
}

function drawChart(selection) {
  const width = Math.max(byId("timeline-body").clientWidth, 240), tall = 168, below = 34;
  const { from, to, bins } = scaleOf(width);
  const { present, abrupt } = binsOf(selection, from, to, bins);
  let most = 1;
  for (let bin = 0; bin < bins; bin++) most = Math.max(most, sum(present, (of) => of[bin]));
  const mostAbrupt = Math.max(1, ...abrupt), y = (n) => tall - (tall - 14) * n / most;
  const chart = svg("svg", { viewBox: `0 0 ${width} ${tall + below + 20}`, width, height: tall + below + 20, class: "chart time",
    tabindex: "0", role: "img", "aria-describedby": "timeline-help",
    "aria-label": `Connections from ${between(from, to)}: at most ${plural(most, "connection", "connections")} at a time, ${count(sum([...abrupt], (n) => n))} ended abruptly` });
  for (let phase = PHASES.length - 1; phase >= 0; phase--)
    if (present[phase].some((n) => n))
      chart.append(svg("path", { class: "fill-" + PHASES[phase].id, d: area(present, phase, bins, width, y) }));
  chart.append(svg("line", { class: "axis", x1: 0, x2: width, y1: tall + 0.5, y2: tall + 0.5 }));
  chart.append(svg("text", { class: "tick", x: 2, y: 11 }, `${count(most)} at most`));
  const step = width / bins;
  abrupt.forEach((n, bin) => {
    if (n) chart.append(svg("rect", { class: "fill-abrupt", x: bin * step, y: tall + 3, width: Math.max(step - 1, 2), height: Math.max((below - 6) * n / mostAbrupt, 4) }));
  });
  for (const [at, text] of niceTicks(from, to, Math.max(2, width / 110))) {
    const x = (at - from) / (to - from) * width;
    chart.append(svg("line", { class: "axis", x1: x, x2: x, y1: tall, y2: tall + below + 4 }),
      svg("text", { class: "tick", x: Math.min(x + 3, width - 7 * text.length), y: tall + below + 15 }, text));
  }
  chartState = { chart, from, to, width, tall, bins, present, abrupt };
  return listen(chart);
}

function between(from, to) {
  return `${moment(from, to - from)} to ${moment(to, to - from)}`;
}

function readout(bin) {
  const { from, to, bins, present, abrupt } = chartState, at = from + (to - from) * bin / bins;
  return `${between(at, at + (to - from) / bins)}: ` +
    PHASES.map((phase, i) => `${count(present[i][bin])} ${phase.name}`).join(", ") + `; ${count(abrupt[bin])} ended abruptly`;
}

/* Drag to zoom; the keys do the same. */
function listen(chart) {
  const mark = svg("rect", { class: "brush", y: 0, height: chartState.tall, width: 0 });
  const place = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  let start = null;
  chart.append(mark);
  chart.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    start = place(event);
    chart.setPointerCapture(event.pointerId);
  });
  chart.addEventListener("pointermove", (event) => {
    const now = place(event);
    show("timeline-readout", readout(Math.min(Math.floor(now * chartState.bins), chartState.bins - 1)));
    if (start === null) return;
    mark.setAttribute("x", Math.min(start, now) * chartState.width);
    mark.setAttribute("width", Math.abs(now - start) * chartState.width);
  });
  chart.addEventListener("pointerup", (event) => {
    const now = place(event), { from, to } = chartState;
    if (start !== null && Math.abs(now - start) > 0.01)
      zoomTo(from + (to - from) * Math.min(start, now), from + (to - from) * Math.max(start, now));
    start = null;
    mark.setAttribute("width", 0);
  });
  chart.addEventListener("pointercancel", () => { start = null; mark.setAttribute("width", 0); });
  chart.addEventListener("keydown", onChartKey);
  return chart;
}

const CHART_KEYS = {
  "+": () => zoomBy(0.5), "=": () => zoomBy(0.5), "-": () => zoomBy(2), "0": () => zoomTo(...whole),
  ArrowLeft: () => pan(-0.25), ArrowRight: () => pan(0.25), Home: () => pan(-1e9), End: () => pan(1e9),
};

function onChartKey(event) {
  const does = CHART_KEYS[event.key];
  if (!does || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  does();
  chartState.chart.focus();
}

/* ---- a line for each connection, where there are few ---- */

function endMark(kind, x, y) {
  const is = kinds[kind].class;
  if (is === "abrupt")
    return svg("path", { class: "stroke-abrupt", d: `M${x - 3} ${y - 3}L${x + 3} ${y + 3}M${x - 3} ${y + 3}L${x + 3} ${y - 3}` });
  return svg("circle", { class: is === "graceful" ? "fill-graceful" : "fill-other", cx: x, cy: y, r: 2.5 });
}

function lane(row, y, x, width) {
  const last = row.drain ?? row.close ?? data.span_us, out = [];
  const parts = [[row.born, row.shut ?? row.close ?? last, "open"],
    [row.shut, row.close ?? last, "half"], [kinds[row.kind].name === "drained" ? row.close : null, last, "drain"]];
  for (const [from, to, name] of parts) {
    const left = Math.max(x(from), 0), right = Math.min(x(to), width);
    if (from !== null && right >= 0 && left <= width)
      out.push(svg("rect", { class: "fill-" + name, x: left, y: y - 2, width: Math.max(right - left, 1), height: 4 }));
  }
  const end = x(last);
  if (row.close !== null && end >= 0 && end <= width) out.push(endMark(row.kind, Math.min(Math.max(end, 3), width - 3), y));
  return svg("g", {}, svg("title", {}, `#${row.sock} ${row.local ?? ""} ${row.remote ?? ""}: ${kinds[row.kind].name}`), out);
}

function drawLanes(selection) {
  if (!data.all_rows) return null;
  const [from, to] = windowNow(), width = chartState.width, x = (time) => (time - from) / (to - from) * width;
  const inside = selection.cells.filter((cell) => cell.count && cell.row.born <= to && (cell.row.drain ?? cell.row.close ?? whole[1]) >= from)
    .map((cell) => cell.row);
  const shown = inside.slice(0, LANES), each = 10, height = shown.length * each + 4;
  return [el("p", { class: "note" }, inside.length > LANES ?
    `Each line is a connection: the first ${LANES} of ${count(inside.length)} in this window. Zoom in or filter to see others.` :
    `Each line is a connection. A cross ends those that were reset.`),
    svg("svg", { class: "chart lanes", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" },
      shown.map((row, i) => lane(row, i * each + 7, x, width)))];
}

function legend() {
  const key = (name, text) => el("span", { class: "key" }, svg("svg", { viewBox: "0 0 10 10", class: "swatch", "aria-hidden": "true" },
    svg("rect", { class: "fill-" + name, width: 10, height: 10 })), text);
  return el("p", { class: "legend" }, PHASES.map((phase) => key(phase.id, phase.name)), key("abrupt", "ended abruptly"));
}

function timelineTable() {
  const { from, to, bins, present, abrupt } = chartState, parts = Math.min(bins, 12), lines = [];
  for (let i = 0; i < parts; i++) {
    const first = Math.floor(i * bins / parts), last = Math.floor((i + 1) * bins / parts);
    const most = (of) => count(Math.max(...of.slice(first, last)));
    lines.push([between(from + (to - from) * first / bins, from + (to - from) * last / bins),
      ...present.map(most), count(sum([...abrupt.slice(first, last)], (n) => n))]);
  }
  return asTable("Connections over time", ["Time", ...PHASES.map((phase) => "most " + phase.name), "ended abruptly"], lines);
}

function drawTimeline(selection) {
  const [from, to] = windowNow(), button = (text, label, does) =>
    el("button", { type: "button", class: "quiet", "aria-label": label, onclick: does }, text);
  const blind = !data.all_rows && (chosen.peer || chosen.q);
  if (!report.connections) return show("timeline-body", el("p", { class: "note" }, "Nothing happened."));
  const chart = drawChart(selection), again = document.activeElement && document.activeElement.classList.contains("time");
  show("timeline-body",
    el("div", { class: "bar-line" }, legend(), el("div", { class: "buttons", role: "group", "aria-label": "Zoom" },
      button("−", "Zoom out", () => zoomBy(2)), button("+", "Zoom in", () => zoomBy(0.5)),
      chosen.window ? button("All", "The whole time", () => zoomTo(...whole)) : null)),
    blind ? el("p", { class: "note" }, "There are too many connections to tell peers apart over time: this shows all of the chosen processes, ports and verdicts.") : null,
    el("figure", { class: "figure" }, chart),
    el("p", { class: "readout", id: "timeline-readout" }, `${between(from, to)} after the recording's first event`),
    el("p", { class: "note", id: "timeline-help" }, "Drag to zoom in. With the keyboard: + and − zoom, arrows move, 0 shows all."),
    drawLanes(selection), timelineTable());
  if (again) chart.focus();
}
