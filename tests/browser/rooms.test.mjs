// Groups and private conversations: made, found, renamed, left and closed, with two or three people, live and without a script.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House, PHONE } from "./house.mjs";
import { ready, say, shows, until } from "./page.mjs";

let house, ann, ben, eve;

before(async () => {
  house = await House.open();
  [ann, ben, eve] = [await house.person("ann"), await house.person("ben"), await house.person("eve")];
});
after(() => house?.close());

const places = (page, part) => page.$$eval(`[data-rail-part="${part}"] .place`, (all) => all.map((one) => one.querySelector(".place-name").textContent));
const rail = (page, part, wanted) => until(async () => JSON.stringify(await places(page, part)) === JSON.stringify(wanted), `${part}: ${JSON.stringify(wanted)}`);
const group = (name, members) => ann.call("POST", "/rooms", { kind: "group", name, members });

test("a group is made with people who are proposed, and stands in everybody's rail at once", { timeout: 90_000 }, async () => {
  const his = await house.visit(ben, "/people");
  const page = await house.visit(ann, "/groups");
  await page.fill("#group-name", "Night shift");
  await page.locator("#group-members").pressSequentially("be");
  await page.locator(".people-list [role=option]").first().waitFor();
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#group-members"), "ben, ");
  await page.getByRole("button", { name: "Make the group" }).click();
  await page.waitForURL("**/g/*");
  await ready(page);
  await rail(his, "group", ["Night shift"]);
  await say(page, "hello you two");
  await his.waitForSelector('[data-rail-part="group"] .is-unread');
  await his.click('[data-rail-part="group"] .place');
  await shows(his, ["hello you two"]);
  assert.deepEqual(await findings(his), []);
  house.quiet();
  await Promise.all([page, his].map((one) => one.context().close()));
});

test("a new name and topic come at once, and whoever is taken out reads why with a way back", { timeout: 90_000 }, async () => {
  const room = await group("Choir", ["ben", "eve"]);
  const his = await house.visit(ben, `/g/${room.id}`);
  await ann.call("PATCH", `/rooms/${room.id}`, { name: "Big choir", topic: "Tuesdays" });
  await until(async () => (await his.textContent(".head .room-name")) === "Big choir", "the new name");
  assert.equal(await his.textContent(".head .room-topic"), "Tuesdays");
  await until(async () => (await his.title()).includes("Big choir"), "the title");
  await until(async () => (await places(his, "group")).includes("Big choir"), "the rail");

  await ann.call("DELETE", `/rooms/${room.id}/members/ben`);
  await his.locator(".room-gone").waitFor();
  assert.match(await his.textContent(".room-gone"), /Big choir|Choir/);
  assert.deepEqual(await findings(his), []);
  assert.ok(!(await places(his, "group")).includes("Big choir"));
  await his.click(".room-gone a");
  await his.waitForURL("**/dashboard");

  const hers = await house.visit(eve, `/g/${room.id}`);
  const owner = await house.visit(ann, `/g/${room.id}/settings`);
  await owner.click(".grave summary");
  assert.match(await owner.textContent(".grave p"), /can't be undone.*2/s);
  assert.deepEqual(await findings(owner), []);
  await owner.getByRole("button", { name: "Delete it for good" }).click();
  await owner.waitForURL("**/groups");
  await hers.locator(".room-gone").waitFor();
  house.quiet();
  await Promise.all([his, hers, owner].map((one) => one.context().close()));
});

test("a private conversation begins with its first message, and says who is here", { timeout: 90_000 }, async () => {
  const page = await house.visit(ann, "/dm/eve", { viewport: PHONE });
  assert.deepEqual(await findings(page), []);
  assert.deepEqual((await eve.call("GET", "/rooms")).rooms.filter(({ kind }) => kind === "direct"), []);
  const hers = await house.visit(eve, "/people");
  await say(page, "only for you");
  await shows(page, ["only for you"]);
  await ready(page);
  await rail(hers, "direct", ["Ann"]);
  await hers.click('[data-rail-part="direct"] .place');
  await shows(hers, ["only for you"]);
  await until(async () => (await hers.textContent(".peer-state")) === "here now", "ann being here");
  await say(hers, "thanks");
  await shows(page, ["only for you", "thanks"]);
  await hers.context().close();
  await until(async () => (await page.textContent(".peer-state")) === "not here", "eve being away");
  assert.deepEqual(await findings(page), []);
  house.quiet();
  await page.context().close();
});

test("all of it works without a script", { timeout: 90_000 }, async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(context, ben);
  const page = await context.newPage();
  await page.goto("/direct");
  await page.fill("#direct-user", "nobody");
  await page.locator("form:has(#direct-user) button").click();
  await page.locator("#direct-user-wrong").waitFor();
  await page.fill("#direct-user", "EVE");
  await page.locator("form:has(#direct-user) button").click();
  await page.waitForURL("**/dm/eve");
  await page.fill("#text", "by plain form");
  await page.locator(".composer-send").click();
  await page.locator(".message-text", { hasText: "by plain form" }).waitFor();
  assert.deepEqual(await places(page, "direct"), ["Eve"]);
  await page.goto("/groups");
  await page.fill("#group-name", "Plain");
  await page.fill("#group-members", "@ann eve");
  await page.getByRole("button", { name: "Make the group" }).click();
  await page.waitForURL("**/g/*");
  await page.goto(`${page.url()}/settings`);
  await page.fill("#room-name", "Plainer");
  await page.getByRole("button", { name: "Save" }).click();
  await page.waitForURL("**done=change");
  await page.getByRole("button", { name: "Remove Eve" }).click();
  await page.waitForURL("**done=kick");
  assert.equal(await page.locator(".person").count(), 2);
  await page.fill("#invite-user", "eve");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.waitForURL("**done=invite");
  await page.getByRole("button", { name: "Leave Plainer" }).click();
  await page.waitForURL("**/groups");
  await page.context().close();
});
