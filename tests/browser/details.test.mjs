// What stands beside a conversation: who is in it, who comes and goes, by keyboard, on a phone, after a reload.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House } from "./house.mjs";
import { pause, ready, until } from "./page.mjs";

let house, ann, bob, eve, lab;

before(async () => {
  house = await House.open();
  [ann, bob, eve] = [await house.person("ann"), await house.person("bob"), await house.person("eve")];
  lab = await ann.channel("lab");
  await bob.join(lab);
  await bob.sayMany(lab, 30);
});
after(() => house?.close());

/** Who stands in which part of the list, in order. */
const listed = (page) => page.$$eval("[data-members]:not([hidden])", (parts) => Object.fromEntries(parts.map((part) =>
  [part.dataset.members, [...part.querySelectorAll(".member")].map((row) => `${row.querySelector(".member-name").textContent} ${row.dataset.state}`)])));
const shows = (page, expected) => until(async () => { const now = JSON.stringify(await listed(page)); if (now !== JSON.stringify(expected)) shows.last = now; return now === JSON.stringify(expected); }, JSON.stringify(expected)).catch((error) => { throw new Error(`${error.message}; seen: ${shows.last}`); });
const isOpen = (page) => page.isVisible("chat-details");
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.className);
const words = (page) => page.textContent(".head-members-words");

test("the members: who is here first, live when somebody comes, goes, joins, leaves or is busy", { timeout: 150_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  assert.equal(await isOpen(page), false);
  await page.click(".head-members");
  await shows(page, { here: ["Ann online"], others: ["Bob offline"] });
  assert.equal(await page.textContent(".member[data-state=online] .mark:not([hidden])"), "owner");

  const his = await house.visit(bob, "/people");
  await shows(page, { here: ["Ann online", "Bob online"] });
  await his.evaluate(() => live.socket.request("status", { state: "dnd", text: "writing" }));
  await shows(page, { here: ["Ann online", "Bob dnd"] });
  assert.equal(await page.textContent(".member[data-state=dnd] .member-status"), "writing");
  assert.equal(await page.textContent(".member[data-state=dnd] .member-state"), "busy");

  const hers = await house.visit(eve, "/c/lab");
  await hers.click(".composer-join button");
  await ready(hers);
  await shows(page, { here: ["Ann online", "Bob dnd", "Eve online"] });
  assert.equal(await words(page), "3 members");
  assert.equal(await words(hers), "3 members");
  await hers.click(".head-members");
  await shows(hers, { here: ["Ann online", "Bob dnd", "Eve online"] });
  await hers.getByRole("button", { name: "Leave # lab" }).click();
  await hers.waitForURL("**/channels");
  await shows(page, { here: ["Ann online", "Bob dnd"] });
  assert.equal(await words(page), "2 members");
  await his.context().close();
  await shows(page, { here: ["Ann online"], others: ["Bob offline"] });

  // What happens while the connection is lost is there after it.
  await page.evaluate(() => live.socket.stop());
  await eve.join(lab);
  await page.evaluate(() => live.socket.start());
  await shows(page, { here: ["Ann online", "Eve online"], others: ["Bob offline"] });
  assert.equal(await words(page), "3 members");
  await eve.leave(lab);
  await shows(page, { here: ["Ann online"], others: ["Bob offline"] });
  house.quiet();
  await page.context().close();
  await hers.context().close();
});

test("by keyboard: opened and left with the focus where it was, kept by a reload, left by going back", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  const scrolled = () => page.$eval(".timeline-scroll", (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight);
  await page.focus(".head-members");
  await page.keyboard.press("Space");
  await page.waitForSelector(".member");
  assert.equal(await focused(page), "details-title");
  assert.equal(await page.getAttribute(".head-members", "aria-expanded"), "true");
  assert.ok((await scrolled()) < 2, "the end of the conversation stays in sight");
  assert.match(page.url(), /details=members/);
  await page.keyboard.press("Escape");
  await page.waitForSelector("chat-details", { state: "hidden" });
  assert.match(await focused(page), /head-members/);
  assert.doesNotMatch(page.url(), /details/);

  await page.keyboard.press("Enter");
  await page.waitForSelector(".member");
  await page.reload();
  await ready(page);
  assert.equal(await isOpen(page), true);
  await page.waitForSelector(".member");
  await page.goBack();
  await page.waitForSelector("chat-details", { state: "hidden" });
  await page.goForward();
  await page.waitForSelector(".member");

  // Elsewhere Esc means what it always means.
  await page.focus(".timeline-scroll");
  await page.keyboard.press("Escape");
  assert.equal(await isOpen(page), true);
  await page.click(".details-close");
  await page.waitForSelector("chat-details", { state: "hidden" });

  await page.goto("/c/lab?details=members");
  await ready(page);
  await page.click(".details-close");
  await page.waitForSelector("chat-details", { state: "hidden" });
  assert.equal(new URL(page.url()).search, "");
  await page.context().close();
});

test("on a phone it is the one pane, and back returns to the conversation", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const control = await page.$eval(".head-members", (one) => one.getBoundingClientRect().toJSON());
  assert.ok(control.height >= 44 && control.width >= 44 && control.right < 390, JSON.stringify(control));
  await page.tap(".head-members");
  await page.waitForSelector(".member");
  const box = await page.$eval("chat-details", (one) => one.getBoundingClientRect().toJSON());
  assert.deepEqual([box.left, box.top, box.width, box.height], [0, 0, 390, 844]);
  for (let stop = 0; stop < 8; stop += 1) {
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => document.activeElement === document.body || document.activeElement.closest("chat-details") !== null);
    assert.ok(place, `Tab led behind the pane, to ${await focused(page)}`);
  }
  await page.goBack();
  await page.waitForSelector("chat-details", { state: "hidden" });
  assert.equal(await page.$$eval("[inert]", (all) => all.length), 0);
  await page.tap(".head-members");
  await page.waitForSelector(".member");
  await page.tap(".details-close");
  await page.waitForSelector("chat-details", { state: "hidden" });
  await page.fill("textarea", "still here");
  // Between a phone and a desk it lies over the conversation, at its full width.
  await page.context().close();
  const tablet = await house.visit(ann, "/c/lab?details=members", { viewport: { width: 820, height: 1180 } });
  await tablet.waitForSelector(".member");
  const [pane, talk] = await tablet.$$eval("chat-details, chat-timeline", (all) => all.map((one) => one.getBoundingClientRect().toJSON()).reverse());
  assert.equal(Math.round(pane.width), 320);
  assert.ok(talk.right >= pane.right - 2, "the conversation keeps its width");
  await tablet.context().close();
});

test("a list that can't be read says so, and is read again", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.route("**/members?*", (route) => route.abort());
  await page.click(".head-members");
  await page.waitForSelector(".details-words button");
  await page.unroute("**/members?*");
  await page.click(".details-words button");
  await shows(page, { here: ["Ann online"], others: ["Bob offline"] });
  house.quiet(/ERR_FAILED/);
  await page.context().close();
});

test("more than a page of members comes as one scrolls", { timeout: 150_000 }, async () => {
  const crowd = await ann.channel("crowd");
  for (let n = 0; n < 130; n += 10) {
    await Promise.all(Array.from({ length: 10 }, async (_, i) => (await house.person(`m${n + i}`)).join(crowd)));
  }
  const late = await house.person("zz-late", "Zz late");
  await late.join(crowd);
  const page = await house.visit(ann, "/c/crowd?details=members");
  await until(async () => (await page.$$(".member")).length >= 100, "the first page");
  assert.ok((await page.$$(".member")).length < 132, "not all at once");
  await page.$eval(".details-body", (body) => { body.scrollTop = body.scrollHeight; });
  await until(async () => (await page.$$(".member")).length === 132, "the rest");
  assert.equal(new Set(await page.$$eval(".member", (all) => all.map((row) => row.dataset.user))).size, 132);
  await page.$eval(".details-body", (body) => { body.scrollTop = body.scrollHeight; });
  // A lost connection has everything read again, and moves nobody.
  const top = await page.$eval(".details-body", (body) => body.scrollTop);
  const again = page.waitForResponse((answer) => answer.url().includes("/members?after=") && !answer.url().includes("after=0"));
  await house.stop();
  await house.start();
  await again;
  await ready(page);
  assert.deepEqual(await page.$eval(".details-body", (body) => [body.scrollTop, body.querySelectorAll(".member").length]), [top, 132]);
  house.quiet(/ERR_CONNECTION|WebSocket connection/);
  // Whoever is in sight is watched, at the end of a long list too.
  const last = await house.visit(late, "/people");
  await until(() => page.$eval("[data-members=here]", (part) => part.querySelectorAll(".member").length === 2), "the last one in the list");
  await last.context().close();
  await page.context().close();
  await until(async () => (await ann.call("GET", `/rooms/${crowd.id}/members?here=true`)).users.length === 0, "her to be gone");
  const plain = await house.visitor({ javaScriptEnabled: false });
  const [name, value] = ann.cookie.split("=");
  await plain.addCookies([{ name, value, url: house.origin }]);
  const without = await plain.newPage();
  await without.goto("/c/crowd");
  await without.click(".head-members");
  assert.equal((await without.$$(".member")).length, 100);
  await without.click(".details .more a");
  assert.equal((await without.$$(".member")).length, 32);
  await without.click(".details-close");
  assert.equal(await without.isVisible("chat-details"), false);
  await plain.close();
});

test("a tone for who joins, not for who only comes online, and not where one sees them come", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.addInitScript(() => {
    window.tones = [];
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...when) {
      window.tones.push(this.frequency.value);
      return start.apply(this, when);
    };
  });
  await house.go(page, "/c/lab");
  const tones = () => page.evaluate(() => window.tones.splice(0));
  await page.mouse.click(600, 300);
  await pause(300);
  const his = await house.visit(bob, "/c/lab");
  await pause(1500);
  assert.deepEqual(await tones(), [], "he only came online");
  await eve.join(lab);
  await until(async () => (await tones()).includes(440), "the tone of somebody who joined");
  await eve.leave(lab);
  await page.bringToFront();
  await page.click(".head-members");
  await page.waitForSelector(".member");
  await pause(1500);
  await tones();
  await eve.join(lab);
  await until(async () => (await words(page)) === "3 members", "her");
  await pause(500);
  assert.deepEqual(await tones(), [], "one sees her come");
  await eve.leave(lab);
  await his.context().close();
  await page.context().close();
});

test("the owner of a group takes somebody out and brings them in again beside the conversation", { timeout: 120_000 }, async () => {
  await bob.call("PATCH", "/me", { status: { state: "online", text: "" } });
  const group = await ann.call("POST", "/rooms", { kind: "group", name: "Night shift", members: ["bob"] });
  const page = await house.visit(ann, `/g/${group.id}?details=members`);
  const his = await house.visit(bob, `/g/${group.id}?details=members`);
  await shows(page, { here: ["Ann online", "Bob online"] });
  await shows(his, { here: ["Ann online", "Bob online"] });
  assert.equal(await his.locator(".member-out:visible").count(), 0, "he owns nothing here");
  assert.equal(await page.locator(".member-out:not([hidden])").count(), 1, "she can't take herself out");
  const row = page.locator(".member", { hasText: "Bob" });
  await row.getByRole("button", { name: "Remove Bob" }).press("Enter");
  await row.getByText("Remove Bob from here?").waitFor();
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press("Escape");
  assert.equal(await focused(page), "tool member-out");
  assert.equal(await isOpen(page), true, "only the question was left");
  await row.getByRole("button", { name: "Remove Bob" }).click();
  await row.getByRole("button", { name: "Remove", exact: true }).click();
  await shows(page, { here: ["Ann online"] });
  await his.getByText("is closed to you").waitFor();

  await page.fill("#details-invite", "bob");
  await page.getByRole("option", { name: /Bob/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Invite" }).click();
  await page.getByText("Who comes in can read all that was said here before.").waitFor();
  assert.deepEqual(await findings(page), []);
  await page.locator(".member-sure").getByRole("button", { name: "Invite" }).click();
  await shows(page, { here: ["Ann online", "Bob online"] });
  assert.equal(await page.inputValue("#details-invite"), "");
  // What can't be is said, and nothing else happens.
  await page.fill("#details-invite", "nobody-at-all");
  await page.keyboard.press("Enter");
  await page.locator(".member-sure").getByRole("button", { name: "Invite" }).click();
  await page.locator(".toast").waitFor();
  await shows(page, { here: ["Ann online", "Bob online"] });
  // A name in the pane leads to its card, by keyboard too.
  await page.locator(".member", { hasText: "Bob" }).getByRole("link", { name: "Bob" }).press("Enter");
  await page.locator("person-card").getByRole("heading", { name: "Bob" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("person-card").waitFor({ state: "detached" });
  house.quiet();
  await his.context().close();
  await page.context().close();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing on the open pane (${colorScheme})`, { timeout: 120_000 }, async () => {
    for (const viewport of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
      const page = await house.visit(ann, "/c/lab?details=members", { colorScheme, viewport, reducedMotion: "reduce" });
      await page.waitForSelector(".member[data-state=online]");
      assert.deepEqual(await findings(page), [], `${viewport.width}`);
      await page.context().close();
    }
  });
}
