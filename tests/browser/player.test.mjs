// The player by hand and by keys.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { makeFilm } from "./film.mjs";
import { House } from "./house.mjs";
import { until } from "./page.mjs";

let house;
let ann;
let film;
let page;

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
  // In the page these scroll; they turn the sound once somebody means the player.
  await page.keyboard.press("ArrowDown");
  assert.equal(await player("player.media.volume"), 1);
  await page.locator(".deck-share").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await player("player.media.volume"), 0.8);
  // The slider's arrows are its own.
  await page.locator(".deck-loud").focus();
  await page.keyboard.press("ArrowLeft");
  await until(async () => await player("player.media.volume") === 0.75, "a step of the slider");
  await page.keyboard.press("ArrowUp");
  await until(async () => await player("player.media.volume") === 0.8, "a step of the slider");
  assert.equal(await now(), 30);
  await page.locator(".seek input").focus();
  await page.keyboard.press("ArrowRight");
  await at(35);
  await page.keyboard.press("ArrowUp");
  assert.equal(await player("player.media.volume"), 0.9);
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  await page.keyboard.press("m");
  await page.keyboard.press("k");
  await until(() => player("!player.paused"), "playing");
  await page.keyboard.press("Space");
  await until(() => player("player.paused"), "a pause");
  // Whoever presses the picture means the player with the next key too.
  await page.locator("video").click();
  await page.keyboard.press("ArrowUp");
  assert.equal(await player("player.media.volume"), 1);
  await page.keyboard.press("k");
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
  const bar = page.locator(".seek input");
  const { width, height } = /** @type {{width: number, height: number}} */ (await bar.boundingBox());
  await bar.click({ position: { x: width * 0.75, y: height / 2 } });
  await until(async () => Math.abs(await now() - 45) < 1.5, "three quarters");
  await page.getByText(/^0:4[456]$/).first().waitFor();
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
    return place?.position > 25_000 && Math.abs(place.position - await now() * 1000) < 2 && place;
  }, "the place where it was paused");
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

const SAID = { en: "WEBVTT\n\n00:00:00.000 --> 00:00:30.000\nTo the lake\n\n00:00:30.000 --> 00:00:59.000\nand home again\n", "zh-Hant": "1\n00:00:00,000 --> 00:00:59,000\n往湖邊走\n" };

test("captions are shown in the language that somebody chose, and the choice is kept", async () => {
  for (const [language, file] of Object.entries(SAID)) {
    const answer = await fetch(`${house.origin}/api/v1/media/${film.id}/captions/${language}`, { method: "PUT", body: file, headers: { cookie: ann.cookie } });
    assert.equal(answer.status, 200, await answer.text());
  }
  await page.goto(`/media/${film.id}?t=35`);
  await page.waitForFunction(() => document.querySelector("media-player[data-ready]"));
  const shown = () => player("[...player.media.textTracks].filter((track) => track.mode === 'showing').map((track) => [track.language, [...(track.activeCues ?? [])].map((cue) => cue.text)])");
  // The first that came is shown unless somebody chose otherwise.
  await until(async () => JSON.stringify(await shown()) === JSON.stringify([["en", ["and home again"]]]), "English words").catch(async (error) => { throw new Error(`${error.message} ${JSON.stringify(await shown())}`); });
  await page.getByRole("combobox", { name: "Captions" }).selectOption({ label: "正體中文" });
  await until(async () => JSON.stringify(await shown()) === JSON.stringify([["zh-Hant", ["往湖邊走"]]]), "Chinese words");
  await page.locator("main").click({ position: { x: 2, y: 2 } });
  await page.keyboard.press("c");
  assert.deepEqual(await shown(), []);
  await page.keyboard.press("c");
  assert.equal((await shown())[0][0], "zh-Hant");
  await page.reload();
  await until(async () => (await shown())[0]?.[0] === "zh-Hant", "the choice");
  // What is said is found on the shelf, at its moment.
  await page.goto("/media");
  await page.getByRole("searchbox", { name: "Find in the library" }).fill("home again");
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "0:30 and home again" }).click();
  await page.waitForURL(`**/media/${film.id}?t=30`);
  await at(30);
  house.quiet();
});

test("captions are brought by a page that needs no script, and a wrong line is named", async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(context, ann);
  const plain = await context.newPage();
  await plain.goto(`/media/${film.id}/captions`);
  const add = async (text) => {
    await plain.getByLabel("File", { exact: true }).setInputFiles({ name: "de.vtt", mimeType: "text/vtt", buffer: Buffer.from(text) });
    await plain.getByLabel("Language, by its sign").fill("de");
    await plain.getByRole("button", { name: "Add", exact: true }).click();
  };
  await add("WEBVTT\n\n00:00:05.000 --> 00:00:02.000\nRückwärts\n");
  await plain.getByText("The caption at line 3 ends before it begins.").waitFor();
  assert.equal(await plain.getByLabel("Language, by its sign").inputValue(), "de");
  await add("WEBVTT\n\n00:00:02.000 --> 00:00:05.000\nVorwärts\n");
  await plain.getByText("Deutsch").waitFor();
  await plain.getByRole("button", { name: "Remove Deutsch" }).click();
  await plain.getByText("Deutsch").waitFor({ state: "detached" });
  await context.close();
  house.quiet(/422/);
});
