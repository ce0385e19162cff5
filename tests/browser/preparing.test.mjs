// Ten formats play in Chromium after they were prepared, and the page shows how far that is.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";

const PICTURE = "-f lavfi -i testsrc2=s=320x180:r=25:d=2".split(" ");
const SOUND = "-f lavfi -i sine=440:d=2".split(" ");
const FILMS = { mp4: "-c:v libx264 -pix_fmt yuv420p -c:a aac", mov: "-c:v mpeg4 -c:a pcm_s16le", mkv: "-c:v mpeg4 -c:a ac3", webm: "-c:v libvpx -c:a libvorbis", avi: "-c:v mpeg4 -c:a libmp3lame" };
const SONGS = { mp3: "", flac: "", wav: "", ogg: "-c:a libvorbis", m4a: "-c:a aac" };
/** Of a film that is cut off, bytes: its index would follow. */
const SIZE = 20_000;
/** Preparing beside other things, ms. */
const PATIENCE = 180_000;

let house, ann;

/** Makes a clip that looks as if it had lain there for an hour. */
async function clip(name, ...parts) {
  const path = join(house.folder, "media", name);
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...parts, path]);
  const past = Date.now() / 1000 - 3600;
  await utimes(path, past, past);
}

/** A small film, filled up to a size with a box that players pass over. */
async function fill(name, size) {
  const path = join(tmpdir(), `${process.pid}-${name}`);
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ..."-f lavfi -i testsrc2=s=64x36:r=5:d=1 -c:v libx264 -pix_fmt yuv420p".split(" "), path]);
  const film = await readFile(path);
  await rm(path);
  const rest = Buffer.alloc(size - film.length);
  rest.writeUInt32BE(rest.length, 0);
  rest.write("free", 4);
  return Buffer.concat([film, rest]);
}

before(async () => {
  house = await House.open({ jobs: 2 });
  for (const [end, how] of Object.entries(FILMS)) await clip(`film-${end}.${end}`, ...PICTURE, ...SOUND, ...how.split(" "));
  for (const [end, how] of Object.entries(SONGS)) await clip(`song-${end}.${end}`, ...SOUND, ...(how ? how.split(" ") : []));
  ann = await house.person("ann");
});
after(() => house?.close());

/** The item with this title, once it is prepared. */
async function prepared(page, title) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const items = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items);
    const item = items.find((one) => one.title === title);
    if (item?.plays !== undefined || item?.state === "failed") return item;
    assert.ok(Date.now() < deadline, `${title} was never prepared: ${JSON.stringify(items)}`);
    await page.waitForTimeout(200);
  }
}

test("ten formats play after they were prepared", async () => {
  const page = await house.visit(ann, "/media");
  const titles = [...Object.keys(FILMS).map((end) => `film-${end}`), ...Object.keys(SONGS).map((end) => `song-${end}`)];
  for (const title of titles) {
    const item = await prepared(page, title);
    assert.equal(item.state, "ready", JSON.stringify(item));
    await page.goto(`/media/${item.id}`);
    const played = await page.locator("media-player :is(video, audio)").evaluate((media) => new Promise((good, bad) => {
      media.muted = true;
      media.addEventListener("error", () => bad(new Error(media.error?.message ?? "it doesn't play")), { once: true });
      media.addEventListener("timeupdate", () => { if (media.currentTime > 0) good({ now: media.currentTime, width: media.videoWidth ?? 0 }); });
      media.play().catch(bad);
    }));
    assert.ok(played.now > 0, title);
    assert.equal(played.width, title.startsWith("film") ? 320 : 0, title);
  }
  house.quiet();
  await page.context().close();
});

test("the page says how far it is, and shows the film by itself when it is ready", async () => {
  const page = await house.visit(ann, "/media");
  await clip("long.avi", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=30:d=40", "-c:v", "mpeg4", "-q:v", "5");
  let item;
  const deadline = Date.now() + PATIENCE;
  while (item?.state !== "preparing") {
    assert.ok(Date.now() < deadline, `it never began: ${JSON.stringify(item)}`);
    item = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items.find((one) => one.title === "long"));
  }
  await page.goto(`/media/${item.id}`);
  const says = page.locator("media-preparing [role=status]");
  await says.filter({ hasText: /[1-9]\d? %/ }).waitFor({ timeout: PATIENCE });
  // Whoever writes beside it isn't interrupted.
  await page.getByRole("button", { name: "Join the talk" }).click();
  const box = page.locator("chat-composer textarea");
  await box.fill("While we wait");
  const born = await page.evaluate(() => performance.timeOrigin);
  await page.evaluate(() => document.querySelector("chat-composer textarea").setSelectionRange(5, 8));
  await page.locator("media-preparing").waitFor({ state: "detached", timeout: PATIENCE });
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) === 1280, undefined, { timeout: PATIENCE });
  const kept = await box.evaluate((one) => [performance.timeOrigin, one.value, document.activeElement === one, one.selectionStart]);
  assert.deepEqual(kept, [born, "While we wait", true, 5]);
  // And the talk points at the new player.
  await page.evaluate(() => /** @type {any} */ (document.querySelector("media-player")).seek(20));
  await box.fill("");
  await page.getByRole("button", { name: "This moment", exact: true }).click();
  assert.equal(await box.inputValue(), "0:20 ");
  await page.getByRole("button", { name: "Watch together" }).click();
  await page.locator("media-together").getByRole("button", { name: "Leave" }).waitFor();
  // What the browser said of the original before it was ready is no trouble of ours.
  house.quiet(/media|404|416/i);
  await page.context().close();
});

test("what failed says why, and can be tried again", async () => {
  const page = await house.visit(ann, "/media");
  await clip("cut.mp4", ...PICTURE);
  execFileSync("truncate", ["-s", String(SIZE), join(house.folder, "media", "cut.mp4")]);
  await utimes(join(house.folder, "media", "cut.mp4"), 1e9, 1e9);
  const deadline = Date.now() + PATIENCE;
  let item;
  while (item?.state !== "failed") {
    assert.ok(Date.now() < deadline, `it never failed: ${JSON.stringify(item)}`);
    item = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items.find((one) => one.title === "cut"));
  }
  await page.goto(`/media/${item.id}`);
  assert.match(await page.locator("media-preparing").innerText(), /no film or recording that can be read/);
  // The same file by size and time, whole this time: only who asks again learns of it.
  const path = join(house.folder, "media", "cut.mp4");
  await writeFile(path, await fill("whole.mp4", SIZE));
  await utimes(path, 1e9, 1e9);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("media-preparing").waitFor({ state: "detached", timeout: PATIENCE });
  const { state } = await page.evaluate(async (id) => (await fetch(`/api/v1/media/${id}`)).json(), item.id);
  assert.equal(state, "ready");
  house.quiet(/media|DEMUXER|416|404/i);
  await page.context().close();
});
