// The pages of a second factor, which the demonstration has not: setting it up, and the code at every sign-in. In both
// languages and widths, right and wrong. This script is the telephone; the node's clock stands still but for it.

import { createHmac } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";

import { faults, finish, inspect, launch, listen, partners } from "./browser.mjs";

const { partners: all, pictures } = partners();
const { address, clock, sign_ins: people } = all.find((partner) => partner.clock && partner.clock.seconds);
let now = clock.seconds;

/** Each code counts once: the next one half a minute later. */
function later() {
  now += 60;
  writeFileSync(`${clock.file}.new`, String(now));
  renameSync(`${clock.file}.new`, clock.file);
}

/** What an app shows (RFC 6238). */
function code(secret) {
  const bits = [...secret.replace(/\s/g, "")].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(now / 30)));
  const mac = createHmac("sha1", key).update(step).digest();
  const four = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(four % 1_000_000).padStart(6, "0");
}

const look = (page, name) => inspect(page, name, pictures);

/** Sends a form, and returns once its answer is there. */
async function send(page, fields) {
  for (const [field, text] of Object.entries(fields)) await page.fill(`#${field}`, text);
  const answered = page.waitForResponse((answer) => answer.request().method() === "POST");
  await page.locator("main form button").click();
  await answered;
  await page.waitForLoadState("load");
}

async function wrongCode(page, name) {
  await send(page, { code: "000000" });
  if ((await page.locator(".summary").count()) !== 1) faults.push(`${name}: a wrong code is not refused`);
  await look(page, `${name}-wrong`);
}

/** The node has seen the new time once it takes a code of it: until then that code is wrong. */
async function rightCode(page, secret, done) {
  later();
  for (let tries = 0; tries < 40; tries += 1) {
    await send(page, { code: code(secret) });
    if (await done()) return;
    await page.waitForTimeout(500);
  }
  throw new Error(`no code was taken: ${await page.locator("main").innerText()}`);
}

async function story(browser, language, signIn) {
  const locale = language === "nl" ? "nl-NL" : "en-GB";
  const page = await (await browser.newContext({ bypassCSP: true, locale, reducedMotion: "reduce" })).newPage();
  page.setDefaultTimeout(30_000);
  page.language = language;
  listen(page);
  await page.goto(`${address}/activate`);
  await send(page, { user: signIn.user, activation: signIn.code, password: signIn.password, again: signIn.password });
  const secret = await page.locator("#totp-secret").innerText();
  await look(page, "factor");
  await wrongCode(page, "factor");
  if ((await page.locator("#totp-secret").innerText()) !== secret) faults.push("a wrong code changes the secret");
  await rightCode(page, secret, async () => (await page.locator("#totp-secret").count()) === 0);
  await page.context().clearCookies();
  await page.goto(`${address}/sign-in`);
  await send(page, { user: signIn.user, password: signIn.password });
  if (!page.url().endsWith("/sign-in/second-factor")) faults.push(`a password alone leads to ${page.url()}`);
  await look(page, "second-factor");
  await wrongCode(page, "second-factor");
  await rightCode(page, secret, async () => !page.url().includes("/sign-in"));
  if ((await page.locator(`text=${signIn.name}`).count()) === 0) faults.push(`${signIn.name} is not signed in`);
  await page.context().close();
}

const browser = await launch();
try {
  await story(browser, "nl", people[0]);
  await story(browser, "en", people[1]);
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("second factor");
