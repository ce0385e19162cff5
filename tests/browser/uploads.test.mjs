// Adding to the library by its page: chosen and dropped files, pause, cancel, a lost server, a reload.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { House, PHONE } from "./house.mjs";
import { ready, until } from "./page.mjs";

let house;
let ann;
before(async () => {
  house = await House.open();
  ann = await house.person("ann");
});
after(async () => { await house.close(); });

/** A recording of so many bytes, as a file of the house. */
async function recording(name, bytes, seed) {
  const content = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += 4) content.writeUInt32LE((at * (2 * seed + 1)) >>> 0, Math.min(at, bytes - 4));
  content.write("RIFF\0\0\0\0WAVEfmt ", 0, "latin1");
  const path = join(house.folder, name);
  await writeFile(path, content);
  return { path, hash: createHash("sha256").update(content).digest("hex") };
}

const row = (page, name) => page.locator(".upload-item", { hasText: name });
const choose = (page, paths) => page.locator("media-upload input[type=file]").setInputFiles(paths);

/** Lets so much through in a second; nothing stops it. */
async function slow(page, bytes) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes });
  return session;
}

async function hashOf(id) {
  const told = await fetch(`${house.origin}/api/v1/media/${id}/file`, { headers: { cookie: ann.cookie } });
  return createHash("sha256").update(Buffer.from(await told.arrayBuffer())).digest("hex");
}

async function itemOf(page, name) {
  const link = row(page, name).locator(".upload-name a");
  await link.waitFor();
  return (await link.getAttribute("href")).split("/").at(-1);
}

test("several files at once come onto the shelf without a reload", async () => {
  const page = await house.visit(ann, "/media");
  const files = [await recording("First song.wav", 300_000, 1), await recording("Second song.wav", 200_000, 2)];
  const shelf = await page.locator(".shelf .item").count();
  await choose(page, files.map(({ path }) => path));
  for (const [index, name] of ["First song", "Second song"].entries()) {
    assert.equal(await hashOf(await itemOf(page, name)), files[index].hash);
  }
  await until(async () => (await page.locator(".shelf .item").count()) === shelf + 2, "two more on the shelf");
  await page.locator(".shelf").getByText("Second song").waitFor();
  // Once more: it says that it is there, and adds nothing.
  await choose(page, [files[0].path]);
  await page.getByText("It was in the library already.").waitFor();
  assert.equal((await ann.call("GET", "/media")).items.filter(({ title }) => title === "First song").length, 1);
  house.quiet();
  await page.context().close();
});

test("what is dropped is taken, and what is no media is refused with the reason", async () => {
  const page = await house.visit(ann, "/media");
  const data = await page.evaluateHandle(() => {
    const all = new DataTransfer();
    all.items.add(new File(["<html>no film</html>".repeat(50)], "film.mp4", { type: "video/mp4" }));
    return all;
  });
  await page.locator("main").dispatchEvent("drop", { dataTransfer: data });
  const refused = row(page, "film.mp4");
  await refused.getByText("That is no sound or film that is known here").waitFor();
  await refused.getByRole("button", { name: "Remove: film.mp4" }).click();
  await refused.waitFor({ state: "detached" });
  house.quiet(/422/);
  await page.context().close();
});

test("it shows bytes, pace and time left, pauses, goes on, and a cancelled one leaves nothing", async () => {
  const page = await house.visit(ann, "/media");
  const { path, hash } = await recording("Long talk.wav", 6_000_000, 3);
  await slow(page, 1_000_000);
  await choose(page, [path]);
  const says = row(page, "Long talk").locator(".upload-says");
  await until(async () => / % of 6\.0 MB · .+ a second · \d+ s left/.test(await says.innerText()), "pace and time");
  await row(page, "Long talk").getByRole("button", { name: "Pause" }).click();
  await until(async () => (await says.innerText()).endsWith("paused"), "the pause");
  const { uploads } = await ann.call("GET", "/media/uploads");
  assert.equal(uploads.length, 1);
  assert.equal((await ann.call("GET", "/media")).items.some(({ title }) => title === "Long talk"), false);
  await row(page, "Long talk").getByRole("button", { name: "Go on" }).click();
  assert.equal(await hashOf(await itemOf(page, "Long talk")), hash);
  const other = await recording("Unwanted.wav", 6_000_000, 4);
  await choose(page, [other.path]);
  await until(async () => (await ann.call("GET", "/media/uploads")).uploads.length === 1, "its beginning");
  await row(page, "Unwanted").getByRole("button", { name: "Cancel: Unwanted.wav" }).click();
  await until(async () => (await ann.call("GET", "/media/uploads")).uploads.length === 0, "its end");
  house.quiet();
  await page.context().close();
});

test("a server that is killed and a page that is reloaded cost only what was on the way", async () => {
  const page = await house.visit(ann, "/media");
  const { path, hash } = await recording("Rehearsal.wav", 6_000_000, 5);
  await slow(page, 1_000_000);
  await choose(page, [path]);
  const arrived = async () => (await ann.call("GET", "/media/uploads").catch(() => ({ uploads: [] }))).uploads[0]?.offset ?? 0;
  await until(async () => (await arrived()) > 500_000, "the first bytes");
  await house.stop();
  await row(page, "Rehearsal").getByText("the connection is lost").waitFor();
  await house.start();
  const kept = await until(arrived, "what has arrived");
  assert.ok(kept > 500_000, `${kept}`);
  await until(async () => (await arrived()) > kept + 300_000, "more of it");
  await page.reload();
  await ready(page);
  assert.equal(await hashOf(await itemOf(page, "Rehearsal")), hash);
  assert.equal((await ann.call("GET", "/media/uploads")).uploads.length, 0);
  house.quiet(/ERR_|WebSocket|502|503/);
  await page.context().close();
});

test("another browser is told what is unfinished, and a phone has room for it", async () => {
  await ann.call("GET", "/media");
  const made = await fetch(`${house.origin}/api/v1/media`, {
    method: "POST",
    headers: { cookie: ann.cookie, "Tus-Resumable": "1.0.0", "Upload-Length": "1000000",
      "Upload-Metadata": `filename ${Buffer.from("Broken off.wav").toString("base64")}` },
  });
  assert.equal(made.status, 201);
  const page = await house.visit(ann, "/media", { viewport: PHONE });
  const left = row(page, "Broken off.wav");
  await left.getByText("0 % have arrived.").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing sticks out");
  await left.getByRole("button", { name: "Cancel" }).click();
  await until(async () => (await ann.call("GET", "/media/uploads")).uploads.length === 0, "its end");
  house.quiet();
  await page.context().close();
});
