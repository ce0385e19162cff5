// Ten formats play in Chromium after they were prepared, and the page shows how far that is.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";

const PICTURE = "-f lavfi -i testsrc2=s=320x180:r=25:d=2".split(" ");
const SOUND = "-f lavfi -i sine=440:d=2".split(" ");
const FILMS = { mp4: "-c:v libx264 -pix_fmt yuv420p -c:a aac", mov: "-c:v mpeg4 -c:a pcm_s16le", mkv: "-c:v mpeg4 -c:a ac3", webm: "-c:v libvpx -c:a libvorbis", avi: "-c:v mpeg4 -c:a libmp3lame" };
const SONGS = { mp3: "", flac: "", wav: "", ogg: "-c:a libvorbis", m4a: "-c:a aac" };
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
  // A film that no browser plays yet can't be playing; the page comes anew.
  await page.locator("media-preparing").waitFor({ state: "detached", timeout: PATIENCE });
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) === 1280, undefined, { timeout: PATIENCE });
  // What the browser said of the original before it was ready is no trouble of ours.
  house.quiet(/media|404|416/i);
  await page.context().close();
});

test("what failed says why, and can be tried again", async () => {
  const page = await house.visit(ann, "/media");
  await clip("cut.mp4", ...PICTURE);
  execFileSync("truncate", ["-s", "3000", join(house.folder, "media", "cut.mp4")]);
  await utimes(join(house.folder, "media", "cut.mp4"), 1e9, 1e9);
  const deadline = Date.now() + PATIENCE;
  let item;
  while (item?.state !== "failed") {
    assert.ok(Date.now() < deadline, `it never failed: ${JSON.stringify(item)}`);
    item = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items.find((one) => one.title === "cut"));
  }
  await page.goto(`/media/${item.id}`);
  assert.match(await page.locator("media-preparing").innerText(), /no film or recording that can be read/);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("media-preparing").waitFor();
  house.quiet(/media|DEMUXER|416|404/i);
  await page.context().close();
});
