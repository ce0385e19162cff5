// A film whose size is more than it needs gets smaller forms, and whoever watches chooses among them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { House } from "./house.mjs";
import { until } from "./page.mjs";

const run = promisify(execFile);
/** A conversion on a busy machine, ms. */
const PREPARED = 120_000;

let house;
let ann;
let film;
before(async () => {
  house = await House.open({ jobs: 1 });
  ann = await house.person("ann");
  const path = join(house.folder, "Heavy.mp4");
  await run("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10:duration=20,noise=alls=80:allf=t",
    "-c:v", "libx264", "-preset", "ultrafast", "-qp", "8", "-pix_fmt", "yuv420p", "-g", "10", "-movflags", "+faststart", path]);
  const answer = await fetch(`${house.origin}/api/v1/media/Heavy.mp4`, { method: "PUT", body: await readFile(path), headers: { cookie: ann.cookie } });
  film = await answer.json();
});
after(async () => { await house?.close(); });

test("another quality goes on at the same moment, and is remembered", { timeout: PREPARED + 60_000 }, async () => {
  const made = await until(async () => {
    const item = await ann.call("GET", `/media/${film.id}`);
    assert.notEqual(item.state, "failed", item.error);
    return item.state === "ready" && item.renditions?.length > 0 && item;
  }, "a rendition", PREPARED);
  const [best] = made.renditions;
  const page = await house.visit(ann, `/media/${film.id}`);
  const video = page.locator("video");
  const state = () => video.evaluate((one) => ({ time: /** @type {HTMLVideoElement} */ (one).currentTime, paused: /** @type {HTMLVideoElement} */ (one).paused, src: new URL(/** @type {HTMLVideoElement} */ (one).currentSrc).pathname }));
  const field = page.getByRole("combobox", { name: "Quality" });
  // Both sizes are said, beside the choice and under the title.
  const options = await field.locator("option").allTextContents();
  assert.ok(options.some((words) => words.startsWith("Original · ")) && options.some((words) => words.startsWith(`${best.label} · `)), `${options}`);
  await page.locator(".player-words").getByText(new RegExp(best.label)).waitFor();
  // What lies under the pointer is shown in small.
  await page.locator(".seek input").hover();
  await page.locator(".seek-scene").waitFor();
  await page.locator("media-player").evaluate((one) => { /** @type {any} */ (one).media.muted = true; /** @type {any} */ (one).seek(8); });
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await until(async () => (await state()).time > 8.2, "playing");
  await field.selectOption({ label: options.find((words) => words.startsWith(best.label)) ?? "" });
  const now = await until(async () => {
    const seen = await state();
    return seen.src.includes("/r/") && !seen.paused && seen.time > 8.2 && seen;
  }, "the smaller one, playing on");
  assert.ok(now.time < 19, JSON.stringify(now));
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await field.selectOption({ label: options.find((words) => words.startsWith("Original")) ?? "" });
  await until(async () => { const seen = await state(); return seen.src.endsWith("/file") && seen.paused && seen.time > 8; }, "the original, still paused");
  await field.selectOption({ label: options.find((words) => words.startsWith(best.label)) ?? "" });
  await page.reload();
  await until(async () => { const seen = await state(); return seen.src.includes("/r/") && seen.time > 8; }, "the choice, where one was");
  house.quiet();
});
