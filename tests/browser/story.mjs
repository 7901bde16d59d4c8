// The whole story among three partners, in browsers: signal, notice, answer, cards, contact, lead, outcome, closed on both
// sides; a third partner joins; a colleague takes over during absence. Once as most people work, once on a narrow phone,
// with the keyboard alone and without scripts.

import { PHONE, check, faults, finish, glimpse, go, launch, partners, person, picture, until } from "./browser.mjs";
import { FAMILY, button, choose, close, coordinate, giveSignal, openNotice, press, recordContact, sees } from "./steps.mjs";

const { partners: all, pictures } = partners();
const [first, second, third] = all;
/** A family that nobody else in the demonstration has, without BSN: one of the partners may not use it. */
const family = (given, name, day) => ({ ...FAMILY, bsn: "", given, family: name, day, month: "2", year: "2013" });

async function story(browser, name, family, options) {
  const open = async (partner, role) => {
    const page = await person(browser, partner, role, options);
    page.keyboardOnly = options.keyboard === true;
    return page;
  };
  const taken = async (page, what) => {
    if (options.checks) await check(page, `${name} ${what}`);
    await picture(page, pictures, `${name}-${what}`);
  };
  const shown = async (page, what, from) => {
    if (options.tour) await glimpse(page, pictures, what, from);
  };
  const anna = await open(first, 0);
  const bram = await open(second, 0);
  const [ours, theirs, others] = [`${name}-1`, `${name}-2`, `${name}-3`];
  const signal = await giveSignal(anna, ours, family);
  await giveSignal(bram, theirs, family);

  await go(anna, "/");
  await until(anna, "the notice is there", (page) => page.locator('a[href^="/notices/"]', { hasText: ours }).count());
  await shown(anna, "overview");
  await openNotice(anna, ours);
  await shown(anna, "notice");
  await taken(anna, "1-notice");
  await coordinate(anna);
  await openNotice(bram, theirs);
  await coordinate(bram);
  for (const page of [anna, bram]) await sees(page, "Zo bereikt u de ander");
  await taken(bram, "2-cards");
  await shown(bram, "cards", "address");

  await recordContact(anna);
  await sees(bram, "Er was toch geen contact");
  await press(anna, button(anna, "Ik word het aanspreekpunt"));
  await sees(anna, "Wacht op de ander");
  await sees(bram, "Wil dit graag zijn");
  await taken(bram, "3-lead");
  await shown(bram, "lead", "#lead");
  await press(bram, button(bram, "Daar ben ik het mee eens"));
  await sees(anna, "Afgesproken");
  await close(anna, "leadAgreed");
  await sees(bram, "Uitkomst van de ander");
  await close(bram, "planMade");
  await sees(anna, "Er is een plan gemaakt");
  await taken(anna, "4-closed");
  await shown(anna, "closed");
  if (options.tour) {
    await go(anna, `/signals/${signal}/sheet`);
    await shown(anna, "letter");
    await go(anna, "/");
    await openNotice(anna, ours);
  }

  // A third partner joins; the notice is open again for all.
  const carla = await open(third, 0);
  await giveSignal(carla, others, family);
  await sees(anna, "Er zijn ook 2 andere organisaties betrokken");
  await taken(anna, "5-third");

  await absence(open, anna, ours, taken);
  for (const page of [anna, bram, carla]) await page.context().close();
}

/** Anna is away: her colleague sees her notices and acts for her. */
async function absence(open, anna, reference, taken) {
  const colleague = await open(first, 1);
  const today = new Date();
  const later = new Date(Date.now() + 7 * 86_400_000);
  await go(anna, "/absence");
  for (const [field, day] of [["from", today], ["until", later]]) {
    await anna.fill(`#${field}`, String(day.getDate()));
    await anna.fill(`#${field}-month`, String(day.getMonth() + 1));
    await anna.fill(`#${field}-year`, String(day.getFullYear()));
  }
  await anna.selectOption("#substitute", { label: first.sign_ins[1].name });
  await press(anna, button(anna, "Opslaan"));
  await sees(anna, "Uw afwezigheid is opgeslagen.");
  await taken(anna, "6-absence");
  await openNotice(colleague, reference);
  await taken(colleague, "7-substitute");
  await coordinate(colleague);
  await colleague.context().close();
  await go(anna, "/absence");
  await press(anna, button(anna, "Ik ben er weer"));
  await sees(anna, "U bent niet meer afwezig.");
}

const browser = await launch();
try {
  await story(browser, "wide", family("Fenna", "Zonderwijk", "7"), { checks: true, tour: true });
  await story(browser, "phone", family("Jip", "Quaedvlieg", "11"), { checks: true, viewport: PHONE });
  await story(browser, "keyboard", family("Mees", "Xhofleer", "19"), { keyboard: true });
  await story(browser, "plain", family("Saar", "Ypma", "23"), { javaScript: false, viewport: PHONE });
} catch (error) {
  faults.push(String(error.stack || error));
} finally {
  await browser.close();
}
finish("story");
