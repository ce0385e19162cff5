// Playlists that play on by themselves, and the trash that asks before it deletes.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { until } from "./page.mjs";
import { makeFilm } from "./film.mjs";

let house;
let ann;
let films;
before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  films = [];
  for (const [name, rate] of /** @type {[string, number][]} */ ([["One", 10], ["Two", 12], ["Three", 15]])) films.push(await makeFilm(house, ann, `${name}.mp4`, 3, { rate }));
});
after(async () => { await house?.close(); });

/** Asked again after a page has come in between. */
const order = (page) => page.locator(".list-name").allTextContents().catch(() => []);

test("a list is made from a film's page, put in order by drag and by buttons, and plays on by itself", async () => {
  const page = await house.visit(ann, `/media/${films[0].id}`);
  await page.getByRole("link", { name: "Add to a list" }).click();
  await page.getByLabel("Name").fill("Week");
  await page.getByLabel("Everybody sees it").check();
  await page.getByRole("button", { name: "Make it" }).click();
  await page.waitForURL("**/media/lists/*");
  const list = new URL(page.url()).pathname;
  // From the shelf.
  for (const name of ["Two", "Three"]) {
    await page.goto("/media");
    await page.getByRole("link", { name: `Add ${name} to a list` }).click();
    await page.getByRole("button", { name: "Add to Week" }).click();
    await page.waitForURL(`**${list}`);
  }
  assert.deepEqual(await order(page), ["One", "Two", "Three"]);
  const items = page.locator(".list-item");
  /** @type {(value?: any) => void} */
  let free = () => {};
  const held = new Promise((go) => { free = go; });
  await page.route("**/order", async (route) => { await held; await route.continue(); }, { times: 1 });
  await items.nth(2).dragTo(items.nth(0), { targetPosition: { x: 20, y: 2 } });
  // The list is put in anew when the order is kept; who has gone on to a button meanwhile is still on it.
  const up = page.getByRole("button", { name: "Two: up" });
  await up.evaluate((button) => { button.dataset.old = ""; button.focus(); });
  free();
  await page.locator(".list-item:not(:has([data-old]))").nth(2).waitFor();
  assert.equal(await up.evaluate((button) => button === document.activeElement), true);
  await until(async () => (await ann.call("GET", `/media/lists/${list.split("/").at(-1)}`)).items.map((one) => one.title).join() === "Three,One,Two", "the order");
  await until(async () => (await order(page)).join() === "Three,One,Two", "the same on the page");
  // Let go elsewhere, it is where it was.
  let sent = 0;
  page.on("request", (request) => { if (request.url().endsWith("/order")) sent += 1; });
  await items.nth(2).hover();
  await page.mouse.down();
  const { x, y } = /** @type {{x: number, y: number}} */ (await items.nth(0).boundingBox());
  // The first move enters, the next one is over it.
  for (const by of [2, 4]) await page.mouse.move(x + 20, y + by, { steps: 3 });
  await until(async () => (await order(page)).join() === "Two,Three,One", "it to follow the hand");
  await page.getByText("Change this list").hover();
  await page.mouse.up();
  await until(async () => (await order(page)).join() === "Three,One,Two", "the order as it was");
  assert.equal(sent, 0);
  await page.getByRole("button", { name: "Two: up" }).focus();
  await page.keyboard.press("Enter");
  await until(async () => (await order(page)).join() === "Three,Two,One", "one step up");
  // From the second one on: what comes next is said, and comes by itself.
  await page.goto(`${list}?item=${films[1].id}`);
  await page.getByText("Next: One").waitFor();
  await page.locator("video").evaluate((film) => { /** @type {HTMLVideoElement} */ (film).muted = true; });
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForURL(`**${list}?item=${films[0].id}`);
  await until(() => page.locator("video").evaluate((film) => !/** @type {HTMLVideoElement} */ (film).paused || /** @type {HTMLVideoElement} */ (film).currentTime > 0), "the next one");
  await page.getByText("This is the last one.").waitFor();
  // Somebody else sees it and changes nothing.
  const ben = await house.visit(await house.person("ben"), list);
  assert.deepEqual(await order(ben), ["Three", "Two", "One"]);
  assert.equal(await ben.getByRole("button", { name: /: up$/ }).count(), 0);
  await ben.context().close();
  await page.context().close();
  house.quiet();
});

test("the trash takes, gives back, and asks before it deletes for good; all without a script", async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(context, ann);
  const page = await context.newPage();
  await page.goto(`/media/${films[2].id}/edit`);
  await page.getByLabel("Title").fill("Third evening");
  await page.getByLabel("Tags, with commas between").fill("Choir, 2026");
  await page.getByLabel("Who sees it").selectOption({ label: "Its uploader alone" });
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Only for whoever added it").waitFor();
  await page.getByRole("link", { name: "#choir" }).waitFor();
  const put = async () => {
    await page.goto(`/media/${films[2].id}/edit`);
    await page.getByRole("button", { name: "Move it to the trash" }).click();
    await page.getByText("Third evening").waitFor();
  };
  await put();
  await page.getByRole("button", { name: "Take back Third evening" }).click();
  await page.waitForURL(`**/media/${films[2].id}`);
  await put();
  assert.equal(await page.getByRole("button", { name: "Yes, delete it" }).isVisible(), false);
  await page.locator("summary", { hasText: "Delete it for good" }).click();
  await page.getByText("The file goes too, and nobody can take it back.").waitFor();
  await page.getByRole("button", { name: "Yes, delete it" }).click();
  await page.getByText("The trash is empty").waitFor();
  const answer = await page.goto(`/media/${films[2].id}`);
  assert.equal(answer?.status(), 404);
  await context.close();
  house.quiet(/404/);
});
