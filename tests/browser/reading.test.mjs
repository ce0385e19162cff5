// What is unread: counted once, read everywhere, as loud as one wants it; notifications; the way to a day.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House } from "./house.mjs";
import { pause, ready, texts, until } from "./page.mjs";

let house, ann, bob, lab, lunch;

before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  [lab, lunch] = [await ann.channel("lab"), await ann.channel("lunch")];
  for (const room of [lab, lunch]) await bob.join(room);
});
after(() => house?.close());

/** How a room stands in the rail: its count, "" without one. */
const badge = (page, room) => page.$eval(`[data-rail-room="${room.id}"] .place-count`, (count) => (count.hidden ? "" : count.textContent));
const badges = (pages, room, wanted) => until(async () => {
  const seen = await Promise.all(pages.map((page) => badge(page, room)));
  return seen.every((one) => one === wanted);
}, `"${wanted}" in every rail`);
const title = (page, wanted) => until(async () => (await page.title()).startsWith(wanted), `${wanted} in the title`);
const icon = (page) => page.getAttribute("link[rel=icon]", "href");

/** Lets a test say whether the window has the person's eyes. */
const canLookAway = (context) => context.addInitScript(() => {
  window.isAway = false;
  document.hasFocus = () => !window.isAway;
  Object.defineProperty(document, "visibilityState", { get: () => (window.isAway ? "hidden" : "visible") });
});
const look = (page, isAway) => page.evaluate((away) => {
  window.isAway = away;
  document.dispatchEvent(new Event("visibilitychange"));
  dispatchEvent(new Event(away ? "blur" : "focus"));
}, isAway);

test("what is read in one tab is read in the other, on another device and after a lost connection", { timeout: 150_000 }, async () => {
  const desk = await house.visit(ann, "/people");
  const tab = await house.enter(desk.context(), ann, "/people");
  const phone = await house.visit(ann, "/people", { viewport: { width: 390, height: 844 } });
  const all = [desk, tab, phone];
  for (let n = 1; n <= 3; n += 1) await bob.say(lab, `line ${n}`);
  await badges(all, lab, "3");
  for (const page of all) await title(page, "(3)");
  assert.match(await icon(desk), /favicon-new\.svg$/);
  await phone.evaluate(() => live.socket.stop());
  await house.go(tab, "/c/lab");
  await badges([desk], lab, "");
  await until(async () => !(await desk.title()).startsWith("("), "the title without a count");
  assert.equal(await icon(desk), "/favicon.svg");
  await bob.say(lunch, "elsewhere");
  await phone.evaluate(() => live.socket.start());
  await badges([phone], lab, "");
  await badges(all, lunch, "1");
  // Without a script a page is read as well.
  await ann.look("/c/lunch");
  await badges(all, lunch, "");
  house.quiet();
  for (const page of [desk, phone]) await page.context().close();
});

test("unread from here: the line moves there, and it stays unread until one goes on", { timeout: 120_000 }, async () => {
  const page = await house.visit(ann, "/c/lab");
  const other = await house.visit(ann, "/people");
  for (const text of ["first", "second", "third"]) await bob.say(lab, text);
  await until(async () => (await texts(page)).at(-1) === "third", "the messages");
  await badges([page, other], lab, "");
  const second = page.locator(".message", { hasText: "second" });
  await second.hover();
  await second.getByRole("button", { name: "More" }).click();
  await page.locator("#message-menu").getByRole("button", { name: "Unread from here" }).click();
  await badges([page, other], lab, "2");
  assert.equal(await page.$eval(".new-line", (line) => line.nextElementSibling.querySelector(".message-text").textContent), "second");
  // To be looked at isn't to be read, now.
  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = 0; });
  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = pane.scrollHeight; });
  await bob.say(lab, "fourth");
  await badges([page, other], lab, "3");
  await page.focus(".timeline-scroll");
  await page.keyboard.press("Escape");
  await badges([page, other], lab, "");
  // On the other device it is the same, by keyboard.
  await house.go(other, "/c/lab");
  await other.focus(".timeline-scroll");
  await other.keyboard.press("ArrowUp");
  await other.locator(".message-bar").getByRole("button", { name: "More" }).focus();
  await other.keyboard.press("Enter");
  await other.locator("#message-menu").getByRole("button", { name: "Unread from here" }).focus();
  await other.keyboard.press("Enter");
  await badges([page, other], lab, "1");
  await other.fill("textarea", "an answer");
  await other.press("textarea", "Enter");
  await badges([page, other], lab, "");
  house.quiet();
  await page.context().close();
  await other.context().close();
});

test("a level is the person's own on all devices: every message, calls alone, nothing", { timeout: 150_000 }, async () => {
  const page = await house.visit(ann, "/c/lab?details=members");
  const other = await house.visit(ann, "/c/lunch?details=members");
  await page.selectOption("#details-level", "mentions");
  await until(() => other.$eval(`[data-rail-room="${lab.id}"]`, (place) => live.rooms.get(Number(place.dataset.railRoom)).level === "mentions"), "the other device");
  await house.go(page, "/people");
  await bob.say(lab, "for nobody");
  await bob.say(lunch, "seen");
  await until(async () => (await texts(other)).at(-1) === "seen", "what came later");
  assert.equal(await badge(other, lab), "");
  await house.go(other, "/people");
  await bob.say(lab, "still for nobody");
  await bob.say(lunch, "after it");
  await badges([page, other], lunch, "1");
  assert.equal(await badge(page, lab), "");
  await title(page, "(1)");

  const reading = await house.visit(ann, "/c/lab?details=members");
  assert.equal(await reading.inputValue("#details-level"), "mentions");
  await reading.selectOption("#details-level", "none");
  await until(() => page.$(`[data-rail-room="${lab.id}"].is-muted`), "it to be muted");
  assert.deepEqual(await findings(reading), []);
  await reading.selectOption("#details-level", "all");
  await until(async () => !(await page.$(`[data-rail-room="${lab.id}"].is-muted`)), "it to be heard again");
  await house.go(reading, "/people");
  await bob.say(lab, "heard");
  await badges([page, other], lab, "1");
  house.quiet();
  for (const one of [page, other, reading]) await one.context().close();
});

test("without a script the level is a form, and so is the way to a day", { timeout: 120_000 }, async () => {
  const context = await house.visitor({ javaScriptEnabled: false });
  const [name, value] = ann.cookie.split("=");
  await context.addCookies([{ name, value, url: house.origin }]);
  const page = await context.newPage();
  await page.goto("/c/lunch?details=members");
  await page.selectOption("#details-level", "none");
  await page.click(".details-level button");
  await page.waitForURL("**/c/lunch?details=members");
  assert.equal(await page.inputValue("#details-level"), "none");
  await page.selectOption("#details-level", "all");
  await page.click(".details-level button");
  await page.fill("#details-day", "2001-01-01");
  await page.click(".details-day button");
  await page.waitForURL("**day=2001-01-01");
  assert.equal(await page.$eval(".message.focus", (message) => message.dataset.seq), "1");
  await context.close();
});

test("a day leads to its first message, among its neighbours", { timeout: 120_000 }, async () => {
  const days = await ann.channel("days");
  await ann.sayMany(days, 120);
  const page = await house.visit(ann, "/c/days?details=members");
  const today = await page.evaluate(() => new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10));
  await page.fill("#details-day", today);
  await page.click(".details-day button");
  await page.waitForURL("**at=*");
  await ready(page);
  assert.equal(await page.$eval(".message.focus", (message) => message.dataset.seq), "1");
  assert.ok(await page.isVisible(".jump button"), "the way back to the newest");
  await page.click(".jump button");
  await until(async () => (await page.$$eval(".messages .message", (all) => all.at(-1).dataset.seq)) === "120", "the newest");
  await until(() => !page.url().includes("at="), "the address of the newest");
  house.quiet();
  await page.context().close();
});

test("a notification: only after one's own wish, only while one looks elsewhere, one for each room, and it leads there", { timeout: 150_000 }, async () => {
  const context = await house.visitor();
  await context.addInitScript(() => {
    window.shown = [];
    let permission = sessionStorage.getItem("permission") ?? "default";
    window.Notification = class extends EventTarget {
      static get permission() { return permission; }
      static async requestPermission() {
        window.asked = navigator.userActivation.isActive;
        permission = "granted";
        sessionStorage.setItem("permission", permission);
        return permission;
      }
      constructor(title, options) {
        super();
        window.shown.push({ title, ...options });
        window.last = this;
      }
      close() {}
    };
  });
  await canLookAway(context);
  const page = await house.enter(context, ann, "/people");
  const shown = () => page.evaluate(() => window.shown.splice(0));
  await look(page, true);
  await bob.say(lab, "too early");
  await page.waitForSelector(`[data-rail-room="${lab.id}"].is-unread`);
  await pause(300);
  assert.deepEqual(await shown(), [], "nobody asked for it");
  assert.equal(await page.evaluate(() => window.asked), undefined);

  await look(page, false);
  await page.click("[data-opens=volume]");
  await page.getByLabel("Notify me when I look elsewhere").check();
  assert.equal(await page.evaluate(() => window.asked), true, "asked by a gesture");
  await page.keyboard.press("Escape");
  const before = Number(await badge(page, lab));
  await bob.say(lab, "while you look");
  await badges([page], lab, String(before + 1));
  await pause(300);
  assert.deepEqual(await shown(), [], "one looks at the window");

  await look(page, true);
  await bob.say(lab, "while you are away");
  const [notice] = await until(async () => { const all = await shown(); return all.length > 0 && all; }, "the notification");
  assert.deepEqual([notice.title, notice.body, notice.tag], ["Bob in # lab", "while you are away", `hubbub-${lab.id}`]);

  await ann.call("PUT", `/rooms/${lab.id}/level`, { level: "none" });
  await page.waitForSelector(`[data-rail-room="${lab.id}"].is-muted`);
  await bob.say(lab, "muted");
  await bob.say(lunch, "loud");
  const [loud, ...more] = await until(async () => { const all = await shown(); return all.length > 0 && all; }, "the other room's");
  assert.deepEqual([loud.title, more], ["Bob in # lunch", []]);
  await Promise.all([page.waitForURL("**/c/lunch?around=*"), page.evaluate(() => window.last.dispatchEvent(new Event("click")))]);
  await ann.call("PUT", `/rooms/${lab.id}/level`, { level: "all" });

  // Kept for the next page, and it can be turned off.
  await ready(page);
  await page.click("[data-opens=volume]");
  assert.equal(await page.getByLabel("Notify me when I look elsewhere").isChecked(), true);
  await page.getByLabel("Notify me when I look elsewhere").uncheck();
  await page.keyboard.press("Escape");
  await house.go(page, "/people");
  await look(page, true);
  await bob.say(lunch, "quiet again");
  await page.waitForSelector(`[data-rail-room="${lunch.id}"].is-unread`);
  await pause(300);
  assert.deepEqual(await shown(), []);
  // The stand-in asks for storage where a page without an address has none.
  house.quiet(/about:blank/);
  await context.close();
});
