// The browser's own camera as a live stream: allowed or not, seen by another person, back after a restart, ended by hand.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { House } from "./house.mjs";
import { until } from "./page.mjs";

/** The machine may be busy with other things. */
const LONG = 90_000;

let house, ann, bob;
before(async () => {
  house = await House.open({}, { whole: true });
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  await ann.call("POST", "/live", { name: "desk", title: "Desk", public: true });
});
after(() => house?.close());

const said = (page) => page.locator(".camera-state").innerText();
/** Where the player stands, s; nothing before it plays. */
const place = (page) => page.locator("live-panel video").evaluate((video) => /** @type {HTMLVideoElement} */ (video).currentTime);

/** Waits until what is shown goes on. */
async function goesOn(page, what) {
  let before = await place(page);
  await until(async () => {
    const now = await place(page);
    const goes = now > before + 0.5;
    if (now < before) before = now;
    return goes;
  }, what, LONG);
}

test("without leave nothing is sent, and the words say where to give it", async () => {
  const page = await house.visit(ann, "/live/desk");
  await page.getByRole("button", { name: "Send my camera" }).click();
  await until(async () => /Beside the address/.test(await said(page)), "the words");
  assert.equal(await page.getByRole("button", { name: "Send my camera" }).isVisible(), true, "and it can be tried again");
  assert.deepEqual(await findingsInBoth(page), []);
  await page.context().close();
  const his = await house.visit(bob, "/live/desk");
  assert.equal(await his.locator("live-camera").count(), 0, "it isn't his stream");
  await his.context().close();
  house.quiet();
});

test("a camera is seen by others, goes on after a restart of the server, and ends at the press of a button", { timeout: 4 * LONG }, async () => {
  const hers = await house.visit(ann, "/live/desk", { permissions: ["camera", "microphone"] });
  const his = await house.visit(bob, "/live/desk");
  await hers.getByRole("button", { name: "Send my camera" }).click();
  await until(async () => (await said(hers)) === "Your camera is live", "her camera", LONG);
  assert.deepEqual(await findingsInBoth(hers), []);
  await goesOn(his, "the picture at his window");
  const size = await his.locator("live-panel video").evaluate((video) => {
    const { videoWidth, videoHeight } = /** @type {HTMLVideoElement} */ (video);
    return { videoWidth, videoHeight };
  });
  assert.ok(size.videoWidth > 0 && size.videoHeight > 0, JSON.stringify(size));
  assert.equal(await his.getByRole("button", { name: "Sound", exact: true }).isVisible(), true, "with its microphone");
  // A server that comes back gets a recording of its own, in the same player.
  await his.evaluate(() => { globalThis.same = document.querySelector("live-panel video"); });
  await house.stop("SIGTERM");
  await until(async () => /connection is lost/.test(await said(hers)), "that she is told");
  await house.start();
  await until(async () => (await said(hers)) === "Your camera is live", "her camera again", LONG);
  await goesOn(his, "the picture after the restart");
  assert.equal(await his.evaluate(() => globalThis.same === document.querySelector("live-panel video")), true);
  await hers.getByRole("button", { name: "Stop" }).click();
  await until(async () => (await said(hers)) === "It has ended.", "the end");
  await until(async () => (await his.locator(".panel-age").innerText()).startsWith("No signal since"), "that it has ended for him", LONG);
  assert.equal(await hers.getByRole("button", { name: "Send my camera" }).evaluate((button) => button === document.activeElement), true);
  await hers.context().close();
  await his.context().close();
  house.quiet(/net::ERR_CONNECTION_(REFUSED|RESET)|WebSocket connection to/);
});
