// What helps while one writes: names, commands and emoji by keyboard alone; nothing during a composition; hostile texts are only words.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { House, PHONE } from "./house.mjs";
import { pause, texts, until } from "./page.mjs";

let house, ann, bob, lab;

before(async () => {
  house = await House.open();
  ann = await house.person("ann", "Ann Lee");
  bob = await house.person("bob", "Bob Ott");
  lab = await ann.channel("lab");
  await ann.channel("lunch");
  await bob.join(lab);
  await bob.say(lab, "hello from bob");
});
after(() => house?.close());

const value = (page) => page.inputValue("chat-composer textarea");
const offered = (page) => page.$$eval(".offers:not([hidden]) .offer-name", (all) => all.map((one) => one.textContent));
const chosen = (page) => page.$eval("chat-composer textarea", (box) => document.getElementById(box.getAttribute("aria-activedescendant"))?.querySelector(".offer-name")?.textContent ?? "");
const isClosed = async (page) => (await page.locator(".offers:not([hidden])").count()) === 0;

/** Types until the list shows, then until what is chosen in it begins with `name`. */
async function offers(page, letters, name) {
  await page.keyboard.type(letters, { delay: 10 });
  await until(async () => (await chosen(page)).startsWith(name), `${name} for ${letters}`);
}

test("people, channels, emoji and commands are completed by keyboard alone, and Enter sends nothing meanwhile", async () => {
  const page = await house.visit(ann, "/c/lab");
  await offers(page, "hi @", "Bob Ott");
  assert.deepEqual(await offered(page), ["Bob Ott", "@all", "@here"]);
  await page.keyboard.press("Enter");
  assert.equal(await value(page), "hi @bob ");
  await offers(page, "in #lu", "lunch");
  await page.keyboard.press("Tab");
  await offers(page, ":tad", ":tada:");
  await page.keyboard.press("Enter");
  assert.equal(await value(page), "hi @bob in #lunch 🎉 ");
  assert.equal((await texts(page)).at(-1), "hello from bob", "nothing was sent");
  // Down and up go round; Esc closes until something else is named, and the room isn't marked as read by it.
  await offers(page, "@", "Bob Ott");
  await page.keyboard.press("ArrowDown");
  assert.equal(await chosen(page), "@all");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await chosen(page), "@here");
  await page.keyboard.press("Escape");
  await page.keyboard.type("bo");
  await pause(300);
  assert.ok(await isClosed(page), "Esc holds for this name");
  await page.keyboard.press("Enter");
  await until(async () => (await bob.texts(lab)).at(-1) === "hi @bob in #lunch 🎉 @bo", "what was written");
  await offers(page, "/sh", "/shrug");
  await page.keyboard.press("Enter");
  await page.keyboard.type("who knows");
  await page.keyboard.press("Enter");
  await until(async () => (await bob.texts(lab)).at(-1) === "who knows ¯\\_(ツ)_/¯", "a shrug");
  // The whole of a name is there already: Enter sends.
  await offers(page, "@bob", "Bob Ott");
  await page.keyboard.press("Enter");
  await until(async () => (await bob.texts(lab)).at(-1) === "@bob", "the name alone");
  // What was taken can be taken back.
  await offers(page, "x @", "Bob Ott");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+z");
  await until(async () => (await value(page)).startsWith("x @") && !(await value(page)).includes("bob"), "undo");
  house.quiet();
  await page.context().close();
});

test("nothing is offered or taken while an input method composes", async () => {
  const page = await house.visit(ann, "/c/lab");
  const devtools = await page.context().newCDPSession(page);
  await offers(page, "@", "Bob Ott");
  await devtools.send("Input.imeSetComposition", { text: "ㄅ", selectionStart: 1, selectionEnd: 1 });
  await until(() => isClosed(page), "the list to go");
  for (const key of ["Enter", "ArrowDown", "Tab"]) await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key, windowsVirtualKeyCode: 229 });
  await pause(200);
  assert.ok(await isClosed(page));
  assert.equal(await value(page), "@ㄅ");
  await devtools.send("Input.insertText", { text: "包" });
  assert.equal(await value(page), "@包");
  await page.context().close();
});

test("the emoji picker is searched and walked by keyboard, remembers, and gives the focus back", async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.fill("chat-composer textarea", "so good ");
  await page.focus(".composer-emoji");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".emoji-cell");
  assert.equal(await page.evaluate(() => document.activeElement.className), "emoji-search");
  await page.keyboard.type("rocket");
  await until(async () => (await page.getAttribute(".emoji-cell[aria-selected=true]", "data-char").catch(() => "")) === "🚀", "the rocket");
  await page.keyboard.press("Enter");
  assert.equal(await value(page), "so good 🚀");
  assert.equal(await page.evaluate(() => document.activeElement.id), "text", "one goes on writing");
  await page.click(".composer-emoji");
  await page.waitForSelector(".emoji-cell");
  assert.equal(await page.getAttribute(".emoji-cell", "data-char"), "🚀", "what was used lately comes first");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  const walked = await page.getAttribute(".emoji-cell[aria-selected=true]", "data-char");
  assert.equal(walked, "😃");
  assert.ok((await page.locator(".emoji-cell").count()) > 1500);
  await page.keyboard.press("Escape");
  assert.ok(!(await page.isVisible(".emoji")));
  assert.match(await page.evaluate(() => document.activeElement.className), /composer-emoji/);
  house.quiet();
  await page.context().close();
});

test("slashes: two say one, an unknown command keeps its words, and status is seen by others", async () => {
  const page = await house.visit(ann, "/c/lab");
  const send = async (text) => {
    await page.fill("chat-composer textarea", text);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
  };
  const last = (text) => until(async () => (await bob.texts(lab)).at(-1) === text, text);
  await send("//etc/passwd");
  await last("/etc/passwd");
  await send("/me waves");
  await last("*Ann Lee waves*");
  await send("/dance now");
  await page.getByText("There is no command /dance.").waitFor();
  assert.equal(await value(page), "/dance now");
  await page.fill("chat-composer textarea", "");
  assert.equal(await page.locator(".composer .wrong").count(), 0);
  await send("/status away at lunch");
  await page.getByText("Others see your status now.").waitFor();
  const { status } = await ann.call("GET", "/me");
  assert.match(JSON.stringify(status), /away.*at lunch/);
  assert.equal(await value(page), "");
  await send("/msg");
  await page.getByText("Name one person and say something").waitFor();
  await send("/msg @bob between us");
  await page.getByText("Sent to bob alone.").waitFor();
  const direct = await bob.call("POST", "/direct", { username: "ann" });
  await until(async () => (await bob.texts(direct)).at(-1) === "between us", "the private word");
  await send("/topic beams and lunch");
  await page.getByText("The topic is set.").waitFor();
  assert.equal((await bob.call("GET", `/rooms/${lab.id}`)).topic, "beams and lunch");
  const eve = await house.person("eve");
  await send("/invite @eve");
  await page.getByText("eve is in this room now.").waitFor();
  await eve.say(lab, "here I am");
  await last("here I am");
  await send("/invite @nobody-like-that");
  await page.locator(".composer .wrong").waitFor();
  assert.equal(await value(page), "/invite @nobody-like-that");
  house.quiet();
  await page.context().close();
});

test("whoever calls more than twenty people is asked first", async () => {
  const hall = await ann.channel("hall");
  for (let n = 0; n < 20; n++) await (await house.person(`guest${n}x`)).join(hall);
  const page = await house.visit(ann, "/c/hall");
  await page.fill("chat-composer textarea", "lunch, @all!");
  await page.keyboard.press("Enter");
  await page.getByText("This calls 21 people.").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".composer-asks").count(), 0);
  assert.deepEqual(await ann.texts(hall), []);
  assert.equal(await value(page), "lunch, @all!");
  await page.focus("chat-composer textarea");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Send it to all of them" }).waitFor();
  assert.deepEqual(await findingsInBoth(page), []);
  await page.keyboard.press("Enter");
  await until(async () => (await ann.texts(hall)).at(-1) === "lunch, @all!", "it is sent");
  await page.fill("chat-composer textarea", "`@all` is a word");
  await page.keyboard.press("Enter");
  await until(async () => (await ann.texts(hall)).at(-1) === "`@all` is a word", "code calls nobody");
  await page.context().close();
});

test("names are offered on the board too, and wide code stays in its note", async () => {
  const page = await house.visit(ann, "/board", { viewport: PHONE });
  await page.fill("#note-text", "");
  await page.focus("#note-text");
  await page.keyboard.type("thanks @bo");
  await until(async () => (await offered(page)).join() === "Bob Ott", "Bob");
  await page.keyboard.press("Enter");
  assert.equal(await page.inputValue("#note-text"), "thanks @bob ");
  await page.fill("#note-text", `\`\`\`\n${"wide ".repeat(60)}\n\`\`\``);
  await page.keyboard.press("Control+Enter");
  const code = page.locator(".note pre").first();
  await page.locator(".note:has(pre):not([data-state])").first().waitFor();
  const [inner, outer] = await page.evaluate(() => [".note pre", ".note:has(pre)"].map((one) => document.querySelector(one).getBoundingClientRect().toJSON()));
  assert.ok(inner.x + inner.width <= outer.x + outer.width, JSON.stringify([inner, outer]));
  await until(async () => (await code.getAttribute("tabindex")) === "0", "it scrolls by keyboard");
  await page.getByRole("button", { name: "Copy the code" }).first().waitFor({ state: "attached" });
  await page.context().close();
});

test("axe finds nothing in the lists and the picker, and a phone has room for them", async () => {
  const page = await house.visit(ann, "/c/lab", { viewport: PHONE, hasTouch: true });
  for (const letters of ["@", "#", ":he", "/"]) {
    await page.fill("chat-composer textarea", "");
    await page.focus("chat-composer textarea");
    await page.keyboard.type(letters);
    await page.waitForSelector(".offers:not([hidden]) .offer");
    assert.deepEqual(await findingsInBoth(page), [], letters);
  }
  // A finger takes one, and the box keeps the focus.
  await page.locator(".offer", { hasText: "/shrug" }).tap();
  assert.equal(await value(page), "/shrug ");
  await page.fill("chat-composer textarea", "");
  await page.locator(".composer-emoji").tap();
  await page.waitForSelector(".emoji-cell");
  assert.deepEqual(await findingsInBoth(page), [], "the picker");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  const box = await page.locator(".emoji").boundingBox();
  assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= PHONE.width, JSON.stringify(box));
  await page.locator(".emoji-cell").first().tap();
  await until(async () => (await value(page)).length > 0, "the emoji in the box");
  await page.context().close();
});

/** Whatever runs says so in `globalThis.ran`. */
function hostile() {
  const run = "globalThis.ran=1";
  const tags = ["script", "img src=x onerror", "svg onload", "iframe srcdoc", "body onload", "details open ontoggle", "video src=x onerror", "a href=javascript:", "math", "style", "object data", "embed src",
    "form action", "input autofocus onfocus", "marquee onstart", "base href", "link rel=stylesheet href", "meta http-equiv=refresh content", "textarea", "title", "plaintext", "xmp", "template", "noscript", "select"];
  const wraps = [(x) => x, (x) => `**${x}**`, (x) => `[${x}](${x})`, (x) => `\`\`\`html\n${x}\n\`\`\``, (x) => `> - ${x}`, (x) => `| ${x} | b |\n|-|-|\n| c | ${x} |`, (x) => `![${x}](javascript:${run})`, (x) => `<${x}`,
    (x) => `"><${x}>`, (x) => `]]>${x}-->`];
  const made = tags.flatMap((tag) => wraps.map((wrap) => wrap(`<${tag}="${run}">${run}</${tag.split(" ")[0]}>`)));
  const links = ["javascript", "JaVaScRiPt", "java\tscript", "vbscript", "data:text/html,", "&#106;avascript", "file", "blob"].flatMap((scheme) => [`[x](${scheme}:${run})`, `<${scheme}:${run}>`, `[x]: ${scheme}:${run}\n[x]`,
    `[x](<${scheme}:${run}>)`, `https://x.org/"onmouseover="${run}`]);
  return [...made, ...links, ">".repeat(4000), "[".repeat(4000), "\u202Eevil\u202C <b>", "a\u0338".repeat(2000), "W".repeat(4000), "﷽".repeat(1000), "@ann".repeat(900), ":tada:".repeat(600), "*".repeat(4000), "{{7*7}} ${7*7} <%= 7 %>"];
}

test("300 hostile texts are only words", { timeout: 120_000 }, async () => {
  const cage = await ann.channel("cage");
  const all = hostile();
  assert.ok(all.length >= 300, `${all.length}`);
  for (let at = 0; at < all.length; at += 50) await Promise.all(all.slice(at, at + 50).map((text) => ann.say(cage, text)));
  await bob.join(cage);
  const page = await house.visit(bob, "/c/cage");
  let dialogs = 0;
  page.on("dialog", (dialog) => { dialogs += 1; void dialog.dismiss(); });
  const allowed = ["A", "BLOCKQUOTE", "BR", "CODE", "DEL", "EM", "HR", "LI", "OL", "P", "PRE", "SPAN", "STRONG", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL", "DIV", "BUTTON"];
  const look = () => page.evaluate((names) => {
    const bad = [...document.querySelectorAll(".message-text *")].filter((one) => !names.includes(one.tagName)
      || [...one.attributes].some(({ name }) => /^on|^style$|^srcdoc$/.test(name)) || (one.tagName === "A" && !/^(https?|mailto):/.test(one.href)));
    return { ran: "ran" in globalThis, bad: bad.map((one) => one.outerHTML.slice(0, 80)), wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
  }, allowed);
  const seen = new Set();
  // Each page of history is as long as it takes; looking at one takes a while itself, and what came and went meanwhile is met on the way down.
  await until(async () => {
    assert.deepEqual(await look(), { ran: false, bad: [], wide: 0 });
    for (const seq of await page.$$eval(".message", (messages) => messages.map((one) => Number(one.dataset.seq)))) seen.add(seq);
    await page.$eval(".timeline-scroll", (pane, isUp) => { pane.scrollTop = isUp ? 0 : pane.scrollTop + pane.clientHeight; }, !seen.has(1));
    return seen.size === all.length;
  }, "a look at every one of them", 60_000);
  // And live, as they come.
  for (const text of all.slice(0, 30)) await ann.say(cage, text);
  await page.click(".jump button").catch(() => undefined);
  await ann.say(cage, "the end");
  await until(async () => (await texts(page)).at(-1) === "the end", "the end");
  assert.deepEqual(await look(), { ran: false, bad: [], wide: 0 });
  assert.equal(dialogs, 0);
  house.quiet();
  await page.context().close();
});

test("the same texts are only words as a topic, as a status, and as the name of a file", { timeout: 150_000 }, async () => {
  const den = await ann.channel("den");
  await bob.join(den);
  // Only those who are here have a status to be seen.
  const his = await house.visit(bob, "/people");
  const page = await house.visit(ann, "/c/den?details=members");
  await page.waitForSelector(".member");
  let dialogs = 0;
  page.on("dialog", (dialog) => { dialogs += 1; void dialog.dismiss(); });
  const look = () => page.evaluate(() => {
    const places = [...document.querySelectorAll(".room-topic, .member-status, .file-name, .file a")];
    const bad = places.flatMap((place) => [...place.querySelectorAll("script, img:not([src^='/attachments/']), iframe, object, embed, form, style, a[href^='java']")]);
    const handlers = places.filter((place) => [...place.attributes].some(({ name }) => /^on|^style$|^srcdoc$/.test(name)));
    return { ran: "ran" in globalThis, bad: [...bad, ...handlers].map((one) => one.outerHTML.slice(0, 80)), wide: document.documentElement.scrollWidth - document.documentElement.clientWidth };
  });
  const clean = { ran: false, bad: [], wide: 0 };
  const line = (text, most) => [...text.replace(/[\n\t]/g, " ").trim()].slice(0, most).join("").trim();
  const all = hostile();
  for (let at = 0; at < all.length; at += 10) {
    const some = all.slice(at, at + 10);
    const files = [];
    for (const text of some) {
      await ann.call("PATCH", `/rooms/${den.id}`, { topic: line(text, 250) });
      // A text that turns the direction of the page around is refused as a status, and says why.
      await bob.call("PATCH", "/me", { status: { state: "away", text: line(text, 100) } }).catch((error) => assert.match(error.message, /: 422 .*status/));
      const form = new FormData();
      form.append("file", new Blob(["words"]), line(text, 200));
      const answer = await fetch(`${house.origin}/api/v1/rooms/${den.id}/attachments`, { method: "POST", headers: { cookie: bob.cookie }, body: form });
      assert.equal(answer.status, 201, line(text, 60));
      files.push((await answer.json()).id);
    }
    await bob.call("POST", `/rooms/${den.id}/messages`, { nonce: `files-${String(at).padStart(20, "0")}`, text: "", attachments: files });
    assert.deepEqual(await look(), clean, some[0]);
  }
  const last = line(all.at(-1), 250);
  await until(async () => (await page.textContent(".room-topic")) === last, "the last topic");
  await until(async () => (await page.locator(".member", { hasText: "Bob" }).locator(".member-status").textContent()) === last, "the last status");
  assert.deepEqual(await look(), clean);
  // And as the server writes them.
  await page.reload();
  await page.waitForSelector(".file-name");
  assert.deepEqual(await look(), clean);
  assert.equal(dialogs, 0);
  house.quiet();
  await his.context().close();
  await page.context().close();
});
