// Every page for every role: who gets it, who is told that it is not for them, and to whom it is not there. And every form
// without the session's word, or from elsewhere: refused.

import { faults, finish, go, headersOf, launch, partners, person } from "./browser.mjs";
import { FAMILY, giveSignal, openNotice } from "./steps.mjs";

const { partners: all } = partners();
const [first, second] = all;
const NOBODY = "0".repeat(32);

/** In the order of the columns below. */
const ROLES = [
  [0, "professional"], [1, "colleague of the team"], ["aandachtsfunctionaris", "supervisor"],
  ["functioneel beheerder", "functional administrator"], ["technisch beheerder", "technical administrator"],
  ["functionaris gegevensbescherming", "privacy officer"], ["toezichthouder", "board auditor"],
];

const rows = (signal, notice) => [
  ["/", 200, 200, 303, 303, 303, 303, 303],
  ["/account", 200, 200, 200, 200, 200, 200, 200],
  ["/signals/new", 200, 200, 403, 403, 403, 403, 403],
  ["/absence", 200, 200, 403, 403, 403, 403, 403],
  ["/expiring", 200, 200, 200, 403, 403, 403, 403],
  ["/team", 200, 200, 200, 403, 403, 403, 403],
  ["/people", 403, 403, 403, 200, 403, 403, 403],
  ["/people/new", 403, 403, 403, 200, 403, 403, 403],
  [`/people/${NOBODY}`, 403, 403, 403, 404, 403, 403, 403],
  ["/import", 403, 403, 403, 200, 403, 403, 403],
  ["/network", 403, 403, 403, 403, 200, 403, 403],
  ["/access-request", 403, 403, 403, 403, 403, 200, 403],
  ["/audit", 403, 403, 403, 403, 403, 200, 200],
  ["/audit/3", 403, 403, 403, 403, 403, 200, 200],
  [`/signals/${signal}`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${signal}/given`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${signal}/sheet`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${signal}/renew`, 200, 403, 200, 403, 403, 403, 403],
  [`/signals/${signal}/withdraw`, 200, 403, 200, 403, 403, 403, 403],
  [`/signals/${signal}/hand-over`, 200, 403, 200, 403, 403, 403, 403],
  [`/notices/${notice}`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${signal}/take-over`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${signal}/decline`, 200, 200, 200, 403, 403, 403, 403],
  [`/notices/${notice}/mute`, 200, 200, 200, 403, 403, 403, 403],
  [`/signals/${NOBODY}`, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}`, 404, 404, 404, 403, 403, 403, 403],
  [`/signals/new/${NOBODY}/who`, 303, 303, 403, 403, 403, 403, 403],
  ["/nowhere", 404, 404, 404, 404, 404, 404, 404],
];

/** Forms that somebody without the role sends with the right word: who gets 403 or 404, in the same order. None changes anything. */
const forms = (signal, notice) => [
  ["/signals/new", { decision: "no" }, 200, 200, 403, 403, 403, 403, 403],
  ["/absence", { action: "set" }, 400, 400, 403, 403, 403, 403, 403],
  ["/team/assign", {}, 403, 403, 400, 403, 403, 403, 403],
  ["/people/teams", { team: "" }, 403, 403, 403, 400, 403, 403, 403],
  ["/people/new", {}, 403, 403, 403, 400, 403, 403, 403],
  ["/access-request", {}, 403, 403, 403, 403, 403, 400, 403],
  [`/signals/${signal}/hand-over`, { colleague: NOBODY }, 400, 403, 400, 403, 403, 403, 403],
  // Who owns it already takes over nothing new.
  [`/signals/${signal}/take-over`, {}, 303, 403, 403, 403, 403, 403, 403],
  // Nobody was asked to.
  [`/signals/${signal}/decline`, {}, 403, 403, 403, 403, 403, 403, 403],
  [`/signals/${NOBODY}/decline`, {}, 404, 404, 404, 403, 403, 403, 403],
  [`/signals/${NOBODY}/renew`, {}, 404, 404, 404, 403, 403, 403, 403],
  [`/signals/${NOBODY}/withdraw`, {}, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}/respond`, { match: NOBODY, answer: "together" }, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}/contact`, { match: NOBODY, had: "no" }, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}/lead`, { action: "claim" }, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}/close`, { match: NOBODY, outcome: "planMade" }, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${NOBODY}/mute`, { muted: "yes" }, 404, 404, 404, 403, 403, 403, 403],
  [`/notices/${notice}/not-right`, { match: NOBODY, reason: "duplicate" }, 404, 403, 404, 403, 403, 403, 403],
];

const get = (page, path) => page.request.get(page.address + path, { maxRedirects: 0, headers: { accept: "text/html" } });

function post(page, path, form, origin = page.address) {
  const headers = origin ? { origin } : {};
  return page.request.post(page.address + path, { maxRedirects: 0, headers, form });
}

function expect(name, answer, status) {
  if (answer.status() !== status) faults.push(`${name}: ${answer.status()} instead of ${status}`);
  headersOf(name, answer.url(), answer.headers());
}

const browser = await launch();
try {
  const anna = await person(browser, first, 0);
  const bram = await person(browser, second, 0);
  const family = { ...FAMILY, bsn: "", given: "Luna", family: "Oosterwegel", day: "29", month: "1", year: "2012" };
  const signal = await giveSignal(anna, "M-1", family);
  await giveSignal(bram, "M-2", family);
  await openNotice(anna, "M-1");
  const notice = new URL(anna.url()).pathname.split("/").pop();
  for (const [column, [role, called]] of ROLES.entries()) {
    const page = await person(browser, first, role);
    await go(page, "/account");
    const csrf = await page.locator('main input[name="csrf"]').first().getAttribute("value");
    for (const [path, ...statuses] of rows(signal, notice)) {
      expect(`${called} GET ${path}`, await get(page, path), statuses[column]);
    }
    for (const [path, form, ...statuses] of forms(signal, notice)) {
      expect(`${called} POST ${path}`, await post(page, path, { csrf, ...form }), statuses[column]);
      expect(`${called} POST ${path} without the word`, await post(page, path, form), 403);
      expect(`${called} POST ${path} with a wrong word`, await post(page, path, { ...form, csrf: (csrf[0] === "A" ? "B" : "A") + csrf.slice(1) }), 403);
      expect(`${called} POST ${path} from elsewhere`, await post(page, path, { csrf, ...form }, "http://evil.example"), 403);
      expect(`${called} POST ${path} from nowhere`, await post(page, path, { csrf, ...form }, null), 403);
    }
    await page.context().close();
  }
  // The other partner's professional sees nothing of all this.
  for (const path of [`/signals/${signal}`, `/notices/${notice}`]) expect(`another partner GET ${path}`, await get(bram, path), 404);
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("matrix");
