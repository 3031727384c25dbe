// The pages in a headless Chromium: page.mjs MODULES PAGES SOURCES
// Prints ok and not ok lines. Pictures go beside the pages.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import assert from "node:assert/strict";

const [modules, place, sources] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const reportOf = (name) => JSON.parse(readFileSync(`${place}/${name}.report.json`, "utf8"));
const digits = (number) => number.toLocaleString("en");

const launched = { args: ["--no-sandbox"], timeout: 180000 };
const browser = await chromium.launch({ executablePath: "chromium", ...launched }).catch(() =>
  chromium.launch({ executablePath: "/usr/bin/chromium", ...launched }));
const complaints = []; // of any page: console messages, errors, requests
let failed = 0;

async function open(name, hash = "", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60000); // bounds a hang
  page.on("console", (message) => complaints.push(`${name}: console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`${name}: ${error.message}`));
  page.on("dialog", (dialog) => { complaints.push(`${name}: dialog`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (!request.url().startsWith(`file://${place}/${name}.html`)) complaints.push(`${name}: request: ${request.url()}`);
  });
  await page.goto(`file://${place}/${name}.html${hash}`);
  return page;
}

async function test(name, run) {
  const pages = [], start = Date.now();
  try {
    await run(async (...args) => { const page = await open(...args); pages.push(page); return page; });
    console.log(`ok page: ${name}`);
    if (process.env.TIMES) console.log(`# ${Date.now() - start} ms`);
  } catch (error) {
    failed++;
    console.log(`not ok page: ${name}: ${String(error.message).split("\n")[0]}`);
    console.log(String(error.stack).split("\n").slice(0, 12).map((line) => "    " + line).join("\n"));
  }
  for (const page of pages) await page.context().close();
}

// Tries until it holds, for a minute: the browser tells a new address when it likes.
async function until(holds) {
  for (const end = Date.now() + 60000; ;) {
    try {
      return await holds();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

// What folds, open; of the findings a few.
async function unfold(page) {
  await page.evaluate(() => {
    for (const one of [...document.querySelectorAll(".finding")].slice(0, 3)) {
      one.open = true;
      one.dispatchEvent(new Event("toggle"));
    }
    document.querySelectorAll("details.numbers").forEach((one) => { one.open = true; });
  });
}

const text = (page, selector) => page.locator(selector).first().innerText();
const hash = (page) => page.evaluate(() => location.hash); // page.url() hears of it later
const real = reportOf("real"), many = reportOf("many");
const abrupt = (report) => report.totals.teardown["reset-unread"] + report.totals.teardown["reset-linger"];

await test("the verdict comes first", async (open) => {
  const page = await open("real");
  assert.equal((await text(page, "h1")).replace(/\s+/g, " "), `${abrupt(real)} of ${real.connections} connections ended abruptly`);
  assert.match(await text(page, "#verdict"), /of answers at risk/);
  assert.equal(await page.locator(".worst li").count(), 3);
  await page.screenshot({ path: `${place}/real.png`, fullPage: true });
});

await test("a finding shows its line in the source", async (open) => {
  const page = await open("real"), seen = [];
  for (const finding of await page.locator(".finding").all()) {
    await finding.evaluate((one) => { one.open = true; });
    await finding.locator(".finding-body").waitFor();
    if (!await finding.locator(".source").count()) continue;
    const [, path, line] = (await text(finding, "figcaption code")).match(/^(.*):(\d+)$/);
    const wanted = readFileSync(resolve(sources, path), "utf8").split("\n")[line - 1].trim();
    assert.equal((await text(finding, ".source .here code")).trim(), wanted);
    assert.match(wanted, /close/);
    assert.equal(await finding.locator(".source").first().locator(".here").count(), 1);
    seen.push(path);
  }
  assert.ok(seen.some((path) => path.endsWith("examples/welcome_server_close.c")), seen.join());
  if (real.findings.some((finding) => finding.place.startsWith("python"))) assert.ok(seen.some((path) => path.endsWith(".py")), seen.join());
});

await test("a finding shows the ladder as it was, and the cured one", async (open) => {
  const page = await open("real");
  const finding = page.locator(".finding[open]"), [was, cured] = [finding.locator(".ladder").nth(0), finding.locator(".ladder").nth(1)];
  assert.match(await was.locator("td.wire.alarming").last().innerText(), /RST/);
  assert.match(await was.innerText(), /ESTABLISHED/);
  assert.doesNotMatch(await cured.innerText(), /RST/);
  for (const state of ["FIN-WAIT-1", "CLOSE-WAIT", "LAST-ACK", "TIME-WAIT"]) assert.match(await cured.innerText(), new RegExp(state));
});

await test("filters choose, the address has them, back undoes", async (open) => {
  const page = await open("many");
  await page.selectOption("#filter-verdict", "reset-linger");
  const linger = many.totals.teardown["reset-linger"];
  assert.match(await text(page, "#selection"), new RegExp(`^${digits(linger)} of ${digits(many.connections)} `));
  assert.match(await hash(page), /^#verdict=reset-linger$/);
  assert.ok((await page.locator(".finding").allInnerTexts()).every((one) => one.includes("SO_LINGER")));
  await page.selectOption("#filter-service", "6379");
  const both = await text(page, "#selection");
  await page.goBack();
  await until(async () => assert.match(await text(page, "#selection"), new RegExp(`^${digits(linger)} of`)));
  await page.goForward();
  await until(async () => assert.equal(await text(page, "#selection"), both));
  await page.reload();
  assert.equal(await text(page, "#selection"), both);
  await page.click("#clear");
  assert.equal(await text(page, "#selection"), "");
  assert.equal(await hash(page), "");
});

await test("each filter's parts add up to the whole", async (open) => {
  const page = await open("many");
  for (const [filter, label] of [["service", "port"], ["program", "process"], ["peer", "peer"]]) {
    const options = (await page.locator(`#filter-${filter} option`).allInnerTexts()).slice(1);
    const total = options.reduce((sum, one) => sum + Number(one.match(/\(([\d,]+)\)$/)[1].replaceAll(",", "")), 0);
    assert.equal(total, many.connections, label);
  }
  assert.ok((await page.locator("#filter-peer option").allInnerTexts()).includes(`192.0.2.7 (${digits(10000)})`), "the frequent peer has a line");
});

await test("the search finds what it is asked for", async (open) => {
  const page = await open("real");
  await page.fill("#filter-q", "welcome_server_close");
  const found = await page.locator(".finding").allInnerTexts();
  assert.ok(found.length >= 1 && found.every((one) => one.includes("welcome_server_close")));
  assert.match(await hash(page), /^#q=welcome_server_close$/);
  await page.fill("#filter-q", "no such thing");
  assert.equal(await text(page, "h1"), "No connection is like this");
});

await test("a link opens its finding", async (open) => {
  let page = await open("real");
  const last = await page.locator(".finding").last().getAttribute("id");
  assert.match(last, /^finding-[a-z-]+-[0-9a-f]{12}-[0-9]+$/);
  page = await open("real", "#" + last);
  assert.ok(await page.locator(`#${last}[open]`).isVisible());
  await until(async () => assert.equal(await page.evaluate(() => document.activeElement.closest("details")?.id), last));
  await until(async () => {
    const top = await page.locator(`#${last}`).boundingBox();
    assert.ok(top.y >= 0 && top.y < 900, "it is in view");
  });
});

await test("a link in the page is followed", async (open) => {
  const page = await open("real");
  await page.locator(".worst a").nth(1).click();
  await until(async () => assert.notEqual(await hash(page), ""));
  const id = decodeURIComponent((await hash(page)).slice(1));
  await until(async () => assert.ok(await page.locator(`#${id}[open] .finding-body`).isVisible()));
  await page.goBack();
  await until(async () => assert.equal(await hash(page), ""));
});

await test("the timeline zooms: keys, buttons, dragging", async (open) => {
  const page = await open("many");
  const window = async () => ((await hash(page)).match(/t=(\d+)-(\d+)/) || []).slice(1).map(Number);
  const label = () => page.locator("svg.time").getAttribute("aria-label");
  const all = await label();
  await page.locator("svg.time").focus();
  await page.keyboard.press("+");
  const [from, to] = await window();
  assert.ok(to > from && await label() !== all);
  await page.keyboard.press("ArrowRight");
  const later = await window();
  assert.ok(later[0] > from && Math.abs(later[1] - later[0] - (to - from)) <= 1);
  await page.keyboard.press("0");
  assert.equal(await label(), all);
  const box = await page.locator("svg.time").boundingBox();
  await page.mouse.move(box.x + box.width * 0.25, box.y + 50);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 50, { steps: 3 });
  await page.mouse.up();
  const dragged = await window();
  assert.ok(dragged[1] - dragged[0] < (to - from), "a quarter is less than a half");
  assert.match(await text(page, "#timeline-readout"), /open|after the recording/);
  await page.getByRole("button", { name: "The whole time" }).click();
  assert.equal(await label(), all);
});

await test("over time each connection counts once, whatever became of it", async (open) => {
  const page = await open("teardowns", "#t=0-10000000000"); // all of it in one bar
  const label = await page.locator("svg.time").getAttribute("aria-label");
  const { connections, totals } = reportOf("teardowns");
  assert.ok(totals.teardown["half-close"] && totals.teardown.drained);
  assert.match(label, new RegExp(`at most ${connections} connections at a time, ${abrupt({ totals })} ended abruptly`));
});

await test("distributions and places are there, as tables too", async (open) => {
  const page = await open("many");
  assert.equal(await page.locator("#sizes .card svg").count(), 4);
  await page.locator("#sizes summary").first().click();
  assert.match(await page.locator("#sizes table").first().innerText(), /KiB to/);
  const ports = page.locator(".place-table").first().locator("tbody tr");
  assert.equal(await ports.count(), 4);
  const port = many.time_wait.ports.find((one) => one.port === 80);
  const line = await ports.filter({ has: page.getByRole("button", { name: "80", exact: true }) }).innerText();
  assert.ok(line.includes(digits(port.count)), `${line} has ${digits(port.count)}`);
  await ports.first().getByRole("button").click();
  assert.match(await hash(page), /service=80$/);
});

await test("dark where the system is, and by the switch", async (open) => {
  const page = await open("real", "", { colorScheme: "dark" });
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await paper();
  await page.screenshot({ path: `${place}/dark.png`, fullPage: true });
  await page.click("#theme");
  assert.equal(await text(page, "#theme"), "Theme: light");
  assert.equal(await paper(), "rgb(255, 255, 255)");
  await page.click("#theme");
  assert.equal(await paper(), dark);
  assert.notEqual(dark, "rgb(255, 255, 255)");
});

await test("all by the keyboard", async (open) => {
  const page = await open("real");
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.tagName.toLowerCase());
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
  await page.keyboard.press("Enter");
  assert.equal(await focus(), "main");
  await page.keyboard.press("/");
  assert.equal(await focus(), "filter-q");
  const seen = [];
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press("Tab");
    seen.push(await page.evaluate(() => document.activeElement.id || document.activeElement.closest("details.finding")?.id || document.activeElement.className));
    if (await page.evaluate(() => document.activeElement.matches("details.finding:not([open]) > summary"))) break;
  }
  assert.deepEqual(seen.slice(0, 4), ["filter-program", "filter-service", "filter-peer", "filter-verdict"]);
  const id = await page.evaluate(() => document.activeElement.closest("details").id);
  await page.keyboard.press("Enter");
  await page.locator(`#${id}[open] .finding-body`).waitFor(); // it is made when the browser tells that it was opened
});

await test("on paper every finding is open, and no control", async (open) => {
  const page = await open("real", "", { colorScheme: "dark" });
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.locator(".finding .finding-body").count(), await page.locator(".finding").count());
  assert.ok(await page.locator(".finding .ladder").last().isVisible());
  assert.ok(!await page.locator("#filters").isVisible());
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  await page.evaluate(() => dispatchEvent(new Event("afterprint")));
  assert.equal(await page.locator(".finding[open]").count(), 1);
  await page.emulateMedia({ media: null });
  assert.ok((await page.pdf({ path: `${place}/real.pdf`, format: "A4" })).length > 20000);
});

await test("what is recorded is text, never more", async (open) => {
  const page = await open("treacherous");
  await unfold(page);
  assert.equal(await page.title(), "halfclose: 1.hc");
  assert.equal(await page.evaluate(() => document.scripts.length), 2);
  assert.equal(await page.evaluate(() => document.querySelectorAll("img, b, iframe").length), 0);
  const all = await text(page, "main");
  assert.ok(all.includes("/tmp/</script><script>document.title=1</script>"));
  assert.ok(!all.match(/[\u202a-\u202e\u2066-\u2069]/), "no direction is turned");
  assert.match(all, /\\u202ecod\.exe/);
  assert.match(all, /18\.4\u00a0EB/);
  assert.ok(!all.includes("NaN") && !all.includes("undefined") && !all.includes("Infinity"), "no number is none");
});

await test("where all is well it says so", async (open) => {
  assert.match(await text(await open("clean"), "h1"), /^All is well: /);
  assert.equal(await text(await open("nothing"), "h1"), "No connection was recorded");
});

await test("no page is wider than the screen", async (open) => {
  for (const name of ["real", "many", "treacherous", "nothing"])
    for (const width of [360, 1600]) {
      const page = await open(name, "", { viewport: { width, height: 800 } });
      await unfold(page);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} at ${width}`);
      if (width === 360 && name === "real") await page.screenshot({ path: `${place}/narrow.png`, fullPage: true });
    }
});

for (const colorScheme of ["light", "dark"])
  await test(`nothing is inaccessible, ${colorScheme}`, async (open) => {
    for (const name of colorScheme === "dark" ? ["real"] : ["real", "many", "nothing"]) {
      const page = await open(name, "", { colorScheme, bypassCSP: true });
      await unfold(page);
      await page.evaluate(axe);
      // in the dark the colours alone are others
      const { violations, passes } = await page.evaluate((dark) => window.axe.run(dark ? { runOnly: ["cat.color"] } : {}), colorScheme === "dark");
      assert.deepEqual(violations.map((one) => `${name}: ${one.id}: ${one.nodes[0].html.slice(0, 120)}`), []);
      assert.ok(passes.length >= (colorScheme === "dark" ? 1 : 20));
    }
  });

await test("nothing was asked of any network, and nothing complained", async () => {
  assert.deepEqual(complaints, []);
});

await browser.close();
process.exit(failed ? 1 : 0);
