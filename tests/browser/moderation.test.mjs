// Keeping order, from the report to the undo: what the one who reports, the one who decides and the one it is about see.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House, PHONE } from "./house.mjs";
import { say, shows, texts, until } from "./page.mjs";

let house, ann, max, bob, eve, lab;
before(async () => {
  house = await House.open();
  // One after the other: the first is the owner.
  ann = await house.person("ann");
  [max, bob, eve] = await Promise.all([house.person("max"), house.person("bob"), house.person("eve")]);
  await ann.call("PATCH", "/accounts/max", { role: "moderator" });
  lab = await ann.channel("lab");
  await Promise.all([max, bob, eve].map((one) => one.join(lab)));
});
after(() => house?.close());

/** Reports a message by its menu. */
async function report(page, text, reason) {
  await page.locator(".message", { hasText: text }).hover();
  const more = page.getByRole("button", { name: "More", exact: true });
  if (await more.count() > 0) await more.first().click();
  await page.getByRole("button", { name: "Report", exact: true }).first().click();
  await page.getByLabel("What is wrong with it").fill(reason);
  await page.getByRole("dialog").getByRole("button", { name: "Report", exact: true }).click();
  await page.locator("chat-report").waitFor({ state: "detached" });
}

test("a member reports, a moderator times out, bans and takes down, undo restores, and the log has it all", async () => {
  await bob.say(lab, "a quiet word");
  const spam = ["buy my boats", "boats, cheap", "last boats"];
  for (const text of spam) await eve.say(lab, text);
  const all = ["a quiet word", ...spam];
  const [bobs, eves, desk] = await Promise.all([house.visit(bob, "/c/lab"), house.visit(eve, "/c/lab"), house.visit(max, "/admin")]);
  await shows(bobs, all);
  await report(bobs, "buy my boats", "Nobody wants boats.");

  await house.go(desk, "/admin");
  await desk.getByText("Nobody wants boats.").waitFor();
  await desk.getByRole("link", { name: "Moderate" }).click();
  await desk.getByRole("heading", { level: 1, name: "Eve" }).waitFor();
  assert.deepEqual(await findings(desk), []);
  await desk.getByLabel("For how long").selectOption({ label: "an hour" });
  await desk.locator("#quiet-reason").fill("boats");
  await desk.getByRole("button", { name: "Give a time-out" }).click();
  await desk.getByText("They can only read now.").waitFor();

  // Her open page says so at once, and keeps what she tries to send, with the reason.
  await eves.locator(".banner", { hasText: "You are in a time-out until" }).first().waitFor();
  await say(eves, "more boats");
  const refused = eves.locator(".message[data-state]", { hasText: "more boats" });
  await refused.getByText("you can read, but not write").waitFor();
  await house.go(eves, "/c/lab");
  await eves.locator(".banner-quiet time").waitFor();
  assert.deepEqual(await findings(eves), []);

  await desk.getByText("Ban Eve").click();
  await desk.locator("#ban-span").selectOption("all");
  await desk.locator("#ban-reason").fill("and more boats");
  await desk.getByRole("button", { name: "Ban them" }).click();
  await desk.getByText("They are locked out, and signed out everywhere.").waitFor();
  await eves.waitForURL("**/login**");
  // What she wrote leaves the page of who looks, without a reload.
  await until(async () => (await texts(bobs)).filter((text) => text === "This message was deleted.").length === 3, "three that are gone");
  assert.ok(!(await bobs.content()).includes("boats, cheap"));
  await house.go(desk, new URL(desk.url()).pathname);
  await desk.getByText("3 messages · taken down").waitFor();

  await desk.getByRole("button", { name: "Bring it back" }).click();
  await desk.getByText("What they wrote is being brought back.").waitFor();
  await shows(bobs, all);
  await desk.getByRole("button", { name: "Let them in again" }).click();
  await desk.getByText("They may come in again.").waitFor();
  await desk.getByRole("button", { name: "Let them write again" }).click();
  await desk.getByText("They may write again.").waitFor();

  await house.go(desk, "/admin");
  await desk.getByRole("button", { name: "Dealt with" }).click();
  await desk.getByText("Nothing to look at").waitFor();
  await desk.getByRole("link", { name: "Audit log" }).click();
  await desk.getByRole("heading", { level: 1, name: "Audit log" }).waitFor();
  const deeds = await desk.locator(".log-words strong").allTextContents();
  assert.deepEqual(deeds, ["report dealt with", "time-out ended", "let in again", "messages brought back", "messages taken down", "locked out",
    "time-out", "another role"]);
  const log = await desk.locator(".log").innerText();
  for (const wanted of ["Eve @eve", "Done by Max @max", "boats", "and more boats", "member → moderator"]) assert.ok(log.includes(wanted), `${wanted}: ${log}`);
  assert.deepEqual(await findings(desk), []);
  house.quiet(/status of 40[134]|WebSocket/);
  await Promise.all([bobs, eves, desk].map((page) => page.context().close()));
});

test("on a phone and without a script, a person is found by their name and given a time-out", async () => {
  const context = await house.visitor({ viewport: PHONE, javaScriptEnabled: false });
  await house.signIn(context, max);
  const page = await context.newPage();
  const id = (await bob.call("GET", "/me")).id;
  await page.goto(`/people/${id}`);
  await page.getByRole("link", { name: "Moderate" }).click();
  await page.getByRole("button", { name: "Give a time-out" }).click();
  await page.getByText("They can only read now.").waitFor();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0);
  const theirs = await house.visitor({ javaScriptEnabled: false });
  await house.signIn(theirs, bob);
  const bobs = await theirs.newPage();
  await bobs.goto("/c/lab");
  await bobs.getByText("You are in a time-out until").waitFor();
  await page.getByRole("button", { name: "Let them write again" }).click();
  await page.getByText("They may write again.").waitFor();
  await bobs.reload();
  assert.equal(await bobs.getByText("You are in a time-out until").count(), 0);
  // Nobody is offered what isn't theirs to do.
  await page.goto(`/people/${(await ann.call("GET", "/me")).id}`);
  assert.equal(await page.getByRole("link", { name: "Moderate" }).count(), 0);
  house.quiet();
  await Promise.all([context.close(), theirs.close()]);
});

test("a word of the filter is refused in place with its reason, and a slow room says how long to wait", async () => {
  const desk = await house.visit(ann, "/admin/filter");
  await desk.getByLabel("Word or phrase").fill("boats");
  await desk.getByRole("button", { name: "Add", exact: true }).click();
  await desk.locator(".takedown", { hasText: "boats" }).waitFor();
  assert.deepEqual(await findings(desk), []);
  await house.go(desk, "/c/lab/settings");
  await desk.getByLabel("Between two messages of one person").selectOption({ label: "1 h" });
  await desk.getByRole("button", { name: "Set the slow mode" }).click();
  await desk.getByText("Saved.").waitFor();
  const bobs = await house.visit(bob, "/c/lab");
  await say(bobs, "my BOATS");
  await bobs.locator(".message[data-state]", { hasText: "my BOATS" }).getByText("The word “boats” isn't wanted here.").waitFor();
  await say(bobs, "the first");
  await until(async () => (await bob.texts(lab)).includes("the first"), "the first to be stored");
  await say(bobs, "the second");
  await bobs.locator(".message[data-state]", { hasText: "the second" }).getByText("This room is in slow mode").waitFor();
  house.quiet();
  await Promise.all([bobs, desk].map((page) => page.context().close()));
});
