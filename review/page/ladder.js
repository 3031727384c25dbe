/* A connection as a ladder: a table, whose columns are the two ends and what crosses between them. */

function ladderEnd(step, before, end) {
  const now = step[end], mine = step.end === end;
  const changed = now.state && (!before || before[end].state !== now.state);
  return el("td", { class: "end" + (step.alarming && mine ? " alarming" : "") },
    mine && step.call ? el("code", { class: "call" }, step.call) : null,
    now.buffer ? el("span", { class: "buffer" }, now.buffer) : null,
    changed ? el("span", { class: "state" }, now.state) : null);
}

function wire(step, left) {
  if (!step.to) return el("td", { class: "wire" });
  return el("td", { class: "wire" + (step.alarming ? " alarming" : "") },
    el("span", { class: "wire-text" }, step.wire || "", step.lost ? " (lost)" : ""),
    el("span", { class: "arrow " + (step.to === left ? "leftward" : "rightward") + (step.lost ? " lost" : "") }),
    el("span", { class: "hidden" }, step.to === "peer" ? " to the peer" : " from the peer"));
}

function when(step) {
  if (step.us !== undefined) return duration(step.us);
  return el("span", { class: "hidden" }, step.supposed ? "then" : "not recorded");
}

function endName(ladder, end) {
  const { name, address } = ladder[end];
  return el("th", { scope: "col", class: "end" }, name || (end === "peer" ? "peer" : "program"),
    address ? el("span", { class: "address" }, address) : null);
}

function ladderTable(ladder, title) {
  const [left, right] = ladder.left === "peer" ? ["peer", "traced"] : ["traced", "peer"];
  const lines = ladder.steps.map((step, i) => el("tr", { class: step.supposed ? "supposed" : undefined },
    el("th", { scope: "row", class: "when" }, when(step)), ladderEnd(step, ladder.steps[i - 1], left), wire(step, left),
    ladderEnd(step, ladder.steps[i - 1], right)));
  return el("figure", { class: "figure ladder-figure" }, el("figcaption", {}, title),
    el("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": title }, el("table", { class: "ladder" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col", class: "when" }, el("span", { class: "hidden" }, "Time")), endName(ladder, left),
        el("th", { scope: "col", class: "wire" }, el("span", { class: "hidden" }, "On the wire")), endName(ladder, right))),
      el("tbody", {}, lines))));
}

function drawLadders(finding) {
  if (!finding.ladder) return null;
  return [el("div", { class: "ladders" }, ladderTable(finding.ladder, finding.bytes ? "The connection that lost most, as it was" : "One such connection, as it was"),
    finding.cured ? ladderTable(finding.cured, "The same, with a graceful end") : null),
  el("p", { class: "note" }, "Times count from the connection's beginning; steps without one follow from what was recorded",
    [finding.ladder, finding.cured].some((ladder) => ladder && ladder.steps.some((step) => step.supposed)) ?
      "; those in grey are what follows where the peer ends well." : ".")];
}
