// What is heard: each message once by a screen reader, tones when something happens elsewhere, and never before a gesture.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { pause, ready, texts, until } from "./page.mjs";

let house, ann, bob, lab, lunch;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  [lab, lunch] = [await ann.channel("lab"), await ann.channel("lunch")];
  for (const room of [lab, lunch]) await bob.join(room);
});
after(() => house?.close());


/** Notes what a screen reader would read out: texts that come into a live region, unless the nearest setting is off. */
const listen = (page) => page.evaluate(() => {
  window.heard = [];
  const isLive = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("[aria-live], [role=log], [role=status]")?.getAttribute("aria-live") !== "off";
  const words = (node) => {
    if (node.nodeType === 3) return node.data;
    if (node.hidden || node.getAttribute("aria-hidden") === "true" || node.getAttribute("aria-live") === "off") return "";
    return [...node.childNodes].map(words).join(" ");
  };
  new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes) {
      for (const node of addedNodes) {
        if (!node.isConnected || !isLive(target) || !isLive(node)) continue;
        const said = words(node).replace(/\s+/g, " ").trim();
        if (said) window.heard.push(said);
      }
    }
  }).observe(document.querySelector("[role=log]"), { childList: true, subtree: true, characterData: true });
});

test("each message is heard once: others', one's own, Markdown, history not at all", { timeout: 60_000 }, async () => {
  await bob.sayMany(lab, 150, "old");
  const page = await house.visit(ann, "/c/lab");
  await listen(page);
  await page.fill("textarea", "mine **bold**");
  await page.press("textarea", "Enter");
  await until(async () => !(await page.$(".message[data-state]")), "it to be stored");
  await bob.say(lab, "yours");
  await until(async () => (await texts(page)).at(-1) === "yours", "the answer");
  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = 0; });
  await until(() => page.$eval(".messages > .message", (first) => Number(first.dataset.seq) < 60), "history");
  await pause(1500);
  const heard = await page.evaluate(() => window.heard);
  assert.equal(heard.filter((words) => words.includes("bold")).length, 1, JSON.stringify(heard));
  assert.equal(heard.filter((words) => words.includes("yours")).length, 1, JSON.stringify(heard));
  assert.equal(heard.filter((words) => words.includes("old ") || words === "Today").length, 0, JSON.stringify(heard));

  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Accessibility.enable");
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const logs = nodes.filter((node) => node.role?.value === "log");
  assert.equal(logs.length, 1);
  const within = (node) => [node, ...(node.childIds ?? []).flatMap((id) => (byId.has(id) ? within(byId.get(id)) : []))];
  const said = within(logs[0]).filter(({ role, name }) => role?.value === "StaticText" && name.value === "yours");
  assert.equal(said.length, 1, "once in the tree");
  const article = within(logs[0]).find((node) => node.role?.value === "article" && within(node).includes(said[0]));
  assert.equal(article.properties.find(({ name }) => name === "live")?.value.value ?? "off", "off", "what changes later is no news");

  // The server's own HTML for one's message comes after the copy was shown.
  await page.click(".jump button");
  await page.evaluate(() => live.socket.stop());
  await page.fill("textarea", "a *slanted* word");
  await page.press("textarea", "Enter");
  await pause(100);
  await page.evaluate((room) => {
    const { nonce, text } = live.outbox.all()[0];
    const seq = live.rooms.get(room).last_seq + 1;
    live.outbox.remove(nonce);
    const message = { type: "message", room, seq, rev: seq, user: live.user, name: "Ann", at: Date.now(), nonce, text, html: "<p>a <em>slanted</em> word</p>" };
    live.dispatchEvent(new CustomEvent("message", { detail: message }));
  }, lab.id);
  await until(() => page.$("em"), "the HTML");
  const last = (await page.evaluate(() => window.heard)).filter((words) => words.includes("slanted"));
  assert.equal(last.length, 1, JSON.stringify(last));
  house.quiet();
  await page.context().close();
});

/** Stands in for the audio device: notes every tone. */
const hear = (page) => page.addInitScript(() => {
  window.tones = [];
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...when) {
    window.tones.push(this.frequency.value);
    return start.apply(this, when);
  };
});
const tones = (page) => page.evaluate(() => window.tones.splice(0));

test("tones: not before a gesture, not for what one looks at, not when turned off, in one tab of two", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/people");
  await hear(page);
  await house.go(page, "/people");
  await bob.say(lunch, "too early");
  await page.waitForSelector(`[data-rail-room="${lunch.id}"].is-unread`);
  await pause(300);
  assert.deepEqual(await tones(page), [], "before any gesture");

  await page.mouse.click(600, 600);
  await pause(200);
  await bob.say(lunch, "now");
  await until(async () => (await tones(page)).length > 0, "a tone for a message elsewhere");

  await house.go(page, "/c/lunch");
  await page.mouse.click(600, 300);
  await pause(1300);
  await bob.say(lunch, "before your eyes");
  await until(async () => (await texts(page)).at(-1) === "before your eyes", "the message");
  await pause(400);
  assert.deepEqual(await tones(page), [], "one looks at it");
  await page.fill("textarea", "sent");
  await page.press("textarea", "Enter");
  await until(async () => (await tones(page)).includes(880), "the tone of a sent message");

  await page.click("[data-opens=volume]");
  await page.waitForSelector("site-volume:popover-open");
  await page.uncheck("site-volume input[type=checkbox]");
  await until(async () => (await ann.call("GET", "/me")).sounds === false, "the setting to be kept");
  await page.keyboard.press("Escape");
  await house.go(page, "/people");
  await page.mouse.click(600, 600);
  await pause(200);
  await bob.say(lunch, "silent");
  await page.waitForSelector(`[data-rail-room="${lunch.id}"].is-unread`);
  await pause(400);
  assert.deepEqual(await tones(page), []);

  await ann.call("PATCH", "/me", { sounds: true });
  await page.reload();
  await ready(page);
  await page.mouse.click(600, 600);
  const other = await page.context().newPage();
  await hear(other);
  await other.goto("/people");
  await ready(other);
  await other.mouse.click(600, 600);
  await pause(1400);
  await bob.say(lunch, "one of you");
  await pause(800);
  assert.equal([...(await tones(page)), ...(await tones(other))].length, 2, "one tone of two notes in all");
  await other.evaluate(() => { const { path } = { path: [...document.scripts].map(({ src }) => src).find((src) => src.includes("/site/shell.js")) }; return import(path.replace("/site/shell.js", "/lib/sound.js")).then(({ sound }) => sound.setVolume(0.2)); });
  await other.reload();
  await ready(other);
  await other.click("[data-opens=volume]");
  assert.equal(await other.inputValue("site-volume input[type=range]"), "20");
  house.quiet();
  await page.context().close();
});

test("with reduced motion nothing moves by itself", async () => {
  const page = await house.visit(ann, "/board", { reducedMotion: "reduce" });
  await page.evaluate(() => { window.played = 0; const { animate } = Element.prototype; Element.prototype.animate = function (...all) { window.played += 1; return animate.apply(this, all); }; });
  for (const text of ["one", "two", "three"]) await bob.call("POST", "/rooms/1/messages", { nonce: `motion-${text}-0000000`, text });
  await until(async () => (await page.$$(".note")).length === 3, "the notes");
  assert.equal(await page.evaluate(() => window.played), 0);
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  house.quiet();
  await page.context().close();
});
