// The library plays and seeks: in Chromium, and for ffprobe.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { House } from "./house.mjs";

const run = promisify(execFile);
let house;
let context;
let page;
let items;
before(async () => {
  house = await House.open();
  context = await house.visitor();
  page = await house.register(context, "ann");
  items = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items);
});
after(async () => { await house.close(); });

for (const mime of ["video/mp4", "audio/wav", "audio/mpeg"]) {
  test(`${mime} plays and a jump asks for a range`, async () => {
    const item = items.find((one) => one.mime === mime);
    assert.ok(item, `no ${mime} among the samples`);
    const answers = [];
    const note = (response) => { if (response.url().includes(`/media/${item.id}/file`)) answers.push(response.status()); };
    page.on("response", note);
    await page.goto(`/media/${item.id}`);
    const played = await page.locator("media-player :is(video, audio)").evaluate(async (media) => {
      const heard = (name) => new Promise((resolve, reject) => {
        media.addEventListener(name, resolve, { once: true });
        media.addEventListener("error", () => reject(new Error(media.error?.message)), { once: true });
      });
      if (media.readyState < 1) await heard("loadedmetadata");
      const length = media.duration;
      const target = length * 0.8;
      const seeked = heard("seeked");
      media.currentTime = target;
      await seeked;
      media.muted = true;
      const moves = heard("timeupdate");
      await media.play();
      await moves;
      return { length, target, now: media.currentTime };
    });
    page.off("response", note);
    assert.ok(played.length > 1, `${played.length} s`);
    assert.ok(played.now >= played.target - 0.5, JSON.stringify(played));
    assert.ok(answers.includes(206), `answers: ${answers}`);
    assert.ok(answers.every((status) => [200, 206, 304].includes(status)), `answers: ${answers}`);
    house.quiet();
  });
}

test("ffprobe reads a frame from the middle of the film and the recording", async () => {
  const cookie = (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
  for (const mime of ["video/mp4", "audio/wav"]) {
    const item = items.find((one) => one.mime === mime);
    const { stdout } = await run("ffprobe", ["-v", "error", "-headers", `Cookie: ${cookie}\r\n`,
      "-read_intervals", "2%+#1", "-show_entries", "packet=pts_time", "-of", "csv=p=0",
      `${house.origin}/media/${item.id}/file`]);
    assert.ok(stdout.split("\n").some((line) => Number.parseFloat(line) > 0), `${mime}: ${stdout}`);
  }
});
