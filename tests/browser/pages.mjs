// Every page and every error state, in both widths and both languages: no violation of WCAG (axe), nothing wider than the
// screen, valid HTML, no text that shows its key. Takes a picture of each.

import { readFileSync } from "node:fs";

import { faults, finish, go, inspect, launch, listen, partners, person } from "./browser.mjs";
import { FAMILY, button, coordinate, giveSignal, openNotice, press, sees } from "./steps.mjs";

const { partners: all, pictures } = partners();
const [first, second] = all;
/** A family that nobody else in the demonstration has. */
const OWN = { ...FAMILY, bsn: "", given: "Tessel", family: "Wolvekamp", day: "13", month: "4", year: "2011" };

/** Addresses of all pages that were looked at. */
const looked = new Set();

/** Looks at the page that a browser shows now: in both widths, and as the node sent it. */
async function look(page, name) {
  looked.add(new URL(page.url()).pathname);
  await inspect(page, name, pictures);
}

/** The address of a form, asked for: the page on which the form stands, which was looked at. */
async function behind(page, path) {
  const answer = await go(page, path);
  looked.add(path);
  if (answer.status() !== 200 || (await page.locator("h1").count()) !== 1) faults.push(`${path}: status ${answer.status()}`);
}

/** A page that can be asked for again. */
async function visit(page, path, name, status = 200) {
  const answer = await go(page, path);
  if (answer.status() !== status) faults.push(`${name}: status ${answer.status()} instead of ${status}`);
  await look(page, name);
}

/** A form that is sent with something wrong: the page says so at the top, in its title, and has the focus there. */
async function wrong(page, path, name, fill, before = async () => {}) {
  await go(page, path);
  await before();
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
  await fill(page);
  await answered;
  await page.waitForSelector(".summary");
  if (page.status !== 400) faults.push(`${name}: status ${page.status} instead of 400`);
  const title = await page.title();
  if (!/^(Fout|Error):/.test(title)) faults.push(`${name}: the title does not say that something is wrong: ${title}`);
  const focused = await page.evaluate(() => document.activeElement.className);
  if (focused !== "summary") faults.push(`${name}: the focus is not on the summary but on "${focused}"`);
  const dead = await page.evaluate(() =>
    [...document.querySelectorAll(".summary a")].filter((one) => !document.querySelector(one.getAttribute("href"))).length);
  if (dead > 0) faults.push(`${name}: ${dead} links of the summary lead nowhere`);
  await look(page, name);
}

const submit = (page) => page.locator("main form.page button, main form .actions button").last().click();
const firstButton = (page) => page.locator("main form.page .actions button").first().click();

async function inLanguage(page, language) {
  page.language = language;
  if ((await page.locator("html").getAttribute("lang")) !== language) {
    await page.locator('form[action="/language"] button').click();
    await page.waitForLoadState("load");
  }
}

async function professional(page, signal, notice) {
  await visit(page, "/", "overview");
  await visit(page, "/signals/new", "signal-weigh");
  await wrong(page, "/signals/new", "signal-weigh-wrong", submit);
  for (const [id, name] of [["decision-no", "signal-no"], ["decision-danger", "signal-danger"]]) {
    await go(page, "/signals/new");
    await page.locator(`label[for="${id}"]`).click();
    await submit(page);
    await page.waitForLoadState("load");
    await look(page, name);
  }
  await go(page, "/signals/new");
  await page.locator('label[for="decision"]').click();
  await submit(page);
  await page.waitForURL(/\/who$/);
  const draft = new URL(page.url()).pathname.replace(/\/who$/, "");
  await visit(page, `${draft}/who`, "signal-who");
  await wrong(page, `${draft}/who`, "signal-who-wrong", async () => {
    await page.fill("#bsn", "123");
    await page.fill("#given_names", "9");
    await page.fill("#birth_date", "32");
    await page.fill("#postal_code", "x");
    await page.fill("#house_number", "y");
    await firstButton(page);
  });
  await go(page, `${draft}/who`);
  await page.fill("#reference", "P-1");
  await page.locator('label[for="role"]').click();
  await page.fill("#given_names", FAMILY.given);
  await page.fill("#family_name", FAMILY.family);
  await page.fill("#birth_date", "1");
  await page.fill("#birth_date-month", "mei");
  await page.fill("#birth_date-year", "2016");
  await page.locator('button[value="add"]').click();
  await page.waitForLoadState("load");
  await look(page, "signal-who-more");
  await visit(page, `${draft}/reach`, "signal-reach");
  await wrong(page, `${draft}/reach`, "signal-reach-wrong", async () => {
    for (const field of ["#name", "#phone"]) await page.fill(field, "");
    await page.fill("#email", "nobody@nowhere");
    await page.selectOption("#function", "");
    await submit(page);
  });
  await visit(page, `${draft}/family`, "signal-family");
  await wrong(page, `${draft}/family`, "signal-family-wrong", submit);
  await wrong(page, `${draft}/family`, "signal-family-unsafe", async () => {
    await page.locator('label[for="informed-unsafe"]').click();
    await submit(page);
  });
  await page.locator('label[for="informed-unsafe"]').click();
  await page.selectOption("#reason", { index: 1 });
  await submit(page);
  await go(page, `${draft}/reach`);
  await page.fill("#name", "Sanne de Wit");
  await page.fill("#phone", "010 123 45 67");
  await page.fill("#email", "sanne@wijkteam.example");
  await page.selectOption("#function", "social-worker");
  await submit(page);
  await visit(page, `${draft}/check`, "signal-check");
  await signals(page, signal);
  await visit(page, "/expiring", "expiring");
  await visit(page, "/absence", "absence");
  await behind(page, "/absence/hand-over");
  await wrong(page, "/absence/hand-over", "absence-hand-over-wrong", () => page.locator('form[action="/absence/hand-over"] button').click());
  await wrong(page, "/absence", "absence-wrong", () => page.locator('button[value="set"]').click());
  await visit(page, "/team", "team");
  await visit(page, "/account", "account");
  await notices(page, notice);
  await visit(page, "/nowhere", "not-found", 404);
  await visit(page, "/network", "no-right", 403);
}

async function signals(page, signal) {
  await visit(page, `/signals/${signal}`, "signal");
  await visit(page, `/signals/${signal}/given`, "signal-given");
  await visit(page, `/signals/${signal}/sheet`, "sheet");
  await visit(page, `/signals/${signal}/renew`, "signal-renew");
  await visit(page, `/signals/${signal}/withdraw`, "signal-withdraw");
  for (const act of ["take-over", "decline"]) await behind(page, `/signals/${signal}/${act}`);
  await visit(page, `/signals/${signal}/hand-over`, "signal-hand-over");
  await wrong(page, `/signals/${signal}/hand-over`, "signal-hand-over-wrong", submit);
  await visit(page, `/signals/${"0".repeat(32)}`, "signal-not-found", 404);
}

/** A colleague is asked to take a signal over, and declines: what both of them see. */
async function handOver(browser, page, signal) {
  const colleague = await person(browser, first, 1, { checks: true });
  await inLanguage(colleague, page.language);
  await go(page, `/signals/${signal}/hand-over`);
  await page.selectOption("#colleague", { label: first.sign_ins[1].name });
  await submit(page);
  await page.waitForURL(/\/signals\/[0-9a-f]+$/);
  await look(page, "signal-offered");
  await visit(page, `/signals/${signal}/hand-over`, "signal-hand-over-asked");
  await visit(colleague, "/", "overview-asked");
  await visit(colleague, `/signals/${signal}`, "signal-asked");
  await colleague.locator('form[action$="/decline"] button').first().click();
  await colleague.waitForURL((url) => url.pathname === "/");
  await look(colleague, "overview-declining");
  await visit(page, "/", "overview-declined");
  await visit(page, `/signals/${signal}`, "signal-declined");
  await page.goto(`${page.address}/`);
  await page.locator('button[value="keep"]').click();
  await page.waitForLoadState("load");
  if ((await page.locator('button[value="keep"]').count()) > 0) faults.push("what was read is still there");
  // Asked again, and taken back.
  await go(page, `/signals/${signal}/hand-over`);
  await page.selectOption("#colleague", { label: first.sign_ins[1].name });
  await submit(page);
  await go(page, `/signals/${signal}/hand-over`);
  await page.locator('button[value="keep"]').click();
  await page.waitForURL((url) => url.pathname === "/");
  await go(colleague, "/");
  if ((await colleague.locator('form[action$="/decline"]').count()) > 0) faults.push("an offer that was taken back is still there");
  await colleague.context().close();
}

/** What was typed in a form of a session that has ended is there again. */
async function typedAgain(browser, language) {
  const page = await person(browser, first, 1, { checks: true });
  await inLanguage(page, language);
  await go(page, "/absence");
  await page.fill("#from", "31");
  const other = await person(browser, first, 1, { checks: true });
  await other.locator('form[action="/sign-out"] button').click();
  await other.waitForURL(/sign-in/);
  await page.locator('button[value="set"]').click();
  await page.waitForURL(/sign-in/);
  await look(page, "sign-in-ended");
  await page.fill("#user", first.sign_ins[1].user);
  await page.fill("#password", first.sign_ins[1].password);
  await page.locator("main form button").click();
  await page.waitForURL(/absence$/);
  if ((await page.inputValue("#from")) !== "31") faults.push("what was typed when the session ended is gone");
  await look(page, "absence-typed-again");
  await page.context().close();
  await other.context().close();
}

async function notices(page, notice) {
  for (const act of ["respond", "not-right", "contact", "lead", "close", "mute"]) await behind(page, `/notices/${notice}/${act}`);
  await visit(page, `/notices/${notice}`, "notice");
  await go(page, `/notices/${notice}`);
  await page.locator('form[action$="/not-right"] button').first().click();
  await page.waitForLoadState("load");
  await look(page, "not-right");
  await wrong(page, `/notices/${notice}`, "not-right-wrong", () => page.locator("main form.page .actions button").click(), async () => {
    await page.locator('form[action$="/not-right"] button').first().click();
    await page.waitForSelector("#reason");
  });
  await wrong(page, `/notices/${notice}`, "notice-contact-wrong", async () => {
    await page.fill('input[name="on_day"]', "40");
    await page.locator('form[action$="/contact"] button[value="yes"]').first().click();
  });
  await wrong(page, `/notices/${notice}`, "notice-close-wrong", () => page.locator('form[action$="/close"] > button').first().click(), () => page.locator("section details > summary").first().click());
}

async function offices(browser, language) {
  const as = async (role) => {
    const page = await person(browser, first, role, { checks: true });
    await inLanguage(page, language);
    return page;
  };
  let page = await as("aandachtsfunctionaris");
  await visit(page, "/team", "team-supervisor");
  await behind(page, "/team/assign");
  await page.context().close();
  page = await as("functioneel beheerder");
  await visit(page, "/people", "people");
  await behind(page, "/people/teams");
  await wrong(page, "/people", "people-team-wrong", () => page.locator('form[action="/people/teams"] button').click());
  await visit(page, "/people/new", "person-new");
  await wrong(page, "/people/new", "person-new-wrong", submit);
  await go(page, "/people");
  await page.locator('.rows a[href^="/people/"]').first().click();
  await page.waitForLoadState("load");
  await look(page, "person");
  const name = language === "nl" ? "Nina Nieuw" : "Nora New";
  await go(page, "/people/new");
  const typed = { sign_in: name.split(" ")[0].toLowerCase(), name, email: "nieuw@wijkteam.example", phone: "088 100 40 99" };
  for (const [field, text] of Object.entries(typed)) await page.fill(`#${field}`, text);
  await page.selectOption("#function", { index: 1 });
  await page.check("#role-professional");
  await submit(page);
  await page.waitForSelector(".done");
  await look(page, "person-added");
  await visit(page, "/import", "import");
  await wrong(page, "/import", "import-unreadable", async () => {
    await page.setInputFiles("#file", { name: "x.csv", mimeType: "text/csv", buffer: Buffer.from("case,person,role,bsn,naam\n") });
    await page.locator('button[value="try"]').click();
  });
  await wrong(page, "/import", "import-wrong", () => page.locator('button[value="try"]').click());
  await go(page, "/import");
  const header = "case,person,role,bsn,given_names,name_prefix,family_name,birth_date,postal_code,house_number,house_number_suffix";
  const buffer = Buffer.from(`${header}\nI-1,1,child,,Piet,,Jansen,2015-02-03,1234AB,1,\nI-1,2,child,123,Jan,,Jansen,2015-02-03,,,\n`);
  await page.setInputFiles("#file", { name: "proef.csv", mimeType: "text/csv", buffer });
  await page.locator('button[value="try"]').click();
  await page.waitForSelector("[role=status]");
  await look(page, "import-tried");
  await page.context().close();
  page = await as("technisch beheerder");
  await visit(page, "/network", "network");
  await page.context().close();
  page = await as("functionaris gegevensbescherming");
  await visit(page, "/access-request", "access-request");
  await wrong(page, "/access-request", "access-request-wrong", submit);
  await go(page, "/access-request");
  await page.fill("#given_names", OWN.given);
  await page.fill("#family_name", OWN.family);
  await page.fill("#birth_date", OWN.day);
  await page.fill("#birth_date-month", OWN.month);
  await page.fill("#birth_date-year", OWN.year);
  await submit(page);
  await page.waitForLoadState("load");
  await look(page, "access-answer");
  await visit(page, "/audit", "audit");
  await visit(page, "/audit/3", "audit-earlier");
  await page.context().close();
}

async function signIn(browser, language) {
  const context = await browser.newContext({ bypassCSP: true, locale: language === "nl" ? "nl-NL" : "en-GB", reducedMotion: "reduce" });
  const page = await context.newPage();
  listen(page);
  page.address = first.address;
  page.language = language;
  await visit(page, "/sign-in", "sign-in");
  await wrong(page, "/sign-in", "sign-in-wrong", async () => {
    await page.fill("#user", "niemand");
    await page.fill("#password", "geen idee wat het is");
    await page.locator("main form button").click();
  });
  await visit(page, "/activate", "activate");
  await wrong(page, "/activate", "activate-wrong", () => page.locator("main form button").click());
  await context.close();
}

/** Every address at which the node has a page was looked at: so a new page is, or this fails. */
function everyPage() {
  const sources = ["pages.rs", "sign_in/handlers.rs"].map((file) =>
    readFileSync(new URL(`../../node/src/${file}`, import.meta.url), "utf8"));
  const routes = [...sources.join("\n").matchAll(/\.route\(\s*("[^"]+"|[A-Z_]+),\s*get\(/g)].map((found) => found[1]);
  const names = { SIGN_IN: "/sign-in", ACTIVATE: "/activate" };
  // A second factor is off in the demonstration (second_factor.mjs looks at it), and there is no provider; news and assets
  // are no pages.
  const others = ["SECOND_FACTOR", "START", "CALLBACK", '"/events"', '"/assets/{name}"'];
  const pages = routes.filter((route) => !others.includes(route)).map((route) => names[route] || route.slice(1, -1));
  if (pages.length < 35) faults.push(`only ${pages.length} pages were found in the source`);
  for (const route of pages) {
    const pattern = new RegExp(`^${route.replace(/\{[a-z]+\}/g, "[^/]+")}$`);
    if (![...looked].some((path) => pattern.test(path))) faults.push(`nobody looked at ${route}`);
  }
}

const browser = await launch();
try {
  const anna = await person(browser, first, 0, { checks: true });
  const bram = await person(browser, second, 0, { checks: true });
  const signal = await giveSignal(anna, "B-100", OWN);
  await giveSignal(bram, "W-200", OWN);
  await openNotice(anna, "B-100");
  await coordinate(anna);
  await openNotice(bram, "W-200");
  await coordinate(bram);
  await go(anna, "/");
  await openNotice(anna, "B-100");
  await sees(anna, "Zo bereikt u de ander");
  const notice = new URL(anna.url()).pathname.split("/").pop();
  for (const language of ["nl", "en"]) {
    await signIn(browser, language);
    await inLanguage(anna, language);
    await professional(anna, signal, notice);
    await handOver(browser, anna, signal);
    await typedAgain(browser, language);
    await offices(browser, language);
  }
  everyPage();
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("pages");
