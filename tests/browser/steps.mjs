// What people do on the pages, one function a step. With `keyboard` everything is done without a mouse.

import { go, until } from "./browser.mjs";

/** A family whose numbers are test numbers. */
export const FAMILY = { bsn: "999993653", given: "Roos", family: "Jaspers", day: "31", month: "3", year: "2014" };

/** Presses a button or follows a link, with the mouse or with the keyboard alone. */
export async function press(page, target) {
  const one = typeof target === "string" ? page.locator(target).first() : target.first();
  if (!page.keyboardOnly) return one.click();
  await one.waitFor();
  await one.evaluate((node) => { node.dataset.wanted = "yes"; });
  for (let tabs = 0; tabs < 200; tabs += 1) {
    const there = await page.evaluate(() => document.activeElement && document.activeElement.dataset.wanted === "yes");
    if (there) break;
    await page.keyboard.press("Tab");
  }
  const name = await one.evaluate((node) => node.tagName + (node.type || ""));
  if (!(await page.evaluate(() => document.activeElement.dataset.wanted === "yes"))) throw new Error(`${page.who}: the keyboard does not reach ${target}`);
  await Promise.all([
    page.waitForNavigation({ waitUntil: "load" }).catch(() => {}),
    page.keyboard.press("Enter"),
  ]);
  return name;
}

/** Chooses one of a group. */
export async function choose(page, id) {
  const radio = page.locator(`#${id}`);
  if (!page.keyboardOnly) return page.locator(`label[for="${id}"]`).click();
  await radio.focus();
  await page.keyboard.press("Space");
  if (!(await radio.isChecked())) throw new Error(`${page.who}: the keyboard does not choose ${id}`);
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });
export const link = (page, name) => page.getByRole("link", { name, exact: true });

/** Gives a signal, page by page. */
export async function giveSignal(page, reference, family = FAMILY, seen = async () => {}) {
  await go(page, "/signals/new");
  await seen("weigh");
  await choose(page, "decision");
  await press(page, button(page, "Verder"));
  await seen("who");
  await page.fill("#reference", reference);
  await choose(page, "role");
  if (family.bsn && (await page.locator("#bsn").count()) > 0) await page.fill("#bsn", family.bsn);
  await page.fill("#given_names", family.given);
  await page.fill("#family_name", family.family);
  await page.fill("#birth_date", family.day);
  await page.fill("#birth_date-month", family.month);
  await page.fill("#birth_date-year", family.year);
  await press(page, button(page, "Nog iemand toevoegen"));
  await seen("who-more");
  await press(page, button(page, "Verder"));
  await seen("reach");
  await press(page, button(page, "Verder"));
  await seen("family");
  await choose(page, "informed");
  await press(page, button(page, "Verder"));
  await seen("check");
  await press(page, button(page, "Signaal afgeven"));
  await page.waitForURL(/\/given$/);
  await seen("given");
  return page.url().match(/signals\/([0-9a-f]+)\/given/)[1];
}

/** Opens the notice of a case, as soon as there is one. */
export async function openNotice(page, reference) {
  await go(page, "/");
  const row = () => page.locator('.rows a[href^="/notices/"]', { hasText: new RegExp(`^${reference}$`) });
  await until(page, `a notice about ${reference}`, async () => (await row().count()) > 0);
  await press(page, row());
  await page.waitForURL(/\/notices\//);
}

export async function coordinate(page) {
  await press(page, button(page, "Ik wil afstemmen"));
  if ((await page.locator("#phone").count()) > 0) await press(page, button(page, "Ik wil afstemmen"));
  await until(page, "the answer is there", async () => (await page.getByText("Uw antwoord is verstuurd.").count()) + (await page.getByText("Wil afstemmen").count()) > 0);
}

export const sees = (page, text) => until(page, text, async () => (await page.locator("main").innerText()).includes(text));

export async function recordContact(page) {
  await press(page, button(page, "Contact vastleggen"));
  await sees(page, "Er was toch geen contact");
}

export async function close(page, value = "leadAgreed") {
  const radio = page.locator(`input[name="outcome"][value="${value}"]`).first();
  await choose(page, await radio.getAttribute("id"));
  await press(page, button(page, "Afsluiten"));
  await sees(page, "Weer openen");
}
