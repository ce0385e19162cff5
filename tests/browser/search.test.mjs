// Searching while one types, by keyboard, from anywhere; and kept messages that somebody else changes meanwhile.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House, PHONE } from "./house.mjs";
import { until } from "./page.mjs";

let house, ann, bob, lab;

before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  lab = await ann.channel("lab");
  await bob.join(lab);
  await ann.say(lab, "shall we order a new microscope?");
  await bob.say(lab, "The microscope 顯微鏡 arrives on Monday. <b>Careful</b> with the box.");
  await ann.say(lab, "Monday it is");
});
after(() => house?.close());

const hits = (page) => page.$$eval(".hit-text", (all) => all.map((one) => one.textContent));
const marked = (page) => page.$$eval(".hit-text mark", (all) => all.map((one) => one.textContent));

test("/ leads to the search from anywhere, letters find while they are typed, Enter goes to the message", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.evaluate(() => /** @type {any} */ (document.activeElement)?.blur());
  await page.keyboard.press("/");
  await page.waitForURL("**/search");
  await page.waitForFunction(() => customElements.get("chat-search") !== undefined && document.activeElement?.id === "search-words");
  await page.keyboard.type("micros");
  await until(async () => (await hits(page)).length === 2, "two hits for a beginning");
  assert.deepEqual(await marked(page), ["microscope", "microscope"]);
  assert.equal(new URL(page.url()).searchParams.get("q"), "micros");
  await page.keyboard.type("cope 顯微");
  await until(async () => (await hits(page)).length === 1, "one hit for both words");
  assert.deepEqual(await marked(page), ["microscope", "顯微"]);
  assert.equal(await page.textContent(".hit-before"), "Ann shall we order a new microscope?");
  await until(() => page.$eval("[role=status].search-count", (one) => one.textContent === "1 message"), "the count to be said");
  // What somebody writes now is found at once.
  await bob.say(lab, "another microscope, another 顯微鏡");
  await page.keyboard.press("Enter");
  await until(async () => (await hits(page)).length === 2, "the new message");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/c/lab?around=2#m-2");
  await page.waitForSelector("#m-2.focus");
  assert.ok(await page.$eval("#m-2", (one) => { const { top, bottom } = one.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; }));
  await page.goBack();
  await page.waitForSelector(".hit");
  assert.equal(await page.inputValue("#search-words"), "microscope 顯微");
  house.quiet();
  await page.context().close();
});

test("a wrong filter is said while one types, filters are taken away by a press, and slow answers don't overtake", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/search?q=microscope");
  await page.waitForFunction(() => customElements.get("chat-search") !== undefined);
  let held = 0;
  await page.route(/\/search\?q=(has|microscope%20from)/, async (route) => {
    held += 1;
    if (route.request().url().includes("has%3A")) await new Promise((later) => setTimeout(later, 600));
    await route.continue().catch(() => undefined);
  });
  await page.fill("#search-words", "has:luck");
  await until(() => held === 1, "the first question to be asked");
  await page.fill("#search-words", "microscope from:bob");
  await until(async () => (await page.$$(".chip-used")).length === 1, "the filter as a chip");
  const shown = await hits(page);
  assert.ok(shown.length > 0 && shown.every((text) => !text.includes("shall we")), JSON.stringify(shown));
  await page.fill("#search-words", "has:luck");
  await until(() => page.$(".search-wrong"), "the sentence about luck");
  assert.equal(await page.getAttribute("#search-words", "aria-invalid"), "true");
  await page.goto("/search?q=microscope+from:bob");
  await page.click(".chip-used");
  await page.waitForURL("**/search?q=microscope");
  // 422 is what a wrong question is answered with; the browser notes it.
  house.quiet(/status of 422/);
  await page.context().close();
});

test("without a script the search is a form, and each state is readable and clean", { timeout: 90_000 }, async () => {
  for (const [javaScriptEnabled, colorScheme] of [[false, "light"], [true, "dark"]]) {
    const page = await (await house.visitor({ javaScriptEnabled, colorScheme, viewport: PHONE })).newPage();
    const [name, value] = ann.cookie.split("=");
    await page.context().addCookies([{ name, value, url: house.origin }]);
    for (const path of ["/search", "/search?q=microscope", "/search?q=nowhere", "/search?q=has:luck", "/bookmarks"]) {
      await page.goto(path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth).catch(() => false);
      assert.equal(wide, false, path);
      if (javaScriptEnabled) assert.deepEqual(await findings(page), [], path);
    }
    await page.goto("/search");
    await page.fill("#search-words", "monday");
    await page.click("form[role=search] button");
    await page.waitForSelector(".hit mark");
    assert.equal((await hits(page)).length, 2);
    await page.context().close();
  }
  house.quiet(/status of 422/);
});

test("a kept message is one's own, and says so when its owner closes the place to one", { timeout: 60_000 }, async () => {
  const den = await bob.call("POST", "/rooms", { kind: "group", name: "den", members: ["ann"] });
  const sent = await bob.say(den, "the key hangs behind the door");
  await ann.call("PUT", `/rooms/${den.id}/messages/${sent.seq}/bookmark`);
  const page = await house.visit(ann, "/bookmarks");
  assert.deepEqual(await hits(page), ["the key hangs behind the door"]);
  assert.equal(await page.textContent(".hit-place"), "den");
  assert.equal((await ann.call("GET", "/search?q=hangs")).messages.length, 1);
  // Nobody else sees what she has kept.
  const other = await house.visit(bob, "/bookmarks");
  assert.deepEqual(await hits(other), []);
  await bob.call("DELETE", `/rooms/${den.id}/members/ann`);
  await page.reload();
  assert.deepEqual(await hits(page), ["This message stands in a place that you can't read any more."]);
  assert.equal((await ann.call("GET", "/search?q=hangs")).messages.length, 0);
  await page.getByRole("button", { name: "Let it go" }).click();
  await page.getByRole("heading", { name: "Nothing kept yet" }).waitFor();
  house.quiet();
  await page.context().close();
  await other.context().close();
});

test("a message is kept from its menu and shown as its author changes it", { timeout: 60_000 }, async () => {
  const sent = await bob.say(lab, "the lamp stands behind the door");
  const page = await house.visit(ann, "/c/lab");
  const message = page.locator(`#m-${sent.seq}`);
  await message.hover();
  await message.locator(".message-bar [data-does=more]").click();
  await page.locator("#message-menu [data-does=keep]").click();
  await until(async () => (await ann.call("GET", "/bookmarks")).bookmarks.length === 1, "the message to be kept");
  await house.go(page, "/bookmarks");
  assert.deepEqual(await hits(page), ["the lamp stands behind the door"]);
  await bob.call("PATCH", `/rooms/${lab.id}/messages/${sent.seq}`, { text: "the lamp lies under the mat" });
  await page.reload();
  assert.deepEqual(await hits(page), ["the lamp lies under the mat"]);
  assert.deepEqual((await ann.call("GET", "/search?q=lamp+mat")).messages.map(({ seq }) => seq), [sent.seq]);
  assert.deepEqual((await ann.call("GET", "/search?q=lamp+door")).messages, []);
  await bob.call("DELETE", `/rooms/${lab.id}/messages/${sent.seq}`);
  await page.reload();
  assert.deepEqual(await hits(page), ["This message was deleted."]);
  assert.deepEqual((await ann.call("GET", "/search?q=lamp")).messages, []);
  house.quiet();
  await page.context().close();
});
