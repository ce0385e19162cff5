// What plays goes on while one reads elsewhere, and is heard once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { ready, until } from "./page.mjs";

/** Samples that last: a soft tone, 8 kHz, 8 bits. The same samples are the same item. */
function tone(seconds, low = 6) {
  const data = Buffer.from(Array.from({ length: 8000 * seconds }, (_, n) => 128 + Math.round(20 * Math.sin(n / low))));
  const head = Buffer.alloc(44);
  head.write("RIFF", 0); head.writeUInt32LE(36 + data.length, 4); head.write("WAVEfmt ", 8); head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(8000, 24); head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32); head.writeUInt16LE(8, 34); head.write("data", 36); head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

let house;
let ann;
let song;
before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  const answer = await fetch(`${house.origin}/api/v1/media/Rehearsal.wav`, { method: "PUT", body: tone(90), headers: { cookie: ann.cookie } });
  song = await answer.json();
});
after(async () => { await house?.close(); });

const heard = (page, where) => page.locator(where).evaluate((one) => ({ time: /** @type {any} */ (one).media.currentTime, paused: /** @type {any} */ (one).media.paused, gap: one.dataset.gap }));

test("a recording goes on in the next page, from there to its own, and stops when told", async () => {
  const page = await house.visit(ann, `/media/${song.id}`);
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await until(async () => (await heard(page, "media-player")).time > 1, "the first second");
  const gaps = [];
  let last = (await heard(page, "media-player")).time;
  for (const [place, where] of [["Board", "site-dock"], ["People", "site-dock"], ["Rehearsal", "media-player"], ["Search", "site-dock"]]) {
    await page.getByRole("link", { name: place, exact: true }).first().click();
    await page.locator(where).waitFor();
    await ready(page);
    const now = await until(async () => {
      const state = await heard(page, where);
      return !state.paused && state.gap !== undefined && state.time > last && state;
    }, `the sound in ${place}`);
    gaps.push(Number(now.gap));
    last = now.time;
    assert.ok(now.time < 60, "it didn't jump");
  }
  console.log(`silence between pages: ${gaps.join(", ")} ms`);
  assert.ok(Math.max(...gaps) < 1500, `${gaps}`);
  await page.getByRole("region", { name: "Playing" }).getByRole("button", { name: "Pause" }).click();
  assert.equal((await heard(page, "site-dock")).paused, true);
  const kept = await until(() => ann.call("GET", `/media/${song.id}/position`).catch(() => null), "the place");
  assert.ok(kept.position > 1000, JSON.stringify(kept));
  // What was paused is still there in the next page, and silent.
  await page.getByRole("link", { name: "Board", exact: true }).first().click();
  await page.locator("site-dock").waitFor();
  assert.equal((await heard(page, "site-dock")).paused, true);
  await page.getByRole("button", { name: "Stop and close" }).click();
  assert.equal(await page.locator("site-dock").count(), 0);
  await page.reload();
  await ready(page);
  assert.equal(await page.locator("site-dock").count(), 0);
  await page.context().close();
  house.quiet();
});

test("a list plays on while one reads elsewhere, and its page takes over where it is by then", async () => {
  const items = [];
  for (const [index, name] of ["First", "Second", "Third"].entries()) {
    const answer = await fetch(`${house.origin}/api/v1/media/${name}.wav`, { method: "PUT", body: tone(60, 8 + index), headers: { cookie: ann.cookie } });
    items.push(await answer.json());
  }
  const list = await ann.call("POST", "/media/lists", { name: "Evening" });
  for (const { id } of items) await ann.call("PUT", `/media/lists/${list.id}/items/${id}`);
  const page = await house.visit(ann, `/media/lists/${list.id}`);
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await until(async () => (await heard(page, "media-player")).time > 0.5, "the beginning");
  await page.getByRole("link", { name: "Board", exact: true }).first().click();
  const dock = page.getByRole("region", { name: "Playing" });
  const toEnd = () => page.locator("site-dock").evaluate((one) => { const { media } = /** @type {any} */ (one); media.currentTime = media.duration - 0.5; });
  await until(async () => (await heard(page, "site-dock")).time > 0.5, "the first one");
  await toEnd();
  await dock.getByRole("link", { name: "Second" }).waitFor();
  // From page to page the list stays known.
  await page.getByRole("link", { name: "People", exact: true }).first().click();
  await until(async () => { const state = await heard(page, "site-dock"); return !state.paused && state.time > 0.5; }, "the second one");
  await toEnd();
  await dock.getByRole("link", { name: "Third" }).waitFor();
  await until(async () => { const state = await heard(page, "site-dock"); return !state.paused && state.time > 0.5; }, "the third one");
  await dock.getByRole("link", { name: "Third" }).click();
  await page.waitForURL(`**/media/lists/${list.id}?item=${items[2].id}`);
  await until(async () => { const state = await heard(page, "media-player"); return !state.paused && state.time > 0.5; }, "the third one on its page");
  assert.equal(await page.locator("site-dock").count(), 0);
  await page.context().close();
  house.quiet();
});

test("two are never heard at once: in the other tab it pauses", async () => {
  const context = await house.visitor();
  const first = await house.enter(context, ann, `/media/${song.id}`);
  await first.getByRole("button", { name: "Play", exact: true }).click();
  await until(async () => !(await heard(first, "media-player")).paused, "the first one");
  const second = await context.newPage();
  await house.go(second, `/media/${song.id}`);
  await second.getByRole("button", { name: "Play", exact: true }).click();
  await until(async () => (await heard(first, "media-player")).paused, "the first one's pause");
  assert.equal((await heard(second, "media-player")).paused, false);
  await context.close();
  house.quiet();
});

test("where nothing plays its script isn't brought", async () => {
  const context = await house.visitor();
  const asked = [];
  context.on("request", (request) => asked.push(request.url()));
  const page = await house.enter(context, ann, "/board");
  await house.go(page, "/people");
  assert.deepEqual(asked.filter((url) => url.includes("/dock.")), []);
  await context.close();
});
