// Every page holds the longest of words, without a complaint; and what works without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { DESK, House, PASSWORD, PHONE } from "./house.mjs";
import { createChannel, shows } from "./page.mjs";

const LONG = "Donaudampfschifffahrtsgesellschaftskapitaen".repeat(4);
const ADDRESS = "https://example.org/" + "path/".repeat(40);

let house;
let owner;
before(async () => {
  house = await House.open();
  owner = await house.person("owner", "The Owner of this Place with a Rather Long Name");
});
after(() => house?.close());

/** A window of the owner's, connected or, without script, just signed in. */
async function open(path, options = {}) {
  const context = await house.visitor(options);
  await house.signIn(context, owner);
  const page = await context.newPage();
  await page.goto(path);
  return page;
}

test("no page has anything for axe to find or scrolls sideways with long words, on a desk and on a phone", { timeout: 120_000 }, async () => {
  const name = "A channel with a long name that has to fit somewhere";
  const channel = await owner.channel(name);
  for (const text of [LONG, ADDRESS]) await owner.say(channel, text);
  await owner.form("/board", { title: LONG.slice(0, 100), text: `A note. ${LONG}` });
  const { items } = await owner.call("GET", "/media");
  const path = `/c/${encodeURIComponent(name)}`;
  const page = await open("/dashboard", { reducedMotion: "reduce" });
  const found = [];
  for (const place of ["/dashboard", "/board", "/channels", path, `${path}?around=1`, "/people", "/media", ...items.map(({ id }) => `/media/${id}`), "/settings", "/nothing/here"]) {
    await page.goto(place);
    if (place === path) await shows(page, [LONG, ADDRESS]);
    for (const viewport of [DESK, PHONE]) {
      await page.setViewportSize(viewport);
      found.push(...(await findingsInBoth(page)).map((one) => `${place}, ${viewport.width}: ${one}`));
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) found.push(`${place}: ${wide} px too wide at ${viewport.width}`);
    }
  }
  assert.deepEqual(found, []);
  // The page that isn't there is meant to be a 404.
  house.quiet(/status of 404/);
  await page.context().close();
});

test("the board works without script", async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto("/");
  await page.getByText("Just a name").click();
  await page.getByLabel("Your name").fill("No Script");
  await page.getByRole("button", { name: "Come in as a guest" }).click();
  await page.goto("/board");
  await page.getByLabel("Title, if it has one").fill("Plain");
  await page.getByLabel("Leave a note").fill("by a plain form");
  await page.getByRole("button", { name: "Post" }).click();
  await page.waitForURL("**/board");
  const note = page.locator(".note").first();
  assert.equal(await note.locator(".message-text").textContent(), "by a plain form");
  assert.equal(await note.locator(".message-name").textContent(), "No Script");
  assert.ok(await note.locator(".guest").isVisible());
  await context.close();
});

test("a channel works without script", async () => {
  const page = await open("/channels", { javaScriptEnabled: false });
  await createChannel(page, "Quiet");
  for (const text of ["one", "two"]) {
    await page.locator("chat-composer textarea").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(text, { exact: true }).waitFor();
  }
  await shows(page, ["one", "two"]);
  await page.context().close();
});

test("a note by form shows at once on somebody's open board", async () => {
  const there = await house.visit(owner, "/board");
  const plain = await open("/board", { javaScriptEnabled: false });
  await plain.getByLabel("Leave a note").fill("seen at once?");
  await plain.getByRole("button", { name: "Post" }).click();
  await there.locator(".note", { hasText: "seen at once?" }).waitFor();
  assert.equal(await there.locator(".note", { hasText: "seen at once?" }).count(), 1);
  house.quiet();
  await there.context().close();
  await plain.context().close();
});

test("somebody who was here logs in through the page", async () => {
  const context = await house.visitor();
  const page = await context.newPage();
  await page.goto("/login?next=/people");
  await page.getByLabel("User name").locator("visible=true").fill("owner");
  await page.getByLabel("Password").locator("visible=true").fill(PASSWORD);
  await page.locator(".entry-form-login button").click();
  await page.waitForURL("**/people");
  house.quiet();
  await context.close();
});
