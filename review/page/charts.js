/* Distributions: a bar for each doubling. */

const MEASURES = [
  { id: "unread", title: "Unread at close", unit: binary, none: "had nothing unread",
    what: "bytes that had arrived and that nobody will read: any of them makes the close a reset" },
  { id: "unacked", title: "Unacknowledged at close", unit: binary, none: "had nothing on the way",
    what: "bytes written that the peer had not acknowledged: a reset destroys them" },
  { id: "half-closed", title: "Time half-closed", unit: duration, none: "under 1 µs",
    what: "from shutdown to close: how long the peer was read on" },
  { id: "drain", title: "Time to drain", unit: duration, none: "under 1 µs",
    what: "how long graceful ends took, where they were recorded" },
];

function lowest(bucket) {
  return bucket ? 2 ** (bucket - 1) : 0;
}

function histogram(selected, measure) {
  const buckets = new Map();
  for (const cell of selected)
    for (const [bucket, n] of cell.measures[measure]) buckets.set(bucket, (buckets.get(bucket) || 0) + n);
  return buckets;
}

function bucketText(measure, bucket) {
  if (!bucket) return "none";
  return bucket === 1 ? measure.unit(1) : `${measure.unit(lowest(bucket))} to ${measure.unit(2 ** bucket)}`;
}

/* Below which so large a part of them lies; as exact as the bars. */
function quantile(buckets, part) {
  const whole = sum([...buckets.values()], (n) => n);
  let seen = 0;
  for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
    seen += buckets.get(bucket);
    if (seen >= part * whole) return bucket;
  }
  return 0;
}

function bars(measure, buckets) {
  const places = [...buckets.keys()].filter((bucket) => bucket);
  const from = Math.min(...places), to = Math.max(...places), slots = Math.max(to - from + 1, 6);
  const most = Math.max(...places.map((bucket) => buckets.get(bucket)));
  const width = 320, height = 96, step = width / slots;
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height + 18}`, class: "chart", role: "img",
    "aria-label": `${measure.title}: ${places.sort((a, b) => a - b).map((b) => `${bucketText(measure, b)}: ${count(buckets.get(b))}`).join("; ")}` });
  chart.append(svg("line", { class: "axis", x1: 0, y1: height + 0.5, x2: width, y2: height + 0.5 }));
  const each = Math.ceil(slots / 5);
  for (let i = 0; i < slots; i++) {
    const bucket = from + i, n = buckets.get(bucket) || 0, tall = n ? Math.max(height * n / most, 2) : 0;
    chart.append(svg("rect", { class: "fill-bar", x: i * step + 1, y: height - tall, width: Math.max(step - 2, 1), height: tall },
      svg("title", {}, `${bucketText(measure, bucket)}: ${count(n)}`)));
    if (i % each === 0 && i * step < width - 40)
      chart.append(svg("text", { class: "tick", x: i * step + 1, y: height + 14 }, measure.unit(lowest(bucket))));
  }
  return chart;
}

function sizeCard(selection, measure, index) {
  const buckets = histogram(selection.cells, index), whole = sum([...buckets.values()], (n) => n);
  const none = buckets.get(0) || 0;
  const id = "size-" + measure.id;
  if (!whole) return null;
  const some = new Map([...buckets].filter(([bucket]) => bucket));
  const middle = quantile(some, 0.5), high = quantile(some, 0.99);
  return el("article", { class: "card", "aria-labelledby": id },
    el("h3", { id }, measure.title),
    some.size ? bars(measure, some) : null,
    el("p", { class: "facts" },
      some.size ? `half of ${count(whole - none)} below ${measure.unit(2 ** middle)}, 99\u00a0% below ${measure.unit(2 ** high)}` : "",
      none ? [some.size ? "; " : "", `${count(none)} ${measure.none}`] : ""),
    el("p", { class: "note" }, measure.what),
    some.size ? asTable(measure.title, ["Size", "Connections"], [...buckets.keys()].sort((a, b) => a - b)
      .map((bucket) => [bucketText(measure, bucket), count(buckets.get(bucket))])) : null);
}

function drawSizes(selection) {
  const cards = MEASURES.map((measure, index) => sizeCard(selection, measure, index)).filter(Boolean);
  show("sizes-body", cards.length ? cards : el("p", { class: "note" }, "No connection was closed here."));
}
