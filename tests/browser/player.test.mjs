// The player by hand and by keys.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { House } from "./house.mjs";
import { until } from "./page.mjs";

const run = promisify(execFile);
let house;
let ann;
let film;
let page;

/** A film of some seconds that costs little to make and to play. @returns {Promise<any>} the item */
export async function makeFilm(house, who, name, seconds, more = []) {
  const path = join(house.folder, name);
  await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", `testsrc=size=320x180:rate=10:duration=${seconds}`, "-f", "lavfi", "-i", `sine=frequency=330:duration=${seconds}`,
    ...more, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-b:a", "32k", "-movflags", "+faststart", path]);
  const answer = await fetch(`${house.origin}/api/v1/media/${encodeURIComponent(name)}`, { method: "PUT", body: await readFile(path), headers: { cookie: who.cookie } });
  assert.equal(answer.status, 201, await answer.clone().text());
  return answer.json();
}

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  film = await makeFilm(house, ann, "Evening.mp4", 60);
  page = await house.visit(ann, `/media/${film.id}`);
});
after(async () => { await house?.close(); });

const player = (what) => page.locator("media-player").evaluate((one, source) => new Function("player", `return (${source})`)(one), what);
const now = () => player("player.currentTime");
const at = (seconds) => until(async () => Math.abs(await now() - seconds) < 0.6, `second ${seconds}`);

test("keys play, jump, turn the speed and the sound, and take nothing from somebody who writes", async () => {
  await page.waitForFunction(() => Number(document.querySelector("video")?.duration) > 50);
  await player("player.media.muted = true");
  await page.keyboard.press("5");
  await at(30);
  await page.keyboard.press("l");
  await at(40);
  await page.keyboard.press("j");
  await at(30);
  await page.keyboard.press("ArrowRight");
  await at(35);
  await page.keyboard.press("ArrowLeft");
  await at(30);
  await page.keyboard.press(">");
  assert.equal(await player("player.rate"), 1.25);
  assert.equal(await page.locator(".deck-rate").inputValue(), "1.25");
  await page.keyboard.press("<");
  assert.equal(await player("player.rate"), 1);
  await page.keyboard.press("m");
  assert.equal(await player("player.media.muted"), false);
  await page.keyboard.press("ArrowDown");
  assert.equal(await player("player.media.volume"), 0.9);
  await page.keyboard.press("m");
  await page.keyboard.press("k");
  await until(() => player("!player.paused"), "playing");
  await page.keyboard.press("Space");
  await until(() => player("player.paused"), "a pause");
  await page.keyboard.press("0");
  await at(0);
  await page.keyboard.press("?");
  await page.locator(".keysheet[open]").getByText("Ten seconds back, ten seconds on").waitFor();
  await page.keyboard.press("5");
  await page.keyboard.press("Escape");
  assert.equal(await now(), 0);
  house.quiet();
});

test("the bar and the buttons say what they do, and the pitch is kept", async () => {
  await page.locator(".seek input").fill("20");
  await at(20);
  assert.match(await page.locator(".seek input").getAttribute("aria-valuetext"), /^0:20 of 1:00/);
  await page.getByRole("button", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("combobox", { name: "Speed" }).selectOption("2");
  assert.equal(await player("player.rate"), 2);
  assert.equal(await player("player.media.preservesPitch"), true);
  // The next film begins as quick as this one.
  await page.reload();
  await page.waitForFunction(() => document.querySelector("media-player[data-ready]"));
  assert.equal(await player("player.rate"), 2);
  await page.getByRole("combobox", { name: "Speed" }).selectOption("1");
  house.quiet();
});

test("the facts of a player are told to whoever listens", async () => {
  await player("globalThis.heard = [], addEventListener('media-sought', (event) => heard.push(event.detail)), player.seek(12)");
  const [fact] = await until(() => page.evaluate(() => /** @type {any} */ (globalThis).heard.length > 0 && /** @type {any} */ (globalThis).heard), "a fact");
  assert.deepEqual([fact.item, Math.round(fact.time), fact.playing], [film.id, 12, false]);
});

test("without a script the browser's own controls are there", async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(context, ann);
  const plain = await context.newPage();
  await plain.goto(`/media/${film.id}`);
  assert.equal(await plain.locator("video[controls]").count(), 1);
  assert.equal(await plain.locator(".deck").isVisible(), false);
  await context.close();
});

test("another device goes on where one was, and a link to a moment wins", async () => {
  await player("player.media.muted = true, player.seek(25)");
  await at(25);
  await player("void player.play()");
  await until(async () => await now() > 25.3, "playing");
  await player("player.pause()");
  const kept = await until(async () => {
    const place = await ann.call("GET", `/media/${film.id}/position`).catch(() => null);
    return place?.position > 25_000 && place;
  }, "the place");
  assert.equal(kept.length, 60_000);
  const phone = await house.visit(ann, `/media/${film.id}`, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await phone.getByText(/^Goes on at 0:2\d\./).waitFor();
  const time = () => phone.locator("video").evaluate((film) => /** @type {HTMLVideoElement} */ (film).currentTime);
  await until(async () => Math.abs(await time() - kept.position / 1000) < 1, "the same moment");
  for (const box of await phone.locator(".deck button:visible, .deck select:visible").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()))) {
    assert.ok(box.height >= 44, JSON.stringify(box));
  }
  await phone.getByRole("button", { name: "From the beginning" }).click();
  await until(async () => await time() < 1, "the beginning");
  await phone.goto(`/media/${film.id}?t=1m2s`);
  await phone.goto(`/media/${film.id}?t=0m41s`);
  await until(async () => Math.abs(await time() - 41) < 1, "second 41");
  assert.equal(await phone.getByText(/^Goes on at/).count(), 0);
  await phone.context().close();
  // What somebody only looked at moves nothing.
  const after = await ann.call("GET", `/media/${film.id}/position`);
  assert.equal(after.position, kept.position);
  house.quiet();
});

test("a link to this moment leads somebody else to it", async () => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await player("player.seek(33)");
  await at(33);
  await page.getByRole("button", { name: "Share this moment" }).click();
  await page.getByText("The link to 0:33 is copied.").waitFor();
  const address = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(address, `${house.origin}/media/${film.id}?t=33`);
  const ben = await house.visit(await house.person("ben"), new URL(address).pathname + new URL(address).search);
  await until(async () => Math.abs(await ben.locator("video").evaluate((film) => /** @type {HTMLVideoElement} */ (film).currentTime) - 33) < 1, "second 33");
  await ben.context().close();
  house.quiet();
});

test("chapters are marked in the bar, the list follows, and a press on one goes there", async () => {
  await ann.call("PATCH", `/media/${film.id}`, { chapters: "0:00 Arrival\n0:20 The walk\n0:45 Home" });
  await page.goto(`/media/${film.id}?t=1`);
  await page.waitForFunction(() => Number(document.querySelector("video")?.duration) > 50);
  await until(async () => await page.locator(".seek-marks i").count() === 2, "marks");
  const current = () => page.locator(".chapters [aria-current] .chapter-title").textContent();
  await until(async () => await current() === "Arrival", "the first one");
  await page.getByRole("link", { name: "The walk" }).click();
  await at(20);
  await until(async () => await current() === "The walk", "the second one");
  await page.getByRole("link", { name: "Home" }).focus();
  await page.keyboard.press("Enter");
  await at(45);
  assert.match(await page.locator(".seek input").getAttribute("aria-valuetext"), /Home$/);
  assert.ok(page.url().endsWith(`/media/${film.id}?t=1`), "no navigation");
  house.quiet();
});
