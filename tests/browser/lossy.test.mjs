// Two people write over a line that loses a third of all frames and every now and then the connection: what was sent is
// what is stored is what both see, in order. HUBBUB_LOSSY_SECONDS says for how long; 25 by default.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { LossyLine } from "./lossy.mjs";
import { pause, pending, texts, until } from "./page.mjs";

const SECONDS = Number(process.env.HUBBUB_LOSSY_SECONDS ?? 25);

let house, line, ann, bob, room;
before(async () => {
  house = await House.open();
  line = await LossyLine.to(house.port);
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  room = await ann.channel("lossy");
  await bob.join(room);
});
after(async () => {
  await line?.close();
  await house?.close();
});

/** A page of somebody's behind the bad line, for whom a lost answer is noticed ten times as quickly. */
async function visit(person) {
  const context = await house.visitor({ baseURL: line.origin });
  const [name, value] = person.cookie.split("=");
  await context.addCookies([{ name, value, url: line.origin }]);
  await context.addInitScript(() => {
    const later = globalThis.setTimeout;
    globalThis.setTimeout = /** @type {any} */ ((run, ms, ...more) => later(run, ms === 12_000 ? 1200 : ms, ...more));
  });
  const page = await context.newPage();
  await page.goto("/c/lossy");
  await page.waitForFunction(() => customElements.get("chat-composer") && customElements.get("chat-timeline"));
  return page;
}

/** Writes for a while, without waiting for anything. @returns {Promise<string[]>} what was written, in order */
async function write(page, name, end) {
  const written = [];
  const box = page.locator("chat-composer textarea");
  while (Date.now() < end) {
    written.push(`${name} ${written.length + 1}`);
    await box.fill(/** @type {string} */ (written.at(-1)));
    await box.press("Enter");
    await pause(150 + Math.random() * 500);
  }
  return written;
}

test("over a line that loses a third of the frames, what is sent is stored and shown once and in order", { timeout: (SECONDS + 300) * 1000 }, async () => {
  const pages = await Promise.all([visit(ann), visit(bob)]);
  const end = Date.now() + SECONDS * 1000;
  const written = await Promise.all([write(pages[0], "ann", end), write(pages[1], "bob", end)]);
  line.heal();
  await until(async () => (await Promise.all(pages.map(pending))).every((count) => count === 0), "everything to go out", 240_000);
  const stored = await ann.texts(room);
  for (const [at, name] of ["ann", "bob"].entries()) assert.deepEqual(stored.filter((text) => text.startsWith(name)), written[at], `all of ${name}'s, once and in order`);
  assert.equal(stored.length, written[0].length + written[1].length);
  // A page keeps some hundred messages in sight; the newest of them are compared.
  for (const page of pages) {
    const same = async () => {
      const seen = await texts(page);
      return seen.length > 0 && JSON.stringify(seen) === JSON.stringify(stored.slice(-seen.length)) && seen.length >= Math.min(stored.length, 100);
    };
    await until(same, "the page to show what is stored").catch(async () => assert.deepEqual(await texts(page), stored));
  }
  assert.ok(line.lost > 20 && line.ended > 0, `the line was bad: ${line.lost} frames lost, ${line.ended} connections`);
  console.log(`${stored.length} messages; ${line.lost} frames lost, ${line.passed} passed, ${line.ended} connections ended`);
  await Promise.all(pages.map((page) => page.context().close()));
});
