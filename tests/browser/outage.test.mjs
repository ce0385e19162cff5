// The server goes away in mid-conversation: nothing is lost, nothing doubled, and the page says what is going on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { pause, pending, ready, say, shows, texts, until } from "./page.mjs";

let house, ann, bob, room;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  room = await ann.channel("talk");
  await bob.join(room);
});
after(() => house?.close());

// The browser itself says that it could not reach a dead server.
const DEAD = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection|Failed to load resource/;

test("20 s without a server: what is typed goes out once, in order, without a touch", { timeout: 90_000 }, async () => {
  const page = await house.visit(ann, "/c/talk");
  const other = await house.visit(bob, "/c/talk");
  await say(page, "before");
  await until(async () => (await texts(other)).at(-1) === "before", "the first message");
  // A message that is on its way when the power goes may or may not have been stored.
  await page.fill("textarea", "in the middle");
  await Promise.all([page.press("textarea", "Enter"), house.stop("SIGKILL")]);
  const gone = Date.now();
  await say(page, "while away 1");
  await pause(3000);
  assert.equal(await page.isVisible(".banner"), false, "a word after 3 s is too early");
  await say(other, "from the other side");
  await page.waitForSelector(".banner:not([hidden])", { timeout: 6000 });
  await say(page, "while away 2");
  await until(async () => /^You are offline\. (Two|Three) messages will go out when you are back\.$/.test(await page.textContent(".banner")), "the banner's words");
  assert.equal(await other.textContent(".banner"), "You are offline. One message will go out when you are back.");
  await pause(20_000 - (Date.now() - gone));
  await house.start();
  const back = Date.now();
  const wanted = ["in the middle", "while away 1", "while away 2", "from the other side"];
  for (const one of [page, other]) {
    await until(async () => (await pending(one)) === 0 && (await texts(one)).length === 5, "all five on both pages");
  }
  console.log(`whole again ${Date.now() - back} ms after the server`);
  const stored = await bob.texts(room);
  assert.equal(stored.length, 5);
  assert.deepEqual([...stored].sort(), ["before", ...wanted].sort());
  const own = stored.filter((text) => text !== "from the other side");
  assert.deepEqual(own, ["before", "in the middle", "while away 1", "while away 2"]);
  for (const one of [page, other]) {
    assert.deepEqual(await texts(one), stored);
    assert.equal(await one.isVisible(".banner"), false);
    await one.context().close();
  }
  house.quiet(DEAD);
});

test("ten restarts, a message before and after each: every one once", { timeout: 120_000 }, async () => {
  const storm = await ann.channel("storm");
  const page = await house.visit(ann, "/c/storm");
  for (let i = 0; i < 10; i++) {
    await say(page, `a${i}`);
    await pause(i * 3);
    await house.stop(i % 2 ? "SIGTERM" : "SIGKILL");
    await say(page, `b${i}`);
    await house.start();
    await until(async () => (await pending(page)) === 0, "the messages of this round", 30_000);
  }
  const wanted = Array.from({ length: 10 }, (_, i) => [`a${i}`, `b${i}`]).flat();
  assert.deepEqual(await ann.texts(storm), wanted);
  assert.deepEqual(await texts(page), wanted);
  await page.context().close();
});

test("unsent messages survive a reload and a closed tab, and go out from the next", { timeout: 60_000 }, async () => {
  const keep = await ann.channel("keep");
  const page = await house.visit(ann, "/c/keep");
  const spare = await page.context().newPage();
  await spare.goto("/dashboard");
  await ready(spare);
  // The page is served, the socket isn't: as when a proxy forgets the upgrade.
  await page.evaluate(() => live.socket.stop());
  await spare.evaluate(() => live.socket.stop());
  await say(page, "one");
  await say(page, "two");
  await until(() => spare.evaluate(() => live.outbox.all().length === 2), "the other tab to know");
  await page.close({ runBeforeUnload: false });
  await spare.evaluate(() => live.socket.start());
  await until(async () => (await ann.texts(keep)).length === 2, "both messages");
  assert.deepEqual(await ann.texts(keep), ["one", "two"]);

  await spare.goto("/c/keep");
  await ready(spare);
  await spare.evaluate(() => live.socket.stop());
  await say(spare, "three");
  await house.stop();
  await pause(100);
  await house.start();
  await spare.reload();
  await ready(spare);
  await until(async () => (await ann.texts(keep)).length === 3 && (await pending(spare)) === 0, "the third");
  assert.deepEqual(await texts(spare), ["one", "two", "three"]);
  assert.equal(await spare.evaluate(() => localStorage.length && Object.keys(localStorage).filter((key) => key.includes("outbox")).length), 0);
  await spare.context().close();
});

test("unsent messages survive the end of the browser", { timeout: 60_000 }, async () => {
  const far = await ann.channel("far");
  const page = await house.enter(await house.profile("first"), ann, "/c/far");
  await house.stop();
  await say(page, "written in the first browser");
  await pause(300);
  await page.context().close();
  await house.start();
  assert.deepEqual(await ann.texts(far), []);
  const again = await house.enter(await house.profile("first"), ann, "/dashboard");
  await until(async () => (await ann.texts(far)).length === 1, "it to go out from the second");
  assert.deepEqual(await ann.texts(far), ["written in the first browser"]);
  await again.context().close();
});

test("two tabs of one person show each other's unsent messages and send each once", { timeout: 60_000 }, async () => {
  const pair = await ann.channel("pair");
  const one = await house.visit(ann, "/c/pair");
  const two = await one.context().newPage();
  await two.goto("/c/pair");
  await ready(two);
  await house.stop();
  for (let i = 0; i < 5; i++) {
    await say(one, `one ${i}`);
    await say(two, `two ${i}`);
  }
  await until(async () => (await pending(one)) === 10 && (await pending(two)) === 10, "ten unsent in both tabs");
  let sends = 0;
  for (const page of [one, two]) page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => { if (String(payload).includes('"send"')) sends += 1; }));
  await house.start();
  await until(async () => (await pending(one)) === 0 && (await pending(two)) === 0, "all to go out");
  assert.equal((await ann.texts(pair)).length, 10);
  assert.equal(sends, 10, "each was sent by one tab");
  assert.deepEqual(await texts(one), await texts(two));
  await one.context().close();
});

test("a refused message stays with its reason, and is copied, sent again or deleted", { timeout: 60_000 }, async () => {
  const left = await ann.channel("left");
  await bob.join(left);
  const page = await house.visit(bob, "/c/left", { permissions: ["clipboard-read", "clipboard-write"] });
  await bob.leave(left);
  await say(page, "too late");
  await page.waitForSelector(".message[data-state=failed] [data-unsent=retry]");
  assert.match(await page.textContent(".message-state"), /[a-z]{3}.*Retry/);
  await page.click("[data-unsent=copy]");
  await until(async () => (await page.evaluate(() => navigator.clipboard.readText())) === "too late", "the copy");
  await page.reload();
  await page.waitForSelector(".message[data-state=failed] [data-unsent=retry]");
  await bob.join(left);
  await house.go(page, "/c/left");
  await page.waitForSelector(".message[data-state=failed] [data-unsent=retry]");
  await page.click("[data-unsent=retry]");
  await until(async () => (await bob.texts(left)).includes("too late"), "the second try");
  await until(async () => (await pending(page)) === 0, "it to settle");
  await bob.leave(left);
  await say(page, "never");
  await page.click("[data-unsent=delete]");
  await until(async () => (await pending(page)) === 0, "it to go");
  assert.equal(await page.evaluate(() => live.outbox.all().length), 0);
  await page.context().close();
});

test("what is being written survives a reload, for each room by itself", { timeout: 30_000 }, async () => {
  await ann.channel("draft-one");
  await ann.channel("draft-two");
  const page = await house.visit(ann, "/c/draft-one");
  await page.fill("textarea", "half a thought");
  await house.go(page, "/c/draft-two");
  assert.equal(await page.inputValue("textarea"), "");
  await page.fill("textarea", "another");
  await page.reload();
  assert.equal(await page.inputValue("textarea"), "another");
  await house.go(page, "/c/draft-one");
  assert.equal(await page.inputValue("textarea"), "half a thought");
  await page.context().close();
});
