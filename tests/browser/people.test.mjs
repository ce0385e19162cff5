// People among themselves: cards, states, blocks, and a guest who becomes an account, with a second person each time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House, PASSWORD, PHONE } from "./house.mjs";
import { say, shows, until } from "./page.mjs";

let house, ann, bob, lab;
before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann", "Ann Lee"), await house.person("bob")];
  lab = await ann.channel("lab");
  await bob.join(lab);
});
after(() => house?.close());

const card = (page) => page.locator("person-card");

test("a card opens from a name or a face wherever there is one, and Esc leads back", async () => {
  await bob.say(lab, "hello");
  await bob.call("POST", "/rooms/1/messages", { nonce: "a-note-of-bobs-own-1", text: "a note" });
  const page = await house.visit(ann, "/c/lab");
  await shows(page, ["hello"]);
  await page.locator(".message .message-name").click();
  await card(page).getByRole("heading", { name: "Bob" }).waitFor();
  assert.match(await card(page).textContent(), /@bob/);
  assert.equal(await card(page).getByRole("link", { name: "Message" }).getAttribute("href"), "/dm/bob");
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("Escape");
  await card(page).waitFor({ state: "detached" });
  await page.locator(".message .face").click();
  await card(page).getByRole("heading", { name: "Bob" }).waitFor();
  await page.keyboard.press("Escape");
  for (const [path, name] of [["/board", ".note .message-name"], ["/people", ".person:has-text('@bob') .person-name"]]) {
    await house.go(page, path);
    await page.locator(name).first().click();
    await card(page).getByRole("heading", { name: "Bob" }).waitFor();
    await page.keyboard.press("Escape");
    await card(page).waitFor({ state: "detached" });
  }
  // Without a script the same link is a page.
  const plain = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(plain, ann);
  const still = await plain.newPage();
  await still.goto("/people");
  await still.getByRole("link", { name: "Bob" }).click();
  await still.getByRole("button", { name: "Block" }).waitFor();
  await plain.close();
  house.quiet();
  await page.context().close();
});

test("on the list of people / finds somebody there, and a name opens its card by keyboard", async () => {
  const page = await house.visit(ann, "/people");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "people-query");
  await page.keyboard.type("bob");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/people?query=bob");
  await page.locator(".person-name").first().press("Enter");
  await card(page).getByRole("heading", { name: "Bob" }).waitFor();
  await page.keyboard.press("Escape");
  await card(page).waitFor({ state: "detached" });
  house.quiet();
  await page.context().close();
});

test("a card on a phone is a sheet within reach of the thumb", async () => {
  const page = await house.visit(ann, "/c/lab", { viewport: PHONE, hasTouch: true });
  await page.locator(".message .message-name").first().tap();
  await card(page).getByRole("link", { name: "Message" }).waitFor();
  const box = await card(page).boundingBox();
  assert.ok(Math.abs(box.y + box.height - PHONE.height) < 2 && box.width === PHONE.width, JSON.stringify(box));
  for (const action of await card(page).locator(".about-actions :is(a, button)").all()) {
    assert.ok((await action.boundingBox()).height >= 44);
  }
  assert.deepEqual(await findings(page), []);
  house.quiet();
  await page.context().close();
});

test("the list of people and an open card follow what the other does: comes, is busy, goes", async () => {
  const page = await house.visit(ann, "/people");
  const row = page.locator(".person", { hasText: "@bob" });
  const bobs = await house.visit(bob, "/channels");
  await until(async () => await row.getAttribute("data-state") === "online", "bob is here");
  await row.locator(".person-name").click();
  await bobs.locator(".rail-state").click();
  await bobs.getByText("busy", { exact: true }).click();
  await bobs.getByPlaceholder("What you are doing").fill("soldering <b>");
  assert.deepEqual(await findings(bobs), []);
  await bobs.getByRole("button", { name: "Save", exact: true }).click();
  await until(async () => await row.getAttribute("data-state") === "dnd", "bob is busy");
  await card(page).getByText("soldering <b>").waitFor();
  await card(page).getByText("busy", { exact: true }).waitFor();
  // A second window of his own knows it too, and closing one is no leaving.
  const second = await bobs.context().newPage();
  await house.go(second, "/people");
  await second.locator(".rail-state[aria-label*='soldering']").waitFor();
  await second.close();
  assert.equal(await row.getAttribute("data-state"), "dnd");
  await bobs.context().close();
  await until(async () => await row.getAttribute("data-state") === "offline", "bob has gone");
  await row.locator("time").waitFor();
  await bob.call("PATCH", "/me", { status: { state: "online", text: "" } });
  house.quiet();
  await page.context().close();
});

test("what somebody who is blocked writes is folded for the blocker alone, live, after a reload, and shown on demand", async () => {
  const carl = await house.person("carl");
  const yard = await ann.channel("yard");
  await Promise.all([bob.join(yard), carl.join(yard)]);
  await bob.say(yard, "before");
  const [anns, carls] = [await house.visit(ann, "/c/yard"), await house.visit(carl, "/c/yard")];
  await anns.locator(".message .message-name").click();
  await card(anns).getByRole("button", { name: "Block" }).click();
  await card(anns).getByRole("button", { name: "Unblock" }).waitFor();
  await anns.keyboard.press("Escape");
  await bob.say(yard, "after");
  const lines = anns.getByRole("button", { name: "Message from somebody you blocked. Show" });
  await until(async () => await lines.count() === 2, "both are folded");
  assert.equal(await anns.getByText("after", { exact: true }).isVisible(), false);
  await shows(carls, ["before", "after"]);
  assert.equal(await carls.locator(".fold-line").count(), 0);
  assert.equal(await carls.getByText("after", { exact: true }).isVisible(), true);
  await anns.reload();
  await until(async () => await lines.count() === 2, "folded after a reload");
  await lines.first().click();
  await anns.getByText("before", { exact: true }).waitFor();
  assert.equal(await lines.count(), 1);
  assert.deepEqual(await findings(anns), []);
  await anns.goto("/settings/blocked");
  await anns.getByRole("button", { name: "Unblock Bob" }).click();
  await anns.getByText("You have blocked nobody.").waitFor();
  await house.go(anns, "/c/yard");
  await shows(anns, ["before", "after"]);
  assert.equal(await anns.locator(".fold-line").count(), 0);
  house.quiet();
  await Promise.all([anns.context().close(), carls.context().close()]);
});

test("a guest becomes an account in the middle of a talk, and every window of theirs knows", async () => {
  const gus = await house.guest("Gus");
  await gus.join(lab);
  const talk = await house.visit(gus, "/c/lab");
  await say(talk, "as a guest");
  const other = await talk.context().newPage();
  await house.go(other, "/dashboard");
  await other.locator(".upgrade").getByLabel("User name").fill("gus");
  await other.locator(".upgrade").getByLabel("Password").fill(PASSWORD);
  await other.getByRole("button", { name: "Make my account" }).click();
  await other.waitForURL("**/dashboard");
  assert.equal(await other.locator(".upgrade").count(), 0);
  await talk.locator(".rail-me-user", { hasText: "gus" }).waitFor();
  await say(talk, "with a name of my own");
  const anns = await house.visit(ann, "/c/lab");
  const mark = (text) => anns.locator(".message", { hasText: text }).locator(".guest");
  await anns.getByText("with a name of my own").waitFor();
  assert.equal(await mark("as a guest").isVisible(), true);
  // It follows the one before, or stands under a head of its own; either way nothing calls it a guest's.
  const last = anns.locator(".message", { hasText: "with a name of my own" });
  assert.equal(await last.locator(".guest").isVisible(), false);
  house.quiet();
  await Promise.all([talk.context().close(), anns.context().close()]);
});

test("a private key is set and changed at home, and never shown", async () => {
  const page = await house.visit(ann, "/dashboard");
  await page.getByText("Your private key").click();
  await page.getByLabel("Key", { exact: true }).fill("seven green bicycles");
  await page.getByRole("button", { name: "Set the key" }).click();
  await page.getByText("Nobody sees it again").waitFor();
  assert.ok(!(await page.content()).includes("seven green bicycles"));
  assert.deepEqual(await findings(page), []);
  await page.getByRole("button", { name: "Only with my key" }).click();
  await page.getByText("Your private key").click();
  await page.getByRole("button", { name: "Let everybody write" }).waitFor();
  await page.getByRole("button", { name: "Remove the key" }).click();
  await page.getByText("You have no private key any more.").waitFor();
  house.quiet();
  await page.context().close();
});

test("a reported message stands on the desk of those who look after the place, and nobody else finds the desk", async () => {
  const dan = await house.person("dan");
  const den = await bob.channel("den");
  await Promise.all([ann.join(den), dan.join(den)]);
  await bob.say(den, "something nasty");
  const dans = await house.visit(dan, "/c/den");
  const message = dans.locator(".message", { hasText: "something nasty" });
  await message.hover();
  const more = dans.getByRole("button", { name: "More", exact: true });
  if (await more.count() > 0) await more.first().click();
  await dans.getByRole("button", { name: "Report", exact: true }).first().click();
  await dans.getByLabel("What is wrong with it").fill("  ");
  const send = dans.getByRole("dialog").getByRole("button", { name: "Report", exact: true });
  await send.click();
  await dans.getByRole("alert").filter({ hasText: "Say in a few words" }).waitFor();
  assert.deepEqual(await findings(dans), []);
  await dans.getByLabel("What is wrong with it").fill("It is nasty <b>indeed</b>");
  await send.click();
  await dans.locator("chat-report").waitFor({ state: "detached" });
  const desk = await house.visit(ann, "/admin");
  await desk.getByText("something nasty").waitFor();
  await desk.getByText("It is nasty <b>indeed</b>").waitFor();
  assert.deepEqual(await findings(desk), []);
  await desk.getByRole("button", { name: "Dealt with" }).click();
  await desk.getByText("Nothing to look at").waitFor();
  house.quiet(/status of 422/);
  assert.equal((await dans.goto("/admin")).status(), 404);
  house.quiet(/status of 404/);
  await Promise.all([dans.context().close(), desk.context().close()]);
});
