// Live video in the browser: seen at once, near to now, and in the same player whatever becomes of the source.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { until } from "./page.mjs";

/** The machine may be busy with other things. */
const LONG = 90_000;
/** The picture is a row of squares, black or white: a clock that a page can read off. Its unit in ms, and how many bits. */
const UNIT = 10;
const BITS = 20;
const SIDE = 16;
const RATE = 25;

let house;
let ann;
let key;
/** @type {Camera | undefined} */
let camera;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  ({ key } = await ann.call("POST", "/live", { name: "gate", title: "Gate", public: true }));
});
after(async () => {
  camera?.stop();
  await house?.close();
});

/** Films the time of day with ffmpeg, and sends it as anybody would. */
class Camera {
  constructor() {
    const [width, height] = [BITS * SIDE, 4 * SIDE];
    this.ffmpeg = spawn("ffmpeg", ["-v", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-s", `${width}x${height}`, "-r", String(RATE), "-i", "-",
      "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "25",
      "-f", "mp4", "-movflags", "frag_every_frame+empty_moov+default_base_moof", "-flush_packets", "1", "-method", "PUT", `${house.origin}/live/gate/push?key=${key}`],
      { stdio: ["pipe", "inherit", "inherit"] });
    this.ffmpeg.stdin.on("error", () => {});
    const row = Buffer.alloc(width);
    this.timer = setInterval(() => {
      const now = Math.floor(Date.now() / UNIT);
      for (let bit = 0; bit < BITS; bit += 1) row.fill(Math.floor(now / 2 ** bit) % 2 ? 235 : 16, bit * SIDE, (bit + 1) * SIDE);
      this.ffmpeg.stdin.write(Buffer.concat(Array.from({ length: height }, () => row)));
    }, 1000 / RATE);
  }

  stop() {
    clearInterval(this.timer);
    this.ffmpeg.kill("SIGKILL");
  }
}

/** How old what is shown is, ms: read off the picture. Nothing while there is none. */
const late = (page) => page.evaluate(([unit, bits, side]) => {
  const video = /** @type {HTMLVideoElement} */ (document.querySelector("live-panel video"));
  if (video.videoWidth === 0 || video.readyState < 2) return null;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: video.videoWidth, height: video.videoHeight });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(video, 0, 0);
  let shown = 0;
  for (let bit = 0; bit < bits; bit += 1) if (context.getImageData(bit * side + side / 2, canvas.height / 2, 1, 1).data[0] > 128) shown += 2 ** bit;
  const now = Math.floor(Date.now() / unit) % 2 ** bits;
  return ((now - shown + 2 ** bits) % 2 ** bits) * unit;
}, [UNIT, BITS, SIDE]);

const place = (page) => page.locator("live-panel video").evaluate((video) => /** @type {HTMLVideoElement} */ (video).currentTime);
/** What is shown is of these last seconds, and goes on. */
const isNear = (page, what) => until(async () => { const age = await late(page); return age !== null && age < 4000; }, what, LONG);

test("video is seen at once and stays near to now; a source that comes again goes on in the same player", { timeout: 400_000 }, async () => {
  camera = new Camera();
  await until(async () => (await ann.call("GET", "/live/gate")).live, "the source", LONG);
  const begin = Date.now();
  const page = await house.visit(ann, "/live/gate");
  await isNear(page, "the first picture");
  console.log(`the page opened and its first picture shown in ${Date.now() - begin} ms`);
  await page.locator(".panel .live-mark:not([hidden])").waitFor();
  const ages = [];
  for (let n = 0; n < 20; n += 1) {
    ages.push(await late(page));
    await page.waitForTimeout(150);
  }
  console.log(`from the camera to the screen: ${ages.filter((age) => age !== null).sort((a, b) => a - b).join(", ")} ms`);
  const wall = await house.visit(ann, "/live");
  await until(async () => / s ago$/.test(await wall.locator(".tile-age").textContent() ?? ""), "its age on the wall", LONG);
  // And a picture of its own, with squares of both kinds.
  await until(() => wall.evaluate(([bits, side]) => {
    const canvas = /** @type {HTMLCanvasElement | null} */ (document.querySelector(".tile-screen canvas"));
    if (!canvas) return false;
    const row = canvas.getContext("2d")?.getImageData(0, canvas.height / 2, canvas.width, 1).data ?? [];
    const squares = Array.from({ length: bits }, (_, bit) => row[4 * Math.floor((bit + 0.5) * side * canvas.width / (bits * side))] > 128);
    return new Set(squares).size === 2;
  }, [BITS, SIDE]), "its picture on the wall", LONG);
  await wall.context().close();
  await page.evaluate(() => { /** @type {any} */ (globalThis).here = true; });
  // The sound's button is there for a stream with sound only.
  assert.equal(await page.locator("live-panel").getByRole("button", { name: "Sound", includeHidden: true }).isVisible(), false);

  camera.stop();
  await until(async () => (await page.locator("live-panel").getAttribute("class"))?.includes("is-stale"), "that it is old", LONG);
  const stood = await place(page);
  camera = new Camera();
  await until(async () => await place(page) > stood + 1, "it to go on", LONG);
  await isNear(page, "what is new");
  await until(async () => !(await page.locator("live-panel").getAttribute("class"))?.includes("is-stale"), "that it is live", LONG);

  await house.stop();
  await house.start();
  camera.stop();
  camera = new Camera();
  await until(async () => !(await page.locator("live-panel").getAttribute("class"))?.includes("is-stale"), "that it is live after a restart", LONG);
  await isNear(page, "what is new after a restart");
  assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).here), true, "without a reload");
  house.quiet(/ERR_|WebSocket|Failed to load/);
  await page.context().close();
});

test("held still the picture stands, and back to live it is of now", { timeout: 300_000 }, async () => {
  const page = await house.visit(ann, "/live/gate");
  await isNear(page, "a picture");
  await page.getByRole("button", { name: "Pause" }).click();
  const stood = await place(page);
  await page.waitForTimeout(5000);
  assert.ok(Math.abs(await place(page) - stood) < 0.3, "it stands");
  assert.ok(/** @type {number} */ (await late(page)) > 4000, "and is old");
  await page.getByRole("button", { name: "Back to live" }).click();
  await isNear(page, "now");
  house.quiet();
  await page.context().close();
});
