// Live streams in the browser: what comes, what is old, what is held still.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { until } from "./page.mjs";

/** The machine may be busy with other things. */
const LONG = 90_000;

let house;
let ann;
let source;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  const fields = [{ name: "beam_energy", unit: "GeV", min: 149.5, max: 150.5 }];
  await ann.call("POST", "/live", { name: "beam", title: "Beam", public: true, fields });
});
after(async () => { await house?.close(); });

const panel = (page) => page.locator("live-panel");
const age = (page) => page.locator(".panel-age").textContent();
const energy = (page) => page.locator("[data-reading=beam_energy] .reading-value").textContent();
const isLive = (page) => until(() => page.locator(".panel .live-mark:not([hidden])").count(), "the word Live", LONG);
const isStale = (page) => until(async () => (await panel(page).getAttribute("class"))?.includes("is-stale"), "that it is old", LONG);

test("a page that nothing has come to fills itself as soon as the source begins", async () => {
  const page = await house.visit(ann, "/live/beam");
  assert.equal(await page.locator(".panel .live-mark:not([hidden])").count(), 0);
  source = house.publish("--name", "beam", "--rate", "5");
  await isLive(page);
  await until(async () => Number(await energy(page)) > 149, "the energy", LONG);
  await page.locator("[data-reading=repetition_rate] canvas").waitFor();
  assert.equal(await page.locator("[data-reading=repetition_rate] .reading-label").textContent(), "repetition rate");
  const first = await until(() => page.locator(".panel-picture img").getAttribute("src"), "a picture", LONG);
  await until(async () => (await page.locator(".panel-picture img").getAttribute("src")) !== first, "the next picture", LONG);
  assert.equal(await page.locator(".panel-picture img").evaluate((image) => /** @type {HTMLImageElement} */ (image).naturalWidth), 320);
  // Something is drawn: a canvas of one colour has nothing on it.
  const colours = () => page.locator("[data-reading=beam_energy] canvas").evaluate((canvas) => {
    const { width, height } = /** @type {HTMLCanvasElement} */ (canvas);
    const { data } = /** @type {any} */ (canvas).getContext("2d").getImageData(0, 0, width, height);
    return new Set(Array.from({ length: data.length / 4 }, (_, n) => data.slice(n * 4, n * 4 + 4).join())).size;
  });
  await until(async () => await colours() > 5, "a plot", LONG);
  house.quiet();
  await page.context().close();
});

test("what came before a reload is there after it", async () => {
  const page = await house.visit(ann, "/live/beam");
  await isLive(page);
  const known = () => page.evaluate(() => fetch("/live/beam/samples").then((answer) => answer.json()).then(({ samples }) => samples.length));
  await until(async () => await known() > 5, "more than five samples", LONG);
  await page.reload();
  await page.locator("[data-reading=beam_energy] canvas").focus();
  await page.keyboard.press("Home");
  await until(async () => /^1(49|50)\.\d+ GeV \d\d:/.test(await page.locator(".panel-told").textContent()), "the oldest reading, told");
  await page.context().close();
});

test("held still nothing moves, and back to live everything does", async () => {
  const page = await house.visit(ann, "/live/beam");
  await isLive(page);
  await page.getByRole("button", { name: "Pause" }).click();
  assert.match(await age(page), /^Held still at/);
  assert.equal(await page.locator(".panel .live-mark:not([hidden])").count(), 0);
  // What was on its way to the screen when it was held.
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  const before = await energy(page);
  await page.evaluate(() => new Promise((done) => { setTimeout(done, 1500); }));
  assert.equal(await energy(page), before);
  await page.getByRole("button", { name: "Back to live" }).click();
  await isLive(page);
  await until(async () => (await energy(page)) !== before, "another energy", LONG);
  house.quiet();
  await page.context().close();
});

test("old is never shown as new: the source, the server, and both are back without a reload", async () => {
  const page = await house.visit(ann, "/live/beam");
  await isLive(page);
  source.kill("SIGKILL");
  await isStale(page);
  assert.match(await age(page), /^No signal since/);
  assert.equal(await page.locator(".panel .live-mark:not([hidden])").count(), 0);
  source = house.publish("--name", "beam", "--rate", "5");
  await isLive(page);
  await house.stop();
  await isStale(page);
  assert.match(await age(page), /^Not connected/);
  await house.start();
  await isLive(page);
  const before = await energy(page);
  await until(async () => (await energy(page)) !== before, "another energy", LONG);
  house.quiet(/ERR_|WebSocket|Failed to load/);
  await page.context().close();
});

test("the wall shows every stream with its age, and leads to it", async () => {
  const page = await house.visit(ann, "/live");
  const tile = page.locator(".tile[data-name=beam]");
  await until(() => tile.locator(".live-mark:not([hidden])").count(), "the word Live", LONG);
  await until(async () => /ago$/.test(await tile.locator(".tile-age").textContent()), "its age", LONG);
  assert.match(await tile.locator(".tile-readings").textContent(), /beam energy\s+1(49|50)\.\d+\s+GeV/);
  // One that is made meanwhile appears.
  await ann.call("POST", "/live", { name: "other" });
  await page.locator(".tile[data-name=other]").waitFor();
  await tile.click();
  await page.waitForURL("**/live/beam");
  house.quiet();
  await page.context().close();
});

test("without a script the latest is there, and a stream is made, set and deleted by forms", async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(context, ann);
  const page = await context.newPage();
  await page.goto("/live/beam");
  assert.match(await energy(page), /^1(49|50)\./);
  assert.equal(await page.locator(".panel-picture img").evaluate((image) => /** @type {HTMLImageElement} */ (image).naturalWidth), 320);
  await page.goto("/live");
  await page.getByLabel("Name in addresses").fill("By Form");
  await page.getByLabel(/^Title/).fill("By form");
  await page.locator("form[action='/live'] button").click();
  // The browser itself asks for the shape of a name.
  assert.equal(await page.locator("#name:invalid").count(), 1);
  await page.getByLabel("Name in addresses").fill("by-form");
  await page.locator("form[action='/live'] button").click();
  const key = await page.locator("#new-key").inputValue();
  assert.match(key, /^push_/);
  assert.ok((await page.locator(".recipes").textContent())?.includes(key));
  await page.getByLabel(/^Its readings/).fill("load, , 9, 1");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(await page.locator(".wrong").textContent(), /begins above its end/);
  await page.getByLabel(/^Its readings/).fill("load, %, 0, 100");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL("**/live/by-form");
  const pushed = await fetch(`${house.origin}/live/by-form/push?key=${key}`, { method: "POST", body: '{"load": 120}', headers: { "content-type": "application/json" } });
  assert.equal(pushed.status, 200);
  await page.reload();
  await page.locator(".reading.is-out", { hasText: "out of range" }).waitFor();
  await page.goto("/live/by-form/edit");
  await page.locator(".grave summary").click();
  await page.getByRole("button", { name: "Delete it for good" }).click();
  await page.waitForURL("**/live");
  assert.equal(await page.locator(".tile[data-name=by-form]").count(), 0);
  await context.close();
});
