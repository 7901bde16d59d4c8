// Two professionals and a privacy officer go through a story in browsers with a profile on disk, and fill in values that are
// found nowhere else. Writes down every address, header and store of the browsers; the test searches that, and the profiles.
// Plants the values at the end in a third profile, where they must be found.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { faults, finish, go, launchWith, partners, person } from "./browser.mjs";
import { button, choose, close, link, openNotice, press, recordContact, sees } from "./steps.mjs";

const { partners: all } = partners();
const place = process.argv[3];
const canaries = JSON.parse(readFileSync(path.join(place, "canaries.json"), "utf8"));
const seen = [];

/** Writes down what a browser asks for, and with which headers it is answered. */
async function browserOf(name) {
  const profile = path.join(place, "profiles", name);
  mkdirSync(profile, { recursive: true });
  const context = await launchWith(profile);
  context.setDefaultTimeout(30_000);
  context.on("request", async (request) => {
    const headers = await request.allHeaders().catch(() => request.headers());
    delete headers.cookie;
    seen.push({ who: name, asked: request.url(), headers });
  });
  context.on("response", async (answer) => {
    const headers = await answer.allHeaders().catch(() => answer.headers());
    delete headers["set-cookie"];
    seen.push({ who: name, answered: answer.url(), status: answer.status(), headers });
    const asset = new URL(answer.url()).pathname.startsWith("/assets/");
    if (!asset && headers["cache-control"] !== "no-store") faults.push(`${answer.url()} may be cached: ${headers["cache-control"]}`);
  });
  context.on("page", (page) => page.on("framenavigated", (frame) => seen.push({ who: name, at: frame.url() })));
  return context;
}

/** What scripts of the site could have kept. */
async function stores(page, who) {
  const kept = await page.evaluate(async () => ({
    title: document.title,
    address: location.href,
    referrer: document.referrer,
    cookies: document.cookie,
    local: { ...localStorage },
    session: { ...sessionStorage },
    databases: await indexedDB.databases(),
    caches: window.caches ? await caches.keys() : [],
    workers: navigator.serviceWorker ? (await navigator.serviceWorker.getRegistrations()).length : 0,
    state: history.state,
    name: window.name,
  }));
  const cookies = await page.context().cookies();
  seen.push({ who, kept, cookies });
  const counts = [Object.keys(kept.local), Object.keys(kept.session), kept.databases, kept.caches];
  if (counts.some((one) => one.length > 0) || kept.workers > 0) faults.push(`${who}: something is kept in the browser`);
}

async function fillPerson(page, family) {
  if ((await page.locator("#bsn").count()) > 0) await page.fill("#bsn", family.bsn);
  for (const field of ["given_names", "name_prefix", "family_name", "postal_code", "house_number", "house_number_suffix"]) {
    await page.fill(`#${field}`, family[field]);
  }
  const [year, month, day] = family.birth_date.split("-");
  await page.fill("#birth_date", day);
  await page.fill("#birth_date-month", month);
  await page.fill("#birth_date-year", year);
}

/** Gives a signal with something wrong at every step first, so that every page has shown it once more. */
async function signal(page, reference, who) {
  await go(page, "/signals/new");
  await choose(page, "decision");
  await press(page, button(page, "Verder"));
  await page.fill("#reference", reference);
  await fillPerson(page, canaries.family);
  await press(page, button(page, "Verder"));
  await page.waitForSelector(".summary");
  await choose(page, "role");
  await press(page, button(page, "Nog iemand toevoegen"));
  await press(page, button(page, "Verder"));
  const contact = canaries.contact;
  await page.selectOption("#function", { index: 1 });
  for (const field of ["name", "phone", "email"]) await page.fill(`#${field}`, contact[field]);
  await press(page, button(page, "Verder"));
  await choose(page, "informed-unsafe");
  await page.selectOption("#reason", "out-of-reach");
  await press(page, button(page, "Verder"));
  await stores(page, who);
  await press(page, button(page, "Signaal afgeven"));
  await page.waitForURL(/\/given$/);
  await press(page, link(page, "Bekijk uw signaal"));
  await page.waitForURL(/\/signals\/[0-9a-f]+$/);
  if (!(await page.locator("main").innerText()).includes(canaries.family.family_name)) faults.push("control: the page does not show the family");
  await stores(page, who);
  await press(page, link(page, "Brief voor het gezin afdrukken"));
  await page.waitForURL(/\/sheet$/);
  await page.goBack();
  await page.goBack();
}

async function answer(page, reference) {
  await openNotice(page, reference);
  await press(page, button(page, "Ik wil afstemmen"));
  await sees(page, "Wil afstemmen");
}

/** Somebody asks what is held about them. */
async function request(context) {
  const page = await person(null, all[0], "functionaris gegevensbescherming", { context });
  await go(page, "/access-request");
  await fillPerson(page, canaries.family);
  await press(page, page.locator("main form.page button"));
  await page.waitForLoadState("load");
  if (!(await page.locator("main").innerText()).includes(canaries.references[0])) faults.push("control: the answer does not name the case");
  await stores(page, "officer");
}

/** What must be found: an address, a store and a page that may be cached. */
async function plant(context) {
  const page = await person(null, all[0], 0, { context });
  await go(page, `/nowhere?reference=${canaries.references[0]}`);
  await page.route("**/planted", (route) => route.fulfill({
    headers: { "cache-control": "max-age=3600", "content-type": "text/html" },
    body: `<title>${canaries.contact.email}</title>`,
  }));
  await page.evaluate((value) => localStorage.setItem("draft", value), canaries.family.family_name);
  await go(page, "/planted");
  await page.waitForTimeout(1_500);
}

try {
  const contexts = {};
  for (const name of ["anna", "bram", "officer"]) contexts[name] = await browserOf(name);
  const anna = await person(null, all[0], 0, { context: contexts.anna });
  const bram = await person(null, all[1], 0, { context: contexts.bram });
  await signal(anna, canaries.references[0], "anna");
  await signal(bram, canaries.references[1], "bram");
  await answer(anna, canaries.references[0]);
  await answer(bram, canaries.references[1]);
  for (const page of [anna, bram]) await sees(page, canaries.contact.name);
  await recordContact(anna);
  await press(anna, button(anna, "Ik word het aanspreekpunt"));
  await sees(bram, "Wil dit graag zijn");
  await press(bram, button(bram, "Daar ben ik het mee eens"));
  await sees(anna, "Afgesproken");
  await close(anna, "leadAgreed");
  await request(contexts.officer);
  for (const page of [anna, bram]) await stores(page, page.who);
  // So that the browsers have written what they mean to write.
  await anna.waitForTimeout(1_500);
  for (const context of Object.values(contexts)) await context.close();
  writeFileSync(path.join(place, "seen.json"), JSON.stringify(seen));
  seen.length = 0;
  const before = faults.length;
  const planted = await browserOf("planted");
  await plant(planted);
  await planted.close();
  writeFileSync(path.join(place, "planted.json"), JSON.stringify(seen));
  if (faults.length === before) faults.push("control: a page that may be cached was not noticed");
  else faults.length = before;
} catch (error) {
  faults.push(String(error.stack || error));
}
finish("canaries");
