// What is done with messages: edit, delete, reply, react, pin, by pointer, keyboard and thumb, with a second person looking on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { House } from "./house.mjs";
import { say, shows, until } from "./page.mjs";

let house, ann, bob;
before(async () => {
  house = await House.open();
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
});
after(() => house?.close());

/** A channel of Bob's with Ann in it, and a window for each. Ann owns the place. */
async function talk(name, annsOptions = {}) {
  const room = await bob.channel(name);
  await ann.join(room);
  const [hers, his] = [await house.visit(ann, `/c/${name}`, annsOptions), await house.visit(bob, `/c/${name}`)];
  return { room, hers, his, end: async () => { await hers.context().close(); await his.context().close(); } };
}

const message = (page, text) => page.locator(".messages > .message", { has: page.locator(".message-text", { hasText: text }) });

/** Opens the menu of a message by its bar. */
async function menuOf(page, text) {
  // What is on its way has no bar yet.
  await message(page, text).and(page.locator(":not([data-state])")).hover();
  await message(page, text).getByRole("button", { name: "More" }).click();
  return page.locator("#message-menu");
}

test("↑ edits one's last message in its place; Esc leaves it, Enter saves it, and the other sees that it was edited", async () => {
  const { hers, his, end } = await talk("edits");
  await say(hers, "teh first");
  await say(hers, "the secnd");
  await shows(his, ["teh first", "the secnd"]);
  await hers.locator("chat-composer textarea").press("ArrowUp");
  const box = hers.getByRole("textbox", { name: "Edit this message" });
  assert.equal(await box.inputValue(), "the secnd");
  await box.fill("something else");
  await box.press("Escape");
  await shows(hers, ["teh first", "the secnd"]);
  assert.equal(await hers.evaluate(() => document.activeElement?.closest("chat-composer") !== null), true, "back where she was");
  await hers.locator("chat-composer textarea").press("ArrowUp");
  await box.fill("the **second**");
  await box.press("Enter");
  await shows(his, ["teh first", "the second"]);
  assert.equal(await message(his, "the second").locator(".edited").isVisible(), true);
  assert.notEqual(await message(his, "the second").locator(".edited").getAttribute("title"), null, "and when");
  // What was typed in Markdown is what is edited again.
  await hers.locator("chat-composer textarea").press("ArrowUp");
  assert.equal(await box.inputValue(), "the **second**");
  await hers.reload();
  await shows(hers, ["teh first", "the second"]);
  house.quiet();
  await end();
});

test("a reply shows what it answers, leads there, and the thread gathers beside the conversation", async () => {
  const { hers, his, end } = await talk("replies");
  await say(hers, "Who has the key?");
  await shows(his, ["Who has the key?"]);
  await say(his, "something else");
  await shows(his, ["Who has the key?", "something else"]);
  await message(his, "Who has the key?").hover();
  await message(his, "Who has the key?").getByRole("button", { name: "Reply" }).click();
  assert.match(await his.locator(".answering").textContent(), /Ann: Who has the key/);
  await his.keyboard.type("I have.");
  await his.keyboard.press("Enter");
  await shows(hers, ["Who has the key?", "something else", "I have."]);
  const line = message(hers, "I have.").locator(".reply-line");
  assert.match(await line.textContent(), /Ann.*Who has the key/s);
  assert.equal(await his.locator(".answering").count(), 0, "the next one replies to nothing");
  await line.click();
  await hers.waitForFunction(() => document.activeElement?.textContent?.includes("Who has the key?"));
  await (await menuOf(hers, "I have.")).getByRole("button", { name: "Open the thread" }).click();
  const thread = hers.locator("chat-details");
  const gathered = () => thread.locator(".gathered > .message .message-text").allTextContents();
  await until(async () => (await gathered()).length === 2, "the thread");
  await thread.getByRole("textbox", { name: "Reply in the thread" }).fill("Good, bring it.");
  await thread.getByRole("textbox", { name: "Reply in the thread" }).press("Enter");
  await shows(his, ["Who has the key?", "something else", "I have.", "Good, bring it."]);
  await until(async () => JSON.stringify(await gathered()) === JSON.stringify(["Who has the key?", "I have.", "Good, bring it."]), "her own reply");
  assert.match(await message(his, "Good, bring it.").locator(".reply-line").textContent(), /Who has the key/);
  assert.deepEqual(await findingsInBoth(hers), []);
  // A reload keeps the thread open, and the server writes the quotes itself.
  await hers.reload();
  await until(async () => (await gathered()).length === 3, "the thread after a reload");
  assert.match(await message(hers, "I have.").locator(".reply-line").textContent(), /Who has the key/);
  house.quiet();
  await end();
});

test("reactions are chips that both click, with names, and a screen reader hears only what is said", async () => {
  const { hers, his, end } = await talk("reactions");
  await say(hers, "We are live");
  await shows(his, ["We are live"]);
  await message(his, "We are live").hover();
  await message(his, "We are live").getByRole("button", { name: "React" }).click();
  await his.locator("#message-menu").getByRole("button", { name: "🎉" }).click();
  const chip = message(hers, "We are live").locator(".reaction");
  await until(async () => (await chip.textContent().catch(() => "")) === "🎉 1", "his reaction at her window");
  assert.equal(await chip.getAttribute("aria-pressed"), "false");
  await chip.click();
  await until(async () => (await message(his, "We are live").locator(".reaction").textContent()) === "🎉 2", "hers at his");
  await until(async () => (await chip.getAttribute("aria-pressed")) === "true", "it to be her own too");
  // The names are asked for when the pointer comes; her own reaction arrived meanwhile.
  await hers.mouse.move(0, 0);
  await chip.hover();
  await until(async () => (await chip.getAttribute("title")) === "You, Bob", "the names");
  assert.equal(await message(hers, "We are live").getAttribute("aria-live"), "off", "its changes aren't read out");
  await hers.reload();
  await until(async () => (await chip.getAttribute("aria-pressed")) === "true", "one's own after a reload");
  await chip.click();
  await until(async () => (await message(his, "We are live").locator(".reaction").textContent()) === "🎉 1", "hers is gone");
  await message(his, "We are live").locator(".reaction").click();
  await until(async () => (await chip.count()) === 0, "the last one is gone");
  house.quiet();
  await end();
});

test("a deleted message keeps its place after a question, and others have no such button", async () => {
  const { hers, his, end } = await talk("deletions");
  await say(his, "one");
  await say(his, "not meant for here");
  await shows(hers, ["one", "not meant for here"]);
  await say(hers, "three");
  await shows(his, ["one", "not meant for here", "three"]);
  const menu = await menuOf(his, "not meant for here");
  await menu.getByRole("button", { name: "Delete" }).click();
  await menu.getByRole("button", { name: "Keep it" }).click();
  await shows(his, ["one", "not meant for here", "three"]);
  await menuOf(his, "not meant for here");
  await menu.getByRole("button", { name: "Delete" }).click();
  await menu.getByRole("button", { name: "Delete", exact: true }).click();
  await shows(hers, ["one", "This message was deleted.", "three"]);
  // Cleo owns nothing here.
  const cleo = await house.person("cleo");
  await cleo.join({ id: await his.locator("chat-timeline").getAttribute("data-room") });
  const page = await house.visit(cleo, "/c/deletions");
  const hersMenu = await menuOf(page, "three");
  const deeds = hersMenu.locator(".message-deeds button:visible");
  await deeds.first().waitFor();
  assert.deepEqual(await deeds.allInnerTexts(), ["Reply", "Open the thread", "Copy link", "Copy text", "Keep", "About Ann", "Unread from here", "Report"]);
  await page.context().close();
  house.quiet();
  await end();
});

test("a pointer that is on a message before the script of the bars is there gets its bar", async () => {
  const { hers, end } = await talk("early");
  await say(hers, "quick");
  const page = await house.visitor().then((context) => house.signIn(context, ann).then(() => context.newPage()));
  /** @type {(value?: unknown) => void} */
  let bring = () => {};
  const held = new Promise((good) => { bring = good; });
  await page.route(/\/lib\/bar\b.*\.js/, async (route) => { await held; await route.continue(); });
  await page.goto("/c/early", { waitUntil: "domcontentloaded" });
  await page.waitForFunction(() => customElements.get("chat-timeline"));
  await message(page, "quick").hover();
  assert.equal(await page.locator(".messages .message-bar").count(), 0);
  bring();
  await message(page, "quick").getByRole("button", { name: "More" }).click();
  await page.locator("#message-menu .message-deeds").waitFor();
  await page.context().close();
  house.quiet();
  await end();
});

test("the menu knows what is kept, keeps it and lets it go", async () => {
  const { hers, end } = await talk("kept");
  await say(hers, "worth keeping");
  const menu = await menuOf(hers, "worth keeping");
  const kept = () => ann.call("GET", "/bookmarks").then(({ bookmarks }) => bookmarks.length);
  await menu.getByRole("button", { name: "Keep", exact: true }).click();
  await until(async () => (await kept()) === 1, "it is kept");
  // After a reload the page doesn't know; the server does.
  await house.go(hers, "/c/kept");
  await menuOf(hers, "worth keeping");
  await menu.getByRole("button", { name: "No longer keep" }).click();
  await until(async () => (await kept()) === 0, "it is let go");
  await menuOf(hers, "worth keeping");
  await menu.getByRole("button", { name: "Keep", exact: true }).waitFor();
  house.quiet();
  await end();
});

test("by keyboard from a message to the card of its writer, and back", async () => {
  const { hers, his, end } = await talk("cards");
  await say(hers, "who am I");
  await say(hers, "and again");
  await shows(his, ["who am I", "and again"]);
  for (const words of ["who am I", "and again"]) {
    const article = message(his, words);
    await article.evaluate((element) => { element.tabIndex = -1; element.focus(); });
    await article.getByRole("button", { name: "More" }).press("Enter");
    const about = his.locator("#message-menu").getByRole("button", { name: "About Ann" });
    await about.focus();
    await his.keyboard.press("Enter");
    await his.locator("person-card").getByRole("heading", { name: "Ann" }).waitFor();
    assert.equal(await his.evaluate(() => document.activeElement?.closest("person-card") !== null), true, "the focus is in the card");
    await his.keyboard.press("Escape");
    await his.locator("person-card").waitFor({ state: "detached" });
    await until(() => article.evaluate((element) => element.contains(document.activeElement)), "the focus is on the message again");
  }
  const menu = await menuOf(hers, "who am I");
  await menu.getByRole("button", { name: "About you" }).waitFor();
  house.quiet();
  await end();
});

test("what is pinned is marked, and stands beside the conversation until it is unpinned", async () => {
  const { hers, his, end } = await talk("pins");
  await say(hers, "The door code is on the board");
  await say(hers, "good morning");
  await shows(his, ["The door code is on the board", "good morning"]);
  await his.getByRole("button", { name: "Pinned messages" }).click();
  await his.getByText("Nothing is pinned yet").waitFor();
  await (await menuOf(hers, "door code")).getByRole("button", { name: "Pin", exact: true }).click();
  await his.locator("chat-details .gathered .message", { hasText: "door code" }).waitFor();
  assert.equal(await message(his, "door code").locator(".pinned").isVisible(), true);
  assert.deepEqual(await findingsInBoth(his), []);
  await (await menuOf(his, "door code")).getByRole("button", { name: "Unpin" }).click();
  await his.getByText("Nothing is pinned yet").waitFor();
  assert.equal(await message(hers, "door code").locator(".pinned").isVisible(), false);
  house.quiet();
  await end();
});

test("by keyboard alone: walk to a message, reply, react, edit, delete", async () => {
  const { hers, his, end } = await talk("hands");
  await say(his, "from Bob");
  await shows(hers, ["from Bob"]);
  await say(hers, "from Ann");
  await shows(hers, ["from Bob", "from Ann"]);
  // Shown at once, but nothing is done with it before it is stored.
  await message(hers, "from Ann").and(hers.locator("[data-seq]:not([data-state])")).waitFor();
  await hers.locator(".timeline-scroll").focus();
  await hers.keyboard.press("ArrowUp");
  await hers.waitForFunction(() => document.activeElement?.textContent?.includes("from Ann"));
  await hers.keyboard.press("e");
  await hers.waitForFunction(() => document.activeElement?.matches(".edit-form textarea"));
  await hers.keyboard.type(", corrected");
  await hers.keyboard.press("Enter");
  await shows(his, ["from Bob", "from Ann, corrected"]);
  await hers.waitForFunction(() => document.activeElement?.matches(".message"));
  await hers.keyboard.press("ArrowUp");
  await hers.keyboard.press("+");
  await hers.locator("#message-menu").waitFor();
  await hers.keyboard.press("ArrowRight");
  await hers.keyboard.press("Enter");
  await message(his, "from Bob").locator(".reaction", { hasText: "❤️" }).waitFor();
  await hers.waitForFunction(() => document.activeElement?.textContent?.includes("from Bob"));
  await hers.keyboard.press("r");
  await hers.keyboard.type("indeed");
  await hers.keyboard.press("Enter");
  await shows(his, ["from Bob", "from Ann, corrected", "indeed"]);
  assert.match(await message(his, "indeed").locator(".reply-line").textContent(), /from Bob/);
  await hers.locator(".timeline-scroll").focus();
  await hers.keyboard.press("ArrowUp");
  await hers.keyboard.press("d");
  await hers.locator(".message-sure").waitFor();
  await hers.keyboard.press("Enter");
  await shows(his, ["from Bob", "from Ann, corrected", "This message was deleted."]);
  house.quiet();
  await end();
});

test("on a phone a finger held on a message opens all of it from below", async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const { hers, his, end } = await talk("thumbs", phone);
  await say(his, "Tea?");
  await shows(hers, ["Tea?"]);
  const hold = async () => {
    const box = await message(hers, "Tea?").locator(".message-text").boundingBox();
    const client = await hers.context().newCDPSession(hers);
    const at = [{ x: box.x + 10, y: box.y + 10 }];
    await client.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at });
    await hers.locator("#message-menu:popover-open").waitFor();
    await client.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  await hold();
  for (const button of await hers.locator("#message-menu button:visible").all()) {
    const box = await button.boundingBox();
    assert.ok(box.height >= 43.5 && box.width >= 43.5, `${await button.innerText()} is ${box.width} × ${box.height}`);
  }
  assert.deepEqual(await findingsInBoth(hers), []);
  await hers.locator("#message-menu").getByRole("button", { name: "👍" }).tap();
  await message(his, "Tea?").locator(".reaction").waitFor();
  await hold();
  await hers.locator("#message-menu").getByRole("button", { name: "Reply", exact: true }).tap();
  await hers.locator("chat-composer textarea").fill("Yes please");
  await hers.getByRole("button", { name: "Send" }).tap();
  await shows(his, ["Tea?", "Yes please"]);
  assert.match(await message(his, "Yes please").locator(".reply-line").textContent(), /Tea/);
  house.quiet();
  await end();
});

test("a message that calls somebody is told apart by words and not by colour alone", async () => {
  const { hers, his, end } = await talk("calls");
  await say(his, "@ann have a look");
  await say(his, "@all lunch");
  await say(his, "nobody in particular");
  await shows(hers, ["@ann have a look", "@all lunch", "nobody in particular"]);
  const calls = (page) => page.$$eval(".messages > .message", (all) => all.map((one) => !one.querySelector(".called")?.hasAttribute("hidden")));
  await until(async () => JSON.stringify(await calls(hers)) === "[true,true,false]", "the marks");
  assert.deepEqual(await calls(his), [false, false, false], "one doesn't call oneself");
  await hers.reload();
  await until(async () => JSON.stringify(await calls(hers)) === "[true,true,false]", "the marks after a reload");
  house.quiet();
  await end();
});
