// What holds still and what fits: the "New" line, the pill, the wall of notes, the phone's keyboard, a page twice as large.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { pause, ready, texts, until } from "./page.mjs";

let house, ann, bob, lab;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  lab = await ann.channel("lab");
  await bob.join(lab);
});
after(() => house?.close());


/** Lets a test say whether anybody sees the page. */
const canHide = (page) => page.addInitScript(() => {
  window.isAway = false;
  Object.defineProperty(document, "visibilityState", { get: () => (window.isAway ? "hidden" : "visible") });
});
const hide = (page, isAway) => page.evaluate((away) => {
  window.isAway = away;
  document.dispatchEvent(new Event("visibilitychange"));
}, isAway);
const belowLine = (page) => page.$eval(".new-line", (line) => line.nextElementSibling.querySelector(".message-text").textContent).catch(() => null);

test("the line of what is new stands before the first unseen message, and holds still while one reads", { timeout: 60_000 }, async () => {
  await bob.sayMany(lab, 60, "earlier");
  const page = await house.visit(ann, "/c/lab");
  await canHide(page);
  await house.go(page, "/c/lab");
  const say = async (text) => {
    await bob.say(lab, text);
    await until(async () => (await texts(page)).at(-1) === text, text);
  };
  await say("seen");
  assert.equal(await belowLine(page), null);
  await hide(page, true);
  await say("new 1");
  await say("new 2");
  assert.equal(await belowLine(page), "new 1");
  await until(async () => (await page.title()).startsWith("(2)"), "the count in the title");
  await hide(page, false);
  await until(async () => !(await page.title()).startsWith("("), "it to be read");
  await say("while reading");
  assert.equal(await belowLine(page), "new 1", "it holds still");
  await hide(page, true);
  await say("newer");
  assert.equal(await belowLine(page), "newer", "all before it was read");
  await hide(page, false);
  assert.equal((await page.$$(".new-line")).length, 1);

  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = 300; });
  await pause(100);
  await say("further down 1");
  await say("further down 2");
  assert.equal(await belowLine(page), "further down 1");
  assert.equal(await page.textContent(".jump button"), "Jump to latest (2)");
  await page.click(".jump button");
  await until(() => page.$eval(".timeline-scroll", (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 2), "the end");
  assert.equal(await page.isVisible(".jump button"), false);
  assert.equal(await belowLine(page), "further down 1");
  house.quiet();
  await page.context().close();
});

test("a note takes its place in the shortest column, and waits while somebody reads", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/board");
  let n = 0;
  const post = (text) => bob.call("POST", "/rooms/1/messages", { nonce: `note-${n++}`.padEnd(20, "-"), text });
  for (const text of ["one", "two", "three"]) await post(text);
  await until(async () => (await page.$$(".note")).length === 3, "three notes");
  const lefts = () => page.$$eval(".note", (all) => all.map((note) => [note.querySelector(".message-text").textContent, Math.round(note.getBoundingClientRect().left)]));
  await pause(300);
  const columns = (await page.$$(".notes-column")).length;
  assert.ok(columns >= 3, `${columns} columns`);
  assert.equal(new Set((await lefts()).map(([, left]) => left)).size, 3, "each in a column of its own");
  assert.equal((await lefts()).sort((a, b) => a[1] - b[1])[0][0], "three", "the newest first");
  for (let i = 0; i < 40; i++) await post(`more ${i}\n${"word ".repeat(i % 30)}`);
  await until(async () => (await page.$$(".note")).length === 43, "all notes");
  const heights = await page.$$eval(".notes-column", (all) => all.map((column) => column.lastElementChild.getBoundingClientRect().bottom));
  assert.ok(Math.max(...heights) - Math.min(...heights) < 400, `even columns: ${heights}`);
  house.quiet();

  await page.$eval(".content", (pane) => { pane.scrollTop = 600; });
  await pause(100);
  const top = () => page.$$eval(".note", (all) => all.map((note) => note.getBoundingClientRect().top));
  const was = await top();
  await post("waits");
  await until(() => page.isVisible(".wall-news button"), "the pill");
  assert.equal(await page.textContent(".wall-news button"), "1 new note");
  assert.equal((await page.$$(".note")).length, 43);
  const moved = (await top()).map((y, i) => Math.abs(y - was[i]));
  assert.ok(Math.max(...moved) < 1, `what one reads moved by ${Math.max(...moved)}`);
  await page.click(".wall-news button");
  await until(async () => (await page.$$(".note")).length === 44, "the note");

  await page.focus(".note a");
  await post("waits too");
  await until(() => page.isVisible(".wall-news button"), "the pill for who stands in a note");
  house.quiet();
  await page.context().close();
});

test("on a phone what one types stands above the keyboard", { timeout: 30_000 }, async () => {
  const page = await house.visit(ann, "/c/lab", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const composer = () => page.$eval(".composer-box", (box) => box.getBoundingClientRect().bottom);
  assert.ok((await composer()) <= 844);
  // Safari's way: the layout stays as it is, and only the visual viewport tells of the keyboard.
  const keyboard = (height, top = 0) => page.evaluate(([h, y]) => {
    Object.defineProperty(visualViewport, "height", { configurable: true, get: () => h });
    Object.defineProperty(visualViewport, "offsetTop", { configurable: true, get: () => y });
    visualViewport.dispatchEvent(new Event("resize"));
  }, [height, top]);
  await page.tap("textarea");
  await keyboard(500);
  await page.fill("textarea", "one\ntwo\nthree");
  await pause(100);
  assert.ok((await composer()) <= 500, `the box ends at ${await composer()}`);
  assert.ok(await page.$eval(".timeline-scroll", (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 2), "the end stays in sight");
  await keyboard(500, 60);
  await pause(50);
  assert.ok((await composer()) <= 560 && (await composer()) > 500, "it follows when Safari pushes the page up");
  await keyboard(844);
  await pause(100);
  assert.ok((await composer()) > 700);
  // Chromium's way: the layout itself becomes shorter.
  await page.setViewportSize({ width: 390, height: 460 });
  await pause(100);
  assert.ok((await composer()) <= 460);
  house.quiet();
  await page.context().close();
});

test("at 200 % and at 320 px nothing is cut off or needs a second way to scroll", { timeout: 60_000 }, async () => {
  await bob.say(lab, `a very long word: ${"x".repeat(300)}`);
  for (const viewport of [{ width: 640, height: 400 }, { width: 320, height: 480 }]) {
    const page = await house.visit(ann, "/c/lab", { viewport, deviceScaleFactor: 2 });
    for (const path of ["/c/lab", "/board", "/channels", "/people", "/settings", "/dashboard", "/media"]) {
      await house.go(page, path);
      const wide = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll(".pane, .content, .timeline-scroll")]
        .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "hidden" ).map((one) => `${one.className || one.localName} ${one.scrollWidth}`));
      assert.deepEqual(wide, [], `${path} at ${viewport.width}`);
      if (path !== "/c/lab") continue;
      const [whole, shown] = await page.$eval(".head h1", (name) => [name.scrollWidth, name.clientWidth]);
      assert.ok(whole <= shown, `of the room's name ${shown} of ${whole} px are seen at ${viewport.width}`);
      const box = await page.$eval(".composer-box", (one) => one.getBoundingClientRect().toJSON());
      assert.ok(box.bottom <= viewport.height && box.right <= viewport.width, JSON.stringify(box));
    }
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    await page.waitForSelector(".keysheet[open]");
    const sheet = await page.$eval(".keysheet", (one) => [one.getBoundingClientRect().right, one.scrollHeight >= one.clientHeight && getComputedStyle(one).overflowY]);
    assert.ok(sheet[0] <= viewport.width && sheet[1] === "auto", sheet.join());
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".palette[open]");
    assert.ok(await page.$eval(".palette", (one) => one.getBoundingClientRect().right <= innerWidth && one.getBoundingClientRect().bottom <= innerHeight));
    await page.context().close();
  }
});

test("all the script that a conversation brings is under 60 KB on the way, and its styles under 25", async () => {
  const page = await house.visit(ann, "/c/lab");
  const bytes = await page.evaluate(() => ["js", "css"].map((kind) => performance.getEntriesByType("resource")
    .filter(({ name }) => new URL(name).pathname.endsWith(`.${kind}`)).reduce((all, { encodedBodySize }) => all + encodedBodySize, 0)));
  assert.ok(bytes[0] > 20_000 && bytes[0] < 60_000 && bytes[1] > 5_000 && bytes[1] < 25_000, bytes.join());
  await page.context().close();
});
