// Recording a stream: the button, what everybody sees of it, and the film that stands in the library when the source ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House } from "./house.mjs";
import { until } from "./page.mjs";

/** The machine may be busy with other things. */
const LONG = 90_000;

let house;
let ann;
let bob;
let key;
let ffmpeg;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  ({ key } = await ann.call("POST", "/live", { name: "gate", title: "Gate", public: true }));
});
after(async () => {
  ffmpeg?.kill("SIGKILL");
  await house?.close();
});

/** A camera with sound, as anybody would send it; it ends as one that is switched off does. */
function film() {
  ffmpeg = spawn("ffmpeg", ["-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25", "-f", "lavfi", "-i", "sine=330",
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", "-f", "mp4",
    "-movflags", "frag_keyframe+empty_moov+default_base_moof", "-method", "PUT", `${house.origin}/live/gate/push?key=${key}`], { stdio: ["ignore", "inherit", "inherit"] });
}

const recordings = async () => (await ann.call("GET", "/live/gate/recordings")).recordings;

test("who may change it presses Record, everybody sees that it records, and the film plays and is sought in at once", { timeout: 400_000 }, async () => {
  film();
  await until(async () => (await ann.call("GET", "/live/gate")).live, "the source", LONG);
  const [page, other] = [await house.visit(ann, "/live/gate"), await house.visit(bob, "/live/gate")];
  const mark = ".rec-mark:not([hidden])";
  await other.locator(".panel .live-mark:not([hidden])").waitFor({ timeout: LONG });
  assert.equal(await other.getByRole("button", { name: "Record" }).count(), 0);
  await page.getByRole("button", { name: "Record", exact: true }).click();
  for (const one of [page, other]) {
    await one.locator(mark).waitFor({ timeout: LONG });
    assert.equal(await one.locator(mark).textContent(), "Recording");
  }
  const stop = page.getByRole("button", { name: "Stop recording" });
  await stop.waitFor();
  assert.equal(await stop.evaluate((button) => button === document.activeElement), true, "whoever pressed it is still on it");
  assert.deepEqual(await findings(page), []);
  await page.waitForTimeout(6000);
  ffmpeg.kill("SIGTERM");
  await until(async () => (await recordings())[0]?.state === "done", "the film in the library", LONG);
  for (const one of [page, other]) {
    await until(async () => await one.locator(mark).count() === 0, "that it records no more", LONG);
    await one.getByRole("link", { name: "Film" }).waitFor({ timeout: LONG });
  }
  assert.deepEqual(await findings(page), []);
  const [{ item, duration }] = await recordings();
  assert.ok(duration > 4000, `${duration} ms`);
  await other.getByRole("link", { name: "Film" }).click();
  await other.waitForURL(`**/media/${item}`);
  const video = other.locator("video").first();
  await video.evaluate((one) => { if (/** @type {HTMLVideoElement} */ (one).preload === "none") /** @type {HTMLVideoElement} */ (one).preload = "metadata"; });
  await until(async () => await video.evaluate((one) => /** @type {HTMLVideoElement} */ (one).readyState >= 1), "what the film is", LONG);
  const lasts = await video.evaluate((one) => /** @type {HTMLVideoElement} */ (one).duration);
  assert.ok(Math.abs(lasts - duration / 1000) < 0.1, `${lasts} s`);
  // Sought in before anything was played.
  await video.evaluate((one) => { /** @type {HTMLVideoElement} */ (one).muted = true; /** @type {HTMLVideoElement} */ (one).currentTime = 3; });
  await until(async () => await video.evaluate((one) => !(/** @type {HTMLVideoElement} */ (one).seeking) && /** @type {HTMLVideoElement} */ (one).readyState >= 2), "the place", LONG);
  await video.evaluate((one) => /** @type {HTMLVideoElement} */ (one).play());
  await until(async () => await video.evaluate((one) => /** @type {HTMLVideoElement} */ (one).currentTime > 3.5), "it to play", LONG);
  house.quiet(/ERR_|WebSocket|Failed to load/);

  await page.getByText("Delete", { exact: true }).first().click();
  await page.getByRole("button", { name: "Yes, delete it" }).click();
  await until(async () => (await recordings()).length === 0, "that it is deleted", LONG);
  await page.locator(".recordings[hidden]").waitFor({ state: "attached" });
  assert.equal((await ann.call("GET", `/media/${item}`)).id, item, "its film stays");
  await page.context().close();
  await other.context().close();
});
