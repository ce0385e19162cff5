// Every page: no errors, nothing for axe to find, no sideways scrolling on a phone; and the board without script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import axe from "@axe-core/playwright";

import { House, PASSWORD, PHONE, createChannel, say, shows } from "./house.mjs";

const AxeBuilder = axe.default ?? axe;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const LONG = "Donaudampfschifffahrtsgesellschaftskapitaen".repeat(4);

let house;
let places;
before(async () => {
  house = await House.open();
  const context = await house.visitor();
  const page = await house.register(context, "owner", "The Owner of this Place with a Rather Long Name");
  await createChannel(page, "A channel with a long name that has to fit somewhere");
  const channel = new URL(page.url()).pathname;
  await say(page, LONG);
  await say(page, "https://example.org/" + "path/".repeat(40));
  await shows(page, [LONG, "https://example.org/" + "path/".repeat(40)]);
  await page.goto("/board");
  await page.getByLabel("Leave a note").fill(`A note. ${LONG}`);
  await page.getByRole("button", { name: "Post" }).click();
  await page.locator(".note").first().waitFor();
  const items = await page.evaluate(async () => (await (await fetch("/api/v1/media")).json()).items);
  places = ["/dashboard", "/board", "/channels", channel, `${channel}?around=1`, "/people", "/media",
    ...items.map(({ id }) => `/media/${id}`), "/settings", "/nothing/here"];
  await context.close();
});
after(async () => { await house.close(); });

async function signIn(context) {
  const page = await context.newPage();
  await page.goto("/login");
  await page.getByLabel("User name").locator("visible=true").fill("owner");
  await page.getByLabel("Password").locator("visible=true").fill(PASSWORD);
  await page.locator(".entry-form-login button").click();
  await page.waitForURL((url) => url.pathname !== "/login");
  return page;
}

for (const [scheme, viewport] of [["light", { width: 1280, height: 800 }], ["dark", PHONE]]) {
  test(`axe finds nothing on any page, ${scheme}, ${viewport.width} wide, and nothing scrolls sideways`, async () => {
    house.troubles.length = 0;
    const context = await house.visitor({ viewport, colorScheme: scheme, reducedMotion: "reduce" });
    const stranger = await context.newPage();
    const found = [];
    const look = async (page, place) => {
      await page.goto(place);
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      for (const { id, impact, nodes } of violations) {
        found.push(`${place}: ${impact} ${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) found.push(`${place}: ${wide} px too wide`);
    };
    for (const place of ["/", "/login", "/register"]) await look(stranger, place);
    const page = await signIn(context);
    for (const place of places) await look(page, place);
    await context.close();
    assert.deepEqual(found, []);
    // The page that isn't there is meant to be a 404.
    house.quiet(/status of 404/);
  });
}

test("the board works without script", async () => {
  house.troubles.length = 0;
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
  const context = await house.visitor({ javaScriptEnabled: false });
  const page = await signIn(context);
  await createChannel(page, "Quiet");
  for (const text of ["one", "two"]) {
    await page.locator("chat-composer textarea").fill(text);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText(text, { exact: true }).waitFor();
  }
  await shows(page, ["one", "two"]);
  await context.close();
});

test("a note by form shows at once on somebody's open board", async () => {
  house.troubles.length = 0;
  const here = await house.visitor();
  const open = await signIn(here);
  await open.goto("/board");
  const there = await house.visitor({ javaScriptEnabled: false });
  const plain = await signIn(there);
  await plain.goto("/board");
  await plain.getByLabel("Leave a note").fill("seen at once?");
  await plain.getByRole("button", { name: "Post" }).click();
  await open.locator(".note", { hasText: "seen at once?" }).waitFor();
  assert.equal(await open.locator(".note", { hasText: "seen at once?" }).count(), 1);
  await here.close();
  await there.close();
  house.quiet();
});
