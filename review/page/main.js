/* The verdict, and what holds the page together. */

function figure(value, name, note, classes) {
  return el("div", { class: "figure-box " + (classes || "") }, el("dt", {}, name), el("dd", {}, el("span", { class: "big" }, value), note ? el("span", { class: "note" }, note) : null));
}

function title(selection) {
  const abrupt = selection.classes[0], all = selection.count;
  if (!report.connections) return "No connection was recorded";
  if (!all) return "No connection is like this";
  if (abrupt) return [el("em", { class: "abrupt" }, `${count(abrupt)} of ${count(all)}${isFiltered() ? " chosen" : ""} ${all === 1 ? "connection" : "connections"}`), " ended abruptly"];
  if (selection.findings.some((finding) => finding.severity !== "note")) return `None of ${plural(all, "connection", "connections")} ended abruptly, but look`;
  return [el("em", { class: "graceful" }, "All is well: "), all === 1 ? "the connection did not end abruptly" : `none of ${count(all)} connections ended abruptly`];
}

function kindCount(selection, name) {
  return selection.kinds[kinds.findIndex((kind) => kind.name === name)];
}

function figures(selection) {
  const made = kindCount(selection, "drained"), saved = report.totals.saved_bytes;
  return el("dl", { class: "figures" },
    figure(count(selection.count), "connections", isFiltered() ? `of ${count(report.connections)}` : `of ${plural(report.processes, "process", "processes")}, in ${duration(data.span_us)}`),
    figure(count(selection.classes[0]), "ended abruptly", share(selection.classes[0], selection.count), selection.classes[0] ? "abrupt" : ""),
    figure(bytes(selection.unacked), "of answers at risk", "written, and not acknowledged when the reset destroyed them", selection.unacked ? "abrupt" : ""),
    made ? figure(count(made), "made graceful", saved && !isFiltered() ? `${bytes(saved)} saved` : "", "graceful") :
      figure(bytes(selection.unread), "never read", "had arrived when the program closed"));
}

function kindTable(selection) {
  const all = kinds.map((kind, i) => ({ ...kind, count: selection.kinds[i] }));
  const present = CLASSES.flatMap((one) => all.filter((kind) => kind.count && kind.class === one.id)); /* as in the bar */
  if (!present.length) return null;
  return [classBar(selection.classes, kindList(selection.kinds)),
    el("ul", { class: "kind-list" }, present.map((kind) => el("li", {},
      el("button", { type: "button", class: "link", title: kind.meaning, "aria-pressed": String(chosen.verdict === kind.name),
        onclick: () => choose({ verdict: chosen.verdict === kind.name ? "" : kind.name, anchor: "" }) },
      el("span", { class: "ended " + kind.class }, kind.name)), " ", el("span", { class: "number" }, count(kind.count)))))];
}

/* The three places in the code that cause most of it. */
function worstPlaces(selection) {
  const places = new Map();
  for (const finding of selection.findings.filter((one) => ABRUPT_RULES.includes(one.rule))) {
    const tally = selection.tallies.get(finding.index), key = finding.exe + "\n" + finding.place;
    const place = places.get(key) || { finding, count: 0, bytes: 0 };
    place.count += tally.count;
    place.bytes += tally.bytes;
    places.set(key, place);
  }
  const list = [...places.values()], shown = list.slice(0, 3);
  if (!shown.length) return null;
  return [el("h2", { class: "small" }, list.length > 3 ? `Three of ${count(list.length)} places in the code cause most of it` : shown.length === 1 ? "One place in the code causes it" : `${["", "", "Two", "Three"][shown.length]} places in the code cause it`),
    el("ol", { class: "worst" }, shown.map((place) => el("li", {},
      el("a", { href: address({ anchor: "finding-" + place.finding.slug }) }, el("code", {}, place.finding.place)),
      el("span", { class: "facts" }, [base(place.finding.exe), plural(place.count, "time", "times"), place.bytes ? bytes(place.bytes) + " at risk" : ""].filter(Boolean).join(" · ")))))];
}

/* What is lost besides: by listeners, and at ends that were orderly. */
function besides(selection) {
  const of = (rule) => selection.findings.filter((finding) => finding.rule === rule);
  const lines = [];
  const late = sum(of("late-data"), (finding) => selection.tallies.get(finding.index).count);
  const waiting = sum(of("backlog-close"), (finding) => finding.waiting || 0);
  const listeners = sum(of("backlog-close"), (finding) => selection.tallies.get(finding.index).count);
  if (listeners)
    lines.push(`Besides, ${plural(listeners, "listener was", "listeners were")} closed with connections waiting in the queue` +
      (waiting && !isFiltered() ? `: ${plural(waiting, "was", "were")} reset.` : "."));
  if (late) lines.push(`${plural(late, "connection was", "connections were")} closed in order, but while the peer was still sending.`);
  return lines.map((line) => el("p", {}, line));
}

function damage() {
  const what = [[report.lost_events, "could not be recorded (no space, or the recording's limit)", "event", "events"],
    [report.damaged, "of 32 bytes in the recording are damaged or cut off", "place", "places"]]
    .filter(([n]) => n).map(([n, text, one, many]) => `${plural(n, one, many)} ${text}`);
  return what.length ? el("p", { class: "notice" }, el("strong", {}, "Not all was recorded: "), what.join("; "), ". The figures are at least these.") : null;
}

function hint() {
  return report.connections ? null : el("p", { class: "note" }, "The programs made none, or could not be traced. ",
    el("code", {}, "halfclose run -o FILE -- PROGRAM"), " says which could not.");
}

function drawVerdict(selection) {
  show("verdict-title", title(selection));
  show("verdict-body", damage(), hint(), report.connections ? figures(selection) : null, kindTable(selection), besides(selection), worstPlaces(selection));
}

/* ---- the whole ---- */

function draw() {
  const selection = select();
  drawFilters(selection);
  drawVerdict(selection);
  drawFindings(selection);
  drawTimeline(selection);
  drawSizes(selection);
  drawPlaces(selection);
  drawConnections(selection);
}

const THEMES = [["", "Theme: system"], ["light", "Theme: light"], ["dark", "Theme: dark"]];

function setTheme(theme) {
  const now = THEMES.find(([name]) => name === theme) || THEMES[0];
  if (now[0]) document.documentElement.dataset.theme = now[0];
  else delete document.documentElement.dataset.theme;
  byId("theme").textContent = now[1];
}

function prepareTheme() {
  let theme = "";
  try {
    theme = localStorage.getItem("halfclose-theme") || "";
  } catch { /* files may have no storage */ }
  setTheme(theme);
  byId("theme").addEventListener("click", () => {
    const at = THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme || ""));
    const next = THEMES[(at + 1) % THEMES.length][0];
    setTheme(next);
    try {
      localStorage.setItem("halfclose-theme", next);
    } catch { /* then it lasts as long as the page */ }
  });
}

/* On paper everything that is folded is open, and as it was afterwards. */
function preparePrinting() {
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details.finding:not([open])")];
    for (const one of folded) {
      one.open = true;
      one.dispatchEvent(new Event("toggle"));
    }
  });
  addEventListener("afterprint", () => {
    for (const one of folded) one.open = false;
  });
}

function prepareKeys() {
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    byId("filter-q").focus();
  });
}

function about() {
  const host = [...new Set(data.files.map((file) => file.host).filter(Boolean))].join(", ");
  const files = data.files.map((file) => base(file.path));
  const named = files.length > 3 ? `${files.slice(0, 2).join(", ")} and ${files.length - 2} more` : files.join(", ");
  show("recording", [named, data.start ? data.start.slice(0, 19).replace("T", " ") + " UTC" : "", host].filter(Boolean).join(" · "));
  document.title = `halfclose: ${named}`;
  show("foot", el("p", {}, `Made by halfclose ${data.version} of ${plural(data.events, "event", "events")}. Press / to search.`));
}

function follow() {
  readAddress();
  draw();
  goToAnchor();
}

prepareTheme();
prepareFilters();
preparePrinting();
prepareKeys();
about();
drawWords();
follow();
addEventListener("hashchange", follow);
addEventListener("load", goToAnchor); /* the browser's own way to it comes last, and takes the focus */
let lastWidth = innerWidth;
addEventListener("resize", () => {
  if (innerWidth !== lastWidth) drawTimeline(select());
  lastWidth = innerWidth;
});
