// Pictures and files: by button, paste and drop; what comes of them for others; what goes wrong on the way.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House } from "./house.mjs";
import { ready, until } from "./page.mjs";
import { png } from "./picture.mjs";

let house, ann, bob, lab;

before(async () => {
  house = await House.open({ "attachment-bytes": 2 * 1024 * 1024 });
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  lab = await ann.channel("lab");
  await bob.join(lab);
});
after(() => house?.close());

const file = (name, buffer, mimeType = "image/png") => ({ name, mimeType, buffer });
const pick = (page, files) => page.setInputFiles(".attach input", files);
const tray = (page) => page.$$eval(".tray-item", (all) => all.map((one) => `${one.querySelector(".tray-name").textContent} ${one.dataset.state}`));
const waits = (page, wanted) => until(async () => JSON.stringify(await tray(page)) === JSON.stringify(wanted), `the tray to be ${wanted}`);
const send = (page) => page.press("chat-composer textarea", "Enter");
const last = (page) => page.locator(".messages > .message").last();

/** What has moved on the page by itself since it was opened. */
const shifts = (page) => page.evaluate(() => new Promise((good) => {
  const all = [];
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) all.push([one.value, ...one.sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.className ?? node?.nodeName} ${a.y},${a.height} -> ${b.y},${b.height}`)]); })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => good(all), 500);
}));

test("picked, described and sent, a picture is there for somebody else, small first, large when asked", { timeout: 90_000 }, async () => {
  const [page, his] = [await house.visit(ann, "/c/lab"), await house.visit(bob, "/c/lab")];
  await pick(page, [file("harbour.png", png(1200, 800, 20)), file("notes.txt", Buffer.from("three words here"), "text/plain")]);
  await waits(page, ["harbour.png done", "notes.txt done"]);
  assert.deepEqual(await findings(page), []);
  await page.fill(".tray-words", "Boats in the evening");
  await page.fill("chat-composer textarea", "look");
  await send(page);
  await his.locator(".message .picture img[alt='Boats in the evening']").waitFor();
  const small = await his.$eval(".picture img", (one) => one.getAttribute("src"));
  assert.match(small, /\/harbour\.png\?thumbnail$/);
  assert.equal(await last(his).locator(".file-name").textContent(), "notes.txt");
  assert.equal(await last(his).locator(".file-size").textContent(), "16 bytes");
  assert.deepEqual(await tray(page), []);
  assert.equal(await page.isVisible(".tray"), false);
  await until(() => last(page).evaluate((one) => !one.dataset.state && one.querySelector(".picture a").pathname.startsWith("/attachments/")), "the own one to settle");

  // Large: by keyboard, with the focus back where it was.
  await his.locator(".picture a").focus();
  await his.keyboard.press("Enter");
  await his.locator(".lightbox[open]").waitFor();
  await until(() => his.$eval(".lightbox > img", (one) => one.complete && one.naturalWidth === 1200), "the large one");
  assert.deepEqual(await findings(his), []);
  await his.keyboard.press("Escape");
  await until(() => his.evaluate(() => document.activeElement.closest(".picture") !== null), "the focus to come back");

  // The page of the server says the same as what the script has made.
  const made = await last(his).locator(".attachments").innerHTML();
  await his.reload();
  await ready(his);
  const tidy = (html) => html.replace(/\s+/g, " ").replaceAll("> <", "><").replaceAll(' hidden=""', " hidden").trim();
  const attributes = (html) => tidy(html).replace(/<(\w+)([^>]*)>/g, (_, tag, rest) => `<${tag} ${rest.trim().split(/ (?=[\w-]+(?:=|$))/).sort().join(" ")}>`);
  assert.equal(attributes(made), attributes(await last(his).locator(".attachments").innerHTML()));
  house.quiet();
  await page.context().close();
  await his.context().close();
});

test("several pictures are gone through with the arrow keys and by a swipe", { timeout: 60_000 }, async () => {
  const files = [];
  for (const [index, hue] of [0, 90, 180].entries()) files.push(await ann.upload(lab, `${index}.png`, png(700, 500, hue)));
  await ann.say(lab, "three", { attachments: files.map(({ id }) => id) });
  const page = await house.visit(bob, "/c/lab");
  const pictures = page.locator(".message", { hasText: "three" }).locator(".picture a");
  await pictures.first().click();
  await page.locator(".lightbox[open] img").waitFor();
  const name = () => page.$eval(".lightbox > img", (one) => one.alt);
  const before = await name();
  assert.equal(before, "0.png");
  await page.keyboard.press("ArrowRight");
  assert.equal(await name(), "1.png");
  await page.evaluate(() => {
    const dialog = document.querySelector(".lightbox");
    const touch = (clientX) => [new Touch({ identifier: 1, target: dialog, clientX, clientY: 300 })];
    dialog.dispatchEvent(new TouchEvent("touchstart", { touches: touch(300), changedTouches: touch(300), bubbles: true }));
    dialog.dispatchEvent(new TouchEvent("touchend", { touches: [], changedTouches: touch(180), bubbles: true }));
  });
  assert.equal(await name(), "2.png");
  assert.equal(await page.isVisible(".lightbox-forward"), false);
  await page.keyboard.press("ArrowRight");
  assert.equal(await name(), "2.png");
  const [saved] = await Promise.all([page.waitForEvent("download"), page.click(".lightbox-bar a")]);
  assert.equal(saved.suggestedFilename(), "2.png");
  await page.keyboard.press("Escape");
  house.quiet();
  await page.context().close();
});

test("pasted and dropped, files come into the tray; words that are pasted stay words", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  const bytes = [...png(300, 200, 120)];
  const give = (kind, target, words) => page.evaluate(([type, where, data, text]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(data)], `${type}.png`, { type: "image/png" }));
    if (text) transfer.setData("text/plain", text);
    const event = type === "paste"
      ? new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true })
      : new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector(where).dispatchEvent(event);
    return event.defaultPrevented;
  }, [kind, target, bytes, words]);
  assert.equal(await give("paste", "chat-composer textarea", "a\tb"), false);
  assert.deepEqual(await tray(page), []);
  assert.equal(await give("paste", "chat-composer textarea"), true);
  await waits(page, ["paste.png done"]);
  await give("dragenter", ".timeline-scroll");
  await page.locator("main.is-dropping").waitFor();
  await give("drop", ".timeline-scroll");
  await waits(page, ["paste.png done", "drop.png done"]);
  assert.equal(await page.locator(".is-dropping").count(), 0);
  await page.getByRole("button", { name: "Remove paste.png" }).click();
  await waits(page, ["drop.png done"]);
  await send(page);
  await until(() => last(page).evaluate((one) => !one.dataset.state && one.querySelector("img")?.alt === "drop.png"), "the picture without words");
  house.quiet();
  await page.context().close();
});

test("what can't go says why before anything is sent, and the rest goes", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  let asked = 0;
  page.on("request", (request) => { if (request.method() === "POST") asked += 1; });
  await pick(page, [file("huge.bin", Buffer.alloc(2 * 1024 * 1024 + 1), "application/zip"), file("nothing.txt", Buffer.alloc(0))]);
  const says = () => page.textContent("chat-composer form > .wrong");
  await until(async () => (await says())?.includes("huge.bin is too large: a file can have 2 MiB at most."), "the reason");
  assert.match(await says(), /nothing\.txt is empty\./);
  assert.deepEqual([await tray(page), asked], [[], 0]);
  await pick(page, Array.from({ length: 12 }, (_, index) => file(`${index}.txt`, Buffer.from(`${index}`), "text/plain")));
  await waits(page, Array.from({ length: 10 }, (_, index) => `${index}.txt done`));
  assert.match(await says(), /at most 10 files/);
  // What only the server sees is said in its place.
  for (let left = 10; left > 0; left--) await page.locator(".tray-remove").first().click();
  house.quiet();
  await pick(page, [file("broken.png", png(50, 50).subarray(0, 60))]);
  await until(async () => (await page.textContent(".tray-says"))?.includes("damaged"), "the server's reason");
  assert.deepEqual(await tray(page), ["broken.png failed"]);
  house.troubles.length = 0; // The refusal itself, which Chromium writes to the console.
  await page.context().close();
});

test("cancelled on the way it is gone; broken off it is tried again; sent offline it goes out after a reload", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  const held = [];
  await page.route("**/attachments", (route) => { held.push(route); });
  await pick(page, [file("slow.png", png(400, 300, 60))]);
  await waits(page, ["slow.png sending"]);
  await page.getByRole("button", { name: "Remove slow.png" }).click();
  assert.deepEqual(await tray(page), []);
  // The server is out of reach while somebody writes: the message waits with its picture, over a reload.
  await pick(page, [file("kept.png", png(400, 300, 200))]);
  await until(() => held.length === 2, "the second attempt");
  await page.fill("chat-composer textarea", "from the train");
  await send(page);
  await page.locator(".message[data-state=pending] .picture img[src^='blob:']").waitFor();
  await page.fill("chat-composer textarea", "words overtake it");
  await send(page);
  await until(() => page.$$eval(".message:not([data-state]) .message-text", (all) => all.some((one) => one.textContent === "words overtake it")), "the words to be sent");
  for (const route of held) await route.abort().catch(() => undefined);
  await page.unroute("**/attachments");
  await page.reload();
  await ready(page);
  const his = await house.visit(bob, "/c/lab");
  await his.locator(".message", { hasText: "from the train" }).locator(".picture img[alt='kept.png']").waitFor();
  await until(() => page.$$eval(".message[data-state]", (all) => all.length === 0), "nothing to wait any more");
  assert.equal(await his.locator(".message", { hasText: "from the train" }).count(), 1);
  house.troubles.length = 0; // The requests that were broken off.
  await page.context().close();
  await his.context().close();
});

test("nothing moves while pictures arrive, are sent and come late", { timeout: 90_000 }, async () => {
  const page = await house.visit(bob, "/c/lab");
  await page.route("**/attachments/**", async (route) => { await new Promise((good) => setTimeout(good, 150)); await route.continue(); });
  const moved = async () => (await shifts(page)).length;
  let before = await moved();
  for (let index = 0; index < 8; index++) {
    const files = [];
    for (let n = 0; n <= index % 3; n++) files.push(await ann.upload(lab, `${index}-${n}.png`, png(500 + 200 * n, 400, 30 * index)));
    await ann.say(lab, index % 2 ? "" : `number ${index}`, { attachments: files.map(({ id }) => id) });
  }
  const arrived = () => page.$$eval(".picture img", (all) => all.slice(-8).every((one) => one.complete && one.naturalWidth > 0));
  await until(arrived, "the pictures");
  assert.deepEqual((await shifts(page)).slice(before), []);
  // The box grows under the hands of the one who attaches something, and only then.
  await pick(page, [file("own.png", png(640, 400, 250))]);
  await waits(page, ["own.png done"]);
  before = await moved();
  await send(page);
  await until(() => page.$$eval(".message[data-state]", (all) => all.length === 0), "the own one");
  await until(arrived, "the own picture");
  assert.deepEqual((await shifts(page)).slice(before), []);
  house.quiet();
  await page.context().close();
});

test("a note carries a picture, with and without a script", { timeout: 60_000 }, async () => {
  const [page, his] = [await house.visit(ann, "/board"), await house.visit(bob, "/board")];
  await pick(page, [file("found.png", png(800, 600, 140))]);
  await waits(page, ["found.png done"]);
  await page.fill("#note-text", "found this");
  await page.click("board-composer .button");
  await his.locator(".note", { hasText: "found this" }).locator("img[alt='found.png']").waitFor();
  assert.deepEqual(await findings(his), []);
  house.quiet();
  await page.context().close();
  await his.context().close();
  const context = await house.visitor({ javaScriptEnabled: false });
  await context.addCookies([{ name: ann.cookie.split("=")[0], value: ann.cookie.split("=").slice(1).join("="), url: house.origin }]);
  const plain = await context.newPage();
  await plain.goto("/board");
  await plain.setInputFiles(".attach input", [file("plain.png", png(200, 100))]);
  await plain.fill("#note-text", "without a script");
  await plain.click("board-composer .button");
  await plain.locator("img[alt='plain.png']").waitFor();
  await context.close();
});
