// A browser as people of one partner use it: signing in, checking each page, taking pictures.

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";
import { HtmlValidate } from "html-validate";

const require = createRequire(import.meta.url);
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

const validator = new HtmlValidate({
  extends: ["html-validate:recommended"],
  rules: {
    // How it is written, not what it is.
    "void-style": "off",
    "no-trailing-whitespace": "off",
    "attr-quotes": "off",
    "attribute-boolean-style": "off",
    "attribute-empty-style": "off",
    "long-title": "off",
    "no-implicit-button-type": "off",
    // Several checkboxes of one name are a list.
    "form-dup-name": ["error", { shared: ["radio", "checkbox", "button", "submit"] }],
    // Fluent texts hold plain telephone numbers; the browser does not break them where it matters.
    "tel-non-breaking": "off",
  },
});

export const WIDE = { width: 1280, height: 900 };
export const PHONE = { width: 320, height: 640 };

const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const executablePath = process.env.TEST_CHROMIUM || "/usr/bin/chromium";

export function launch() {
  return chromium.launch({ executablePath, args: QUIET });
}

/** A browser with a profile on disk, as people have. */
export function launchWith(profile) {
  const args = [...QUIET, "--disk-cache-size=100000000"];
  return chromium.launchPersistentContext(profile, { executablePath, args, locale: "nl-NL", viewport: WIDE });
}

/** What was wrong with pages; empty is good. */
export const faults = [];

/** Somebody at a browser of their own. */
export async function person(browser, partner, role, options = {}) {
  const signIn = partner.sign_ins.find((one) => one.role === role) || partner.sign_ins[role];
  const context = options.context || await browser.newContext({
    viewport: options.viewport || WIDE,
    javaScriptEnabled: options.javaScript !== false,
    locale: options.locale || "nl-NL",
    // Scripts of ours may not run what tests inject; only the checks themselves need this.
    bypassCSP: options.checks === true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.address = partner.address;
  page.who = `${signIn.user}@${partner.partner}`;
  await enter(page, signIn);
  return page;
}

/** What every answer carries; pages are never kept, and assets say how long they are. */
const HEADERS = {
  "content-security-policy": /^default-src 'none'; script-src 'self'; style-src 'self'; (?!.*unsafe)/,
  "strict-transport-security": /^max-age=31536000/,
  "x-content-type-options": /^nosniff$/,
  "x-frame-options": /^DENY$/,
  "referrer-policy": /^same-origin$/,
  "permissions-policy": /camera=\(\)/,
  "cross-origin-opener-policy": /^same-origin$/,
  "cross-origin-resource-policy": /^same-origin$/,
  "cache-control": /^no-store$/,
};
let answers = 0;

/** Says where a header is missing. */
export function headersOf(name, url, headers) {
  answers += 1;
  const asset = new URL(url).pathname.startsWith("/assets/");
  for (const [header, right] of Object.entries(HEADERS)) {
    // What a browser kept itself it tells without this one; assets may be kept.
    if (asset && ["cache-control", "strict-transport-security"].includes(header)) continue;
    if (!right.test(headers[header] || "")) faults.push(`${name}: ${header} is ${headers[header]}`);
  }
}

/** Hears every answer that a page gets, redirects and errors too; remembers the last document as it was sent. */
export function listen(page) {
  page.on("response", (answer) => {
    const path = new URL(answer.url()).pathname;
    headersOf(`${answer.request().method()} ${path} (${answer.status()})`, answer.url(), answer.headers());
    const redirected = answer.status() >= 300 && answer.status() < 400;
    if (answer.request().resourceType() !== "document" || redirected) return;
    page.sent = answer.text().catch(() => null);
    page.status = answer.status();
    // After a form that is answered with a page a browser keeps the form.
    const signIn = ["/sign-in", "/sign-in/second-factor", "/activate"].includes(path);
    if (answer.request().method() === "POST" && !signIn) faults.push(`POST ${path} is answered with a page`);
  });
}

/** Signs in on a page, and hears from then on what goes wrong on it. */
export async function enter(page, signIn) {
  listen(page);
  page.on("pageerror", (error) => faults.push(`${page.who}: script error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    // A page with status 400 is a page all the same; the browser notes it.
    if (message.type() === "error" && !text.includes("status of 40")) faults.push(`${page.who}: console: ${text}`);
  });
  await page.goto(`${page.address}/`);
  await page.fill("#user", signIn.user);
  await page.fill("#password", signIn.password);
  await page.click("main button");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

export function go(page, where) {
  return page.goto(page.address + where);
}

/** Everything that must hold on every page. */
export async function check(page, name) {
  const found = await page.evaluate(`${AXE}; axe.run({ runOnly: ${JSON.stringify(TAGS)} })`);
  for (const one of found.violations) {
    const where = one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).join(" | ");
    faults.push(`${name}: axe ${one.id}: ${where}`);
  }
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (overflow > 0) {
    const widest = await page.evaluate(() => {
      const all = [...document.body.querySelectorAll("*")];
      const out = all.filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1);
      return out.slice(0, 3).map((one) => `${one.tagName}.${one.className}`).join(", ");
    });
    faults.push(`${name}: ${overflow} px too wide: ${widest}`);
  }
  const text = await page.evaluate(() => document.body.innerText);
  for (const needed of ["112", "0800-2000", "Veilig Thuis"]) {
    if (!text.includes(needed)) faults.push(`${name}: the page does not say ${needed}`);
  }
  const kept = await page.evaluate(async () => ({
    address: location.pathname + location.search + location.hash,
    stored: localStorage.length + sessionStorage.length,
    cached: window.caches ? (await caches.keys()).length : 0,
    cookies: document.cookie,
  }));
  // No address says more than which page it is, and which random number it is about.
  if (!/^[a-z0-9/-]*$/.test(kept.address)) faults.push(`${name}: the address says too much: ${kept.address}`);
  if (kept.stored + kept.cached > 0) faults.push(`${name}: something is kept in the browser`);
  if (kept.cookies !== "") faults.push(`${name}: scripts can read a cookie`);
  const keys = await page.evaluate(() => {
    const key = /^[a-z]+(-[a-z0-9]+)+$/;
    return document.body.innerText.split("\n").filter((line) => key.test(line.trim()));
  });
  keys.forEach((line) => faults.push(`${name}: a text's key shows: ${line}`));
}

/** With the keyboard alone everything that can be used is reached, and one sees where one is. */
export async function reachable(page, name) {
  const wanted = await page.evaluate(() => {
    const usable = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const groups = new Set();
    const all = [...document.querySelectorAll(usable)].filter((one) => {
      if (!one.checkVisibility({ visibilityProperty: true })) return false;
      // A group of choices is one stop.
      const group = one.type === "radio" && `${one.form && one.form.action} ${one.name} ${[...document.forms].indexOf(one.form)}`;
      if (group && groups.has(group)) return false;
      if (group) groups.add(group);
      return true;
    });
    document.activeElement.blur();
    window.scrollTo(0, 0);
    return all.length;
  });
  const stops = new Set();
  const unseen = new Set();
  for (let tabs = 0; tabs < wanted + 8; tabs += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      const style = getComputedStyle(one);
      const shows = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
      const group = one.type === "radio" ? `radio ${one.name} ${[...document.forms].indexOf(one.form)}` : null;
      return { stop: group || [...document.querySelectorAll("*")].indexOf(one), shows, what: one.outerHTML.slice(0, 80) };
    });
    if (!stop) continue;
    stops.add(stop.stop);
    if (!stop.shows) unseen.add(stop.what);
  }
  stops.delete(-1);
  if (stops.size < wanted) faults.push(`${name}: the keyboard reaches ${stops.size} of ${wanted}`);
  unseen.forEach((what) => faults.push(`${name}: focus does not show on ${what}`));
}

/** The page as it came from the node is valid HTML. */
export async function valid(html, name) {
  const report = await validator.validateString(html);
  for (const result of report.results) {
    for (const one of result.messages) faults.push(`${name}: html ${one.ruleId}: ${one.message} (line ${one.line})`);
  }
}

/** Takes a picture of the whole page. */
export async function picture(page, dir, name) {
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: path.join(dir, `${name}.png`), fullPage: true });
}

/** Looks at the page that a browser shows now: as the node sent it, in both widths, with the keyboard; takes pictures. */
export async function inspect(page, name, pictures) {
  await valid(await page.sent, `${name} (${page.language})`);
  for (const [width, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
    await page.setViewportSize(viewport);
    await check(page, `${name} (${width}, ${page.language})`);
    if (page.language === "nl" || width === "phone") await picture(page, pictures, `${name}-${width}-${page.language}`);
  }
  await page.setViewportSize(WIDE);
  if (page.language === "nl") await reachable(page, name);
}

/** Takes a small picture for the README: what somebody sees of the page at once. */
export async function glimpse(page, dir, name, from = "h1") {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 1160, height: 780 });
  await page.locator(from).first().evaluate((node) => window.scrollTo(0, node.tagName === "H1" ? 0 : node.getBoundingClientRect().top + window.scrollY - 260));
  await page.screenshot({ path: path.join(dir, `tour-${name}.png`) });
  await page.setViewportSize(before);
}

/** Waits until something is so, fetching the page again meanwhile: others need a moment to hear. */
export async function until(page, what, test) {
  for (let tries = 0; tries < 120; tries += 1) {
    if (await test(page)) return;
    await page.waitForTimeout(500);
    await page.reload();
  }
  throw new Error(`${page.who}: ${what}: ${await page.locator("main").innerText()}`);
}

export function finish(name) {
  if (faults.length > 0) {
    console.error([...new Set(faults)].join("\n"));
    console.error(`${name}: ${new Set(faults).size} faults`);
    process.exit(1);
  }
  console.log(`${name}: no faults; ${answers} answers had their headers`);
}

export function partners() {
  const file = process.argv[2];
  if (!file) throw new Error("name the file with the sign-ins, and the directory for pictures");
  return { partners: JSON.parse(readFileSync(file, "utf8")), pictures: process.argv[3] || "pictures" };
}
