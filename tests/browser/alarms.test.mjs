// Alarms of streams in the browser: seen at once, taken on by one and known by all, on the panel, in the talk and on the wall.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { House } from "./house.mjs";
import { until } from "./page.mjs";

/** The machine may be busy with other things. */
const LONG = 90_000;

let house;
let ann;
let bob;
let key;

before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  const fields = [{ name: "beam_energy", unit: "GeV", min: 149.5, max: 150.5 }];
  ({ key } = await ann.call("POST", "/live", { name: "beam", title: "Beam", public: true, fields }));
});
after(async () => { await house?.close(); });

/** @param {number} energy */
async function measure(energy) {
  const answer = await fetch(`${house.origin}/live/beam/push?key=${key}`, { method: "POST", body: JSON.stringify({ beam_energy: energy }), headers: { "content-type": "application/json" } });
  assert.equal(answer.status, 200);
}

const alarms = (page) => page.locator(".alarm");

test("rules are set by the page, and a wrong one stands there with what is wrong", async () => {
  const page = await house.visit(ann, "/live/beam/edit");
  await page.getByLabel(/^Alarms, one a line/).fill("beam_energy out of range\nbeam_energy < warm");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(await page.locator("#alarms-wrong").textContent(), /^Line 2: “warm” is no number/);
  assert.equal(await page.locator("#alarms").inputValue(), "beam_energy out of range\nbeam_energy < warm");
  assert.deepEqual(await findingsInBoth(page), []);
  await page.getByLabel(/^Alarms, one a line/).fill("beam_energy out of range");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL("**/live/beam");
  // A refused form is a page of its own, which the browser writes down as an error.
  house.quiet(/422/);
  await page.context().close();
});

test("an alarm is there at once for everybody, one takes it and all see who", async () => {
  await measure(150);
  const [hers, his] = [await house.visit(ann, "/live/beam"), await house.visit(bob, "/live/beam")];
  const stranger = await (await house.visitor()).newPage();
  await stranger.goto("/live/beam");
  const wall = await house.visit(bob, "/live");
  const mark = wall.locator(".tile[data-name=beam] .alarm-mark");
  assert.equal(await mark.isVisible(), false);
  assert.equal(await alarms(hers).count(), 0);
  await measure(151.25);
  for (const page of [hers, his, stranger]) {
    await until(async () => await alarms(page).count() === 1, "the alarm", LONG);
    await until(async () => /beam energy\s+151\.25 GeV/.test(await alarms(page).textContent()), "its number");
    assert.match(await alarms(page).locator(".alarm-rule").textContent(), /^beam_energy out of range$/);
    await until(async () => /ago$/.test(await alarms(page).locator("time").textContent()), "its age");
  }
  assert.equal(await stranger.getByRole("button", { name: "Acknowledge" }).count(), 0);
  await until(() => mark.isVisible(), "the mark on the wall", LONG);
  assert.equal((await mark.textContent())?.trim(), "Alarm");
  await until(async () => /Alarm:\s*beam_energy out of range\s*beam energy: 151\.25 GeV/.test((await hers.locator("chat-timeline .message").last().textContent()) ?? ""), "the message", LONG);
  assert.equal(await hers.locator("chat-timeline .message-name").last().getAttribute("href"), null);
  assert.deepEqual(await findingsInBoth(hers), []);
  assert.deepEqual(await findingsInBoth(wall), []);
  await his.getByRole("button", { name: "Acknowledge" }).click();
  for (const page of [his, hers]) {
    await until(async () => (await alarms(page).locator(".alarm-state").textContent()) === "Acknowledged by Bob", "who has it", LONG);
    assert.equal(await page.getByRole("button", { name: "Acknowledge" }).count(), 0);
  }
  assert.ok(await alarms(his).evaluate((item) => item === document.activeElement), "the focus stays there");
  await until(async () => (await alarms(stranger).locator(".alarm-state").textContent()) === "Acknowledged", "that somebody has it", LONG);
  await until(async () => /Acknowledged by Bob after/.test((await hers.locator("chat-timeline .message").last().textContent()) ?? ""), "it in the talk", LONG);
  await until(async () => (await mark.textContent())?.trim() === "Alarm, acknowledged", "it on the wall", LONG);
  // Whoever has it is in the talk now, and can write there.
  await until(() => his.locator("chat-composer textarea").isVisible(), "the composer", LONG);
  // It is the same after a reload, and gone when it is over.
  await hers.reload();
  assert.equal(await alarms(hers).locator(".alarm-state").textContent(), "Acknowledged by Bob");
  await measure(150);
  for (const page of [hers, his, stranger]) await until(async () => await page.locator(".alarms").isHidden() && await alarms(page).count() === 0, "that it is over", LONG);
  await until(async () => !(await mark.isVisible()), "no mark", LONG);
  await until(async () => /Over after/.test((await hers.locator("chat-timeline .message").last().textContent()) ?? ""), "that it is over, in the talk", LONG);
  house.quiet();
  for (const page of [hers, his, stranger, wall]) await page.context().close();
});
