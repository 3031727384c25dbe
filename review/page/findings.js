/* The findings: each folds out; what it holds is made when it is first opened. */

const ABRUPT_RULES = ["unread-close", "linger-close", "backlog-close"];

function excerpt(source, finding) {
  const line = finding.site[source.frame].line;
  const list = el("ol", { class: "source", start: source.first }, source.lines.map((text, i) => {
    const here = source.first + i === line;
    return el("li", { class: here ? "here" : undefined, "aria-current": here ? "true" : undefined, value: source.first + i },
      el("code", {}, text || " "), here ? el("span", { class: "hidden" }, " ← here") : null);
  }));
  return el("figure", { class: "figure" },
    el("figcaption", {}, el("code", {}, `${source.path}:${line}`),
      source.newer ? " (changed since: the lines may be others)" : ""),
    el("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": "Source lines" }, list));
}

function callers(finding) {
  if (!finding.frames.length) return el("p", { class: "note" }, "No stack was recorded here. ", el("code", {}, "halfclose run --stack=findings"), " records one.");
  return el("ol", { class: "frames" }, finding.frames.map((frame) => el("li", {}, el("code", {}, frame))));
}

function words(finding) {
  const pair = (name, text, classes) => el("div", { class: classes }, el("dt", {}, name), el("dd", {}, text));
  return el("dl", { class: "story" }, pair("What happens", finding.means), pair("What the peer sees", finding.peer),
    pair("The cure", finding.advice, "cure"));
}

function findingRows(finding, selection) {
  const list = [];
  for (let i = 0; i < finding.rows.length; i += 2) {
    const row = rowOf.get(finding.rows[i]);
    if (row && selection.matches(cellsOfRows.get(row) || cellOfRow(row))) list.push(row);
  }
  if (!list.length) return null;
  const complete = list.length === finding.count;
  return el("details", { class: "numbers" },
    el("summary", {}, complete ? (list.length === 1 ? "Its connection" : `Its ${count(list.length)} connections`) : `${count(list.length)} of its connections, those that lost most`),
    rowTable(list, finding.title));
}

const cellsOfRows = new Map(cells.filter((cell) => cell.row).map((cell) => [cell.row, cell]));

function body(finding, selection) {
  const [first, ...others] = finding.sources;
  return el("div", { class: "finding-body" },
    el("p", { class: "where" }, "in ", el("code", {}, finding.exe || "a program whose start was not recorded")),
    first ? excerpt(first, finding) : null,
    first ? el("details", { class: "callers" }, el("summary", {}, "The callers"), callers(finding), others.map((source) => excerpt(source, finding))) : callers(finding),
    words(finding), drawLadders(finding), findingRows(finding, selection),
    el("p", { class: "note to-link" }, el("a", { href: address({ anchor: "finding-" + finding.slug }) }, "Link to this finding")));
}

function loss(finding, tally) {
  if (finding.waiting && tally.count === finding.count)
    return plural(finding.waiting, "waiting connection was reset", "waiting connections were reset");
  return tally.bytes ? `${bytes(tally.bytes)} ${finding.lost || "lost"}` : "";
}

function drawFinding(finding, selection) {
  const tally = selection.tallies.get(finding.index);
  const id = "finding-" + finding.slug;
  const abrupt = ABRUPT_RULES.includes(finding.rule);
  const summary = el("summary", {},
    el("span", { class: "finding-head" },
      el("span", { class: `badge ${finding.severity}` + (abrupt ? " abrupt" : "") }, finding.severity), " ",
      el("h3", { class: "finding-title" }, finding.title)),
    el("code", { class: "place" }, finding.place),
    el("span", { class: "facts" }, [base(finding.exe), finding.rule, plural(tally.count, "time", "times"), loss(finding, tally)].filter(Boolean).join(" · ")));
  const out = el("details", { class: "finding", id, ontoggle: () => {
    if (out.open && !out.querySelector(".finding-body")) out.append(body(finding, selection));
    if (out.open) opened.add(finding.slug); else opened.delete(finding.slug);
  } }, summary);
  if (opened.has(finding.slug)) {
    out.append(body(finding, selection));
    out.open = true;
  }
  return out;
}

const opened = new Set(findings.length ? [findings[0].slug] : []);
const FIRST = 20;
let allFindings = false;

function drawFindings(selection) {
  const list = selection.findings, wanted = list.findIndex((finding) => "finding-" + finding.slug === chosen.anchor);
  if (wanted >= FIRST) allFindings = true;
  const shown = allFindings ? list : list.slice(0, FIRST);
  const rest = list.length - shown.length;
  show("findings-body",
    list.length ? shown.map((finding) => drawFinding(finding, selection)) : el("p", { class: "note" }, isFiltered() && findings.length ? "None for what is chosen." : "None."),
    rest ? el("button", { type: "button", class: "quiet", onclick: () => { allFindings = true; drawFindings(selection); } }, moreText(rest)) : null,
    report.suppressed && !isFiltered() ? el("p", { class: "note" }, `${plural(report.suppressed, "case is", "cases are")} left out by suppressions.`) : null,
    data.left && !isFiltered() ? el("p", { class: "note" }, `${plural(data.left, "finding", "findings")} more, less harmful than these: `, el("code", {}, "halfclose report"), " lists them all.") : null);
}

/* A link to a finding, from wherever: it opens, and the keyboard goes on from there. */
function goToAnchor() {
  const slug = chosen.anchor.startsWith("finding-") ? chosen.anchor.slice(8) : null;
  const target = chosen.anchor && byId(chosen.anchor);
  if (!target) return;
  if (slug) {
    target.open = true;
    target.querySelector("summary").focus({ preventScroll: true });
  }
  target.scrollIntoView();
}
