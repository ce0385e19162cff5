// The talk beside the player: joined without leaving the page, live, and each points into the other.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { makeFilm } from "./film.mjs";
import { House, PHONE } from "./house.mjs";
import { say, shows, until } from "./page.mjs";

let house, ann, bob, film, path;
before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  film = await makeFilm(house, ann, "Evening.mp4", 60);
  path = `/media/${film.id}`;
});
after(async () => { await house?.close(); });

const now = (page) => page.locator("media-player").evaluate((one) => /** @type {any} */ (one).currentTime);
const talk = async (page) => ({ id: Number(await page.locator("chat-talk").getAttribute("data-room")) });

test("one joins beside what plays, and both see what the other says", async () => {
  const page = await house.visit(ann, path);
  await page.locator("media-player").evaluate((one) => { /** @type {any} */ (one).media.muted = true; return /** @type {any} */ (one).play(); });
  const born = await page.evaluate(() => performance.timeOrigin);
  await page.getByRole("button", { name: "Join the talk" }).click();
  await page.locator("chat-composer textarea").waitFor();
  await bob.join(await talk(page));
  await bob.say(await talk(page), "hello");
  await say(page, "and hello");
  await shows(page, ["hello", "and hello"]);
  assert.equal(await page.evaluate(() => performance.timeOrigin), born, "the page is the same");
  assert.ok((await now(page)) > 0, "and plays on");
  house.quiet();
  await page.context().close();
});

test("a time in a message seeks without leaving the page, and the present moment goes into the box", async () => {
  const page = await house.visit(ann, path);
  await bob.say(await talk(page), "listen at 0:42");
  await page.locator("a.hb-moment", { hasText: "0:42" }).click();
  await until(async () => Math.abs((await now(page)) - 42) < 0.5, "second 42");
  assert.equal(new URL(page.url()).pathname, path);
  const box = page.locator("chat-composer textarea");
  await page.getByRole("button", { name: "This moment", exact: true }).click();
  await until(async () => (await box.inputValue()) === "0:42 ", "the moment in the box");
  await box.fill("");
  await box.press("Alt+t");
  await until(async () => (await box.inputValue()) === "0:42 ", "the moment by its key");
  house.quiet();
  await page.context().close();
});

test("a message's own address leads to it beside the player, and news of a talk to the page", async () => {
  const page = await house.visit(ann, path);
  const room = await talk(page);
  const { seq } = await bob.say(room, "the one that is sought");
  await page.goto(`/m/${room.id}/${seq}`);
  await page.waitForURL(`**${path}?around=${seq}**`);
  await until(async () => (await page.locator(".message.focus .message-text").textContent()) === "the one that is sought", "the message");
  // Where it is seen it is read.
  await page.context().close();
  const home = await house.visit(ann, "/dashboard");
  await bob.say(room, "news");
  const place = home.locator("[data-rail-part='talk'] a");
  await until(async () => (await place.locator(".place-count").textContent()) === "1", "its count in the rail");
  await place.click();
  await home.waitForURL(`**${path}`);
  await until(async () => (await home.locator(".message .message-text").allTextContents()).at(-1) === "news", "what is new");
  house.quiet();
  await home.context().close();
});

test("members stand over the talk and leave the player alone; on a phone the talk stands below it", async () => {
  const page = await house.visit(ann, path);
  await page.locator("a[data-details=members]").click();
  await until(async () => (await page.locator("chat-details .member").count()) === 2, "both members");
  const [stage, pane] = await Promise.all(["media-player", "chat-details"].map((one) => page.locator(one).boundingBox()));
  assert.ok(stage.x + stage.width <= pane.x, "the player is seen whole");
  await page.keyboard.press("Escape");
  const phone = await house.visit(bob, path, { viewport: PHONE, hasTouch: true, isMobile: true });
  const [above, below] = await Promise.all(["media-player", "chat-talk"].map((one) => phone.locator(one).boundingBox()));
  assert.ok(above.y + above.height <= below.y && below.width === PHONE.width, JSON.stringify([above, below]));
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), PHONE.width);
  for (const one of [page, phone]) assert.deepEqual(await findings(one), []);
  house.quiet();
  await phone.context().close();
  await page.context().close();
});

test("whoever leaves the talk elsewhere, or is shut out of it, keeps the player", async () => {
  const page = await house.visit(bob, path);
  const room = await talk(page);
  const born = await page.evaluate(() => performance.timeOrigin);
  const box = page.locator("chat-composer textarea");
  const join = page.getByRole("button", { name: "Join the talk" });
  await page.locator("media-player").evaluate((one) => { /** @type {any} */ (one).media.muted = true; return /** @type {any} */ (one).play(); });
  await box.fill("half a sentence");
  await bob.leave(room);
  await join.waitFor();
  assert.equal(await box.isVisible(), false);
  assert.ok((await page.locator(".message").count()) > 0, "what was said can still be read");
  await bob.join(room);
  await box.waitFor();
  assert.deepEqual([await join.isVisible(), await box.inputValue()], [false, "half a sentence"]);
  // Its own button doesn't bring another page either.
  await page.locator("a[data-details=members]").click();
  await page.getByRole("button", { name: "Leave the talk" }).click();
  await join.click();
  await box.waitFor();
  await ann.call("PATCH", `/media/${film.id}`, { audience: "own" });
  await page.getByRole("heading", { name: "This talk is closed to you" }).waitFor();
  assert.equal(await page.locator(".message").count(), 0);
  assert.equal(await page.evaluate(() => performance.timeOrigin), born, "the page is the same");
  assert.equal(await page.locator("media-player").evaluate((one) => /** @type {any} */ (one).paused), false);
  await ann.call("PATCH", `/media/${film.id}`, { audience: "all" });
  // The browser itself writes down that the talk isn't there any more.
  house.quiet(/404/);
  await page.context().close();
});
