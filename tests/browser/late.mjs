// A notice that nobody answers in time reaches the supervisor: in browsers, among nodes whose clock this script moves. People
// set up their accounts themselves first, from the code that they were given.

import { renameSync, writeFileSync } from "node:fs";

import { PHONE, check, enter, faults, finish, go, launch, partners, picture, until } from "./browser.mjs";
import { FAMILY, button, coordinate, giveSignal, openNotice, press, sees } from "./steps.mjs";

const { partners: all, pictures } = partners();
const [first, second] = all;
const family = { ...FAMILY, bsn: "", given: "Merel", family: "Vlasblom", day: "3", month: "5", year: "2012" };

/** Sets an account up, on the page that is for it. */
async function activate(browser, partner, signIn) {
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${partner.address}/activate`);
  const fields = { user: signIn.user, activation: signIn.code, password: signIn.password, again: signIn.password };
  for (const [field, text] of Object.entries(fields)) await page.fill(`#${field}`, text);
  await page.locator("main form button").click();
  await page.waitForURL((url) => url.pathname !== "/activate");
  await page.context().close();
}

async function open(browser, partner, role, viewport) {
  const signIn = partner.sign_ins.find((one) => one.role === role);
  const context = await browser.newContext({ bypassCSP: true, locale: "nl-NL", reducedMotion: "reduce", ...(viewport && { viewport }) });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.address = partner.address;
  page.who = `${signIn.user}@${partner.partner}`;
  await enter(page, signIn);
  return page;
}

function setClock(seconds) {
  writeFileSync(`${first.clock.file}.new`, String(seconds));
  renameSync(`${first.clock.file}.new`, first.clock.file);
}

const list = (page, heading) => page.locator(`h2:has-text("${heading}") + ul.rows > li`);

const browser = await launch();
try {
  for (const partner of all) for (const signIn of partner.sign_ins) await activate(browser, partner, signIn);
  const anna = await open(browser, first, "professional");
  const bram = await open(browser, second, "professional");
  for (const [page, reference] of [[anna, "L-1"], [bram, "L-2"]]) {
    // This network has several purposes.
    await giveSignal(page, reference, family, async (step) => { if (step === "who") await page.selectOption("#purpose", { index: 1 }); });
  }
  await openNotice(bram, "L-2");
  await coordinate(bram);
  await openNotice(anna, "L-1");
  const deadline = (await anna.locator(".note strong").first().innerText()).replace("Uiterlijk ", "");
  const before = await open(browser, first, "supervisor");
  await go(before, "/team");
  if ((await list(before, "Wacht te lang").count()) !== 0) faults.push("control: something waits too long at once");
  if ((await list(before, "Andere signalen van mijn team").count()) === 0) faults.push("control: the supervisor does not see the signal");

  setClock(first.clock.late);
  for (const [width, viewport] of [["wide", undefined], ["phone", PHONE]]) {
    const sam = await open(browser, first, "supervisor", viewport);
    await go(sam, "/team");
    await until(sam, "the notice waits too long", async (page) => (await list(page, "Wacht te lang").count()) === 1);
    const row = await list(sam, "Wacht te lang").innerText();
    for (const text of ["L-1", "Van Anna Appel", `Dit moest uiterlijk ${deadline}`]) {
      if (!row.includes(text)) faults.push(`${width}: the supervisor's page does not say "${text}": ${row}`);
    }
    await check(sam, `late ${width}`);
    await picture(sam, pictures, `late-team-${width}`);
    await press(sam, list(sam, "Wacht te lang").locator("a"));
    await sees(sam, "Dit had al gedaan moeten zijn.");
    if (!(await sam.locator("h1").innerText()).includes("andere organisatie betrokken")) faults.push(`${width}: the notice does not open`);
    if ((await sam.locator(".note strong").first().innerText()) !== `Dit moest uiterlijk ${deadline}`) faults.push(`${width}: the notice does not say that it is late`);
    if ((await button(sam, "Ik wil afstemmen").count()) !== 1) faults.push(`${width}: the supervisor cannot answer it`);
    await check(sam, `late notice ${width}`);
    await picture(sam, pictures, `late-notice-${width}`);
    await sam.context().close();
  }
  // Who answered is not to blame; the other side sees that they waited.
  const again = await open(browser, second, "professional");
  await openNotice(again, "L-2");
  await sees(again, "De andere organisatie heeft niet op tijd gereageerd.");
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("late");
