// By keyboard alone and by ear: every step that a mouse can do, each message heard once, nothing taken from other fields.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { pause, ready, texts, until } from "./page.mjs";

let house, ann, bob, lab, lunch, papers;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  [lab, lunch, papers] = [await ann.channel("lab"), await ann.channel("lunch"), await ann.channel("papers")];
  for (const room of [lab, lunch, papers]) await bob.join(room);
  await bob.say(lab, "hello from bob");
});
after(() => house?.close());

const focused = (page) => page.evaluate(() => {
  const { activeElement: one } = document;
  return one.id || one.className || one.localName;
});

test("Enter sends, Shift+Enter breaks the line, and an input method keeps its Enter", async () => {
  const page = await house.visit(ann, "/c/lab");
  assert.equal(await focused(page), "text", "one can write at once");
  await page.keyboard.type("first");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("second");
  await page.keyboard.press("Enter");
  await until(async () => (await texts(page)).at(-1) === "first\nsecond", "two lines");
  // Chromium's own composition, as an input method makes it.
  const devtools = await page.context().newCDPSession(page);
  const count = (await texts(page)).length;
  await devtools.send("Input.imeSetComposition", { text: "ㄋㄧ", selectionStart: 2, selectionEnd: 2 });
  await devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 });
  await pause(150);
  assert.equal((await texts(page)).length, count, "nothing was sent");
  await devtools.send("Input.insertText", { text: "你" });
  await page.keyboard.press("Enter");
  await until(async () => (await texts(page)).at(-1) === "你", "the composed word");
  house.quiet();
  await page.context().close();
});

test("Ctrl+K goes to a room, a person, a page; the list is a combobox's", async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette[open]");
  assert.equal(await page.getAttribute(":focus", "role"), "combobox");
  await page.keyboard.type("lun");
  const chosen = () => page.$eval(".palette-box", (box) => document.getElementById(box.getAttribute("aria-activedescendant"))?.textContent);
  await until(async () => (await chosen())?.startsWith("# lunch"), "lunch on top");
  const devtools = await page.context().newCDPSession(page);
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  const byRole = (role) => nodes.filter((node) => !node.ignored && node.role?.value === role);
  assert.equal(byRole("option").length, await page.$$eval("[role=option]", (all) => all.length));
  const box = byRole("combobox")[0];
  assert.equal(box.name.value, "Where to?");
  assert.ok(box.properties.some(({ name, value }) => name === "activedescendant" && value.relatedNodes?.length === 1));
  await page.keyboard.press("Enter");
  await page.waitForURL("**/c/lunch");
  await ready(page);

  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette[open]");
  await page.keyboard.type("bob");
  await until(async () => (await chosen())?.startsWith("Bob"), "the person");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/dm/bob");
  await ready(page);

  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette[open]");
  await page.keyboard.type("sett");
  await until(async () => (await chosen())?.startsWith("Settings"), "the page");
  await page.keyboard.press("Escape");
  assert.equal(await page.isVisible("dialog.palette"), false);
  await page.keyboard.press("Control+k");
  await page.waitForSelector("dialog.palette[open]");
  const first = await chosen();
  await page.keyboard.press("ArrowDown");
  assert.notEqual(await chosen(), first);
  await page.keyboard.press("ArrowUp");
  assert.equal(await chosen(), first);
  await page.keyboard.type("zzzz");
  assert.match(await page.textContent(".palette-nothing"), /Nothing by that name/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  house.quiet();
  await page.context().close();
});

test("Alt+arrows walk the rooms, with Shift those with something new, and Esc marks as read", async () => {
  const page = await house.visit(ann, "/c/lab");
  await page.keyboard.type("half");
  await page.keyboard.press("Alt+ArrowDown");
  await page.waitForURL("**/c/lunch");
  await ready(page);
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForURL("**/c/lab");
  await ready(page);
  assert.equal(await page.inputValue("textarea"), "half");
  await page.fill("textarea", "");
  await bob.say(papers, "read this");
  await page.waitForSelector(`[data-rail-room="${papers.id}"].is-unread`);
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await page.waitForURL("**/c/papers");
  await ready(page);
  await until(async () => !(await page.$(`[data-rail-room="${papers.id}"].is-unread`)), "it to be read");

  await page.setViewportSize({ width: 1280, height: 400 });
  for (let i = 0; i < 30; i++) await bob.say(papers, `line ${i}`);
  await until(async () => (await texts(page)).at(-1) === "line 29", "the lines");
  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = 0; });
  await pause(100);
  await bob.say(papers, "unseen");
  await page.waitForSelector(".new-line");
  await page.waitForSelector(`[data-rail-room="${papers.id}"].is-unread`);
  const top = await page.$eval(".timeline-scroll", (pane) => pane.scrollTop);
  await page.keyboard.press("Escape");
  await until(async () => !(await page.$(`[data-rail-room="${papers.id}"].is-unread`)), "Esc to mark it");
  assert.equal(await page.$(".new-line"), null);
  assert.equal(await page.$eval(".timeline-scroll", (pane) => pane.scrollTop), top, "what one reads stays");
  house.quiet();
  await page.context().close();
});

test("nothing is taken from who types elsewhere", async () => {
  const page = await house.visit(ann, "/channels");
  await page.focus("#channel-name");
  await page.keyboard.type("what? and/or");
  await page.keyboard.press("Alt+ArrowDown");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("#channel-name"), "what? and/or");
  assert.equal(await page.$("dialog[open]"), null);
  assert.equal(new URL(page.url()).pathname, "/channels");
  await house.go(page, "/people");
  await page.keyboard.press("/");
  assert.equal(await focused(page), "people-query");
  assert.equal(await page.inputValue("#people-query"), "");
  house.quiet();
  await page.context().close();
});

test("? lists the keys, and its letters can be turned off", async () => {
  const page = await house.visit(ann, "/board");
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.keysheet[open]");
  const keys = await page.$$eval(".keysheet dt", (all) => all.map((one) => one.textContent.trim()));
  assert.ok(keys.includes("Ctrl K") && keys.includes("Alt Shift ↑ ↓"), keys.join());
  await page.uncheck(".keysheet input");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await pause(150);
  assert.equal(await page.$("dialog[open]"), null);
  house.quiet();
  await page.context().close();
});

test("a message's link is copied by keyboard and leads back to it", async () => {
  const many = await ann.channel("many");
  await ann.sayMany(many, 300);
  const page = await house.visit(ann, "/c/many", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.focus(".timeline-scroll");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  const id = await page.evaluate(() => document.activeElement.id);
  assert.match(id, /^m-\d+$/);
  await page.waitForSelector(`#${id} .message-bar button`);
  await page.keyboard.press("l");
  const link = await until(async () => page.evaluate(() => navigator.clipboard.readText()), "the link");
  assert.equal(link, `${house.origin}/m/${many.id}/${id.slice(2)}`);
  await until(async () => (await page.textContent("body > [role=status]")) === "Link copied", "a word for the ear");

  await page.goto(`/m/${many.id}/120`);
  await ready(page);
  assert.match(page.url(), /\/c\/many\?around=120#m-120$/);
  const box = await page.$eval("#m-120.focus", (article) => article.getBoundingClientRect().toJSON());
  assert.ok(box.top > 100 && box.bottom < 700, JSON.stringify(box));
  const seqs = () => page.$$eval(".message", (all) => all.map((one) => Number(one.dataset.seq)));
  const walk = async (by, done) => {
    for (let i = 0; i < 100 && !done(await seqs()); i++) {
      await page.$eval(".timeline-scroll", (pane, y) => { pane.scrollTop += y; }, by);
      await page.waitForTimeout(25);
    }
    const here = await seqs();
    assert.ok(done(here), `${here[0]} to ${here.at(-1)}`);
    here.forEach((seq, i) => assert.ok(i === 0 || seq === here[i - 1] + 1, "a hole"));
  };
  await walk(-1500, (here) => here[0] === 1);
  await walk(1500, (here) => here.at(-1) === 300);
  await house.go(page, `/c/many?around=20`);
  await page.click(".jump button");
  await until(async () => (await seqs()).at(-1) === 300 && !(await page.isVisible(".jump button")), "the latest");
  assert.equal(new URL(page.url()).search, "");
  await bob.join(many);
  await house.go(page, `/c/many?around=20`);
  await page.fill("textarea", "written from far back");
  await page.press("textarea", "Enter");
  await until(async () => (await texts(page)).at(-1) === "written from far back" && !(await page.$(".message[data-state]")), "it at the end");
  assert.equal((await texts(page)).filter((text) => text === "written from far back").length, 1);
  house.quiet();
  await page.context().close();
});

test("a page of history that comes after one has gone to the end belongs nowhere any more", async () => {
  const late = await ann.channel("late");
  await ann.sayMany(late, 500);
  const context = await house.visitor();
  await house.signIn(context, ann);
  const page = await context.newPage();
  /** The question for what follows, and its answer, held back. */
  let [asked, answer] = [0, () => {}];
  await page.routeWebSocket(/\/ws$/, (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((words) => {
      const frame = JSON.parse(String(words));
      if (!asked && frame.type === "history" && frame.after) asked = frame.id;
      server.send(words);
    });
    server.onMessage((words) => {
      const frame = JSON.parse(String(words));
      if (asked && frame.id === asked && frame.type === "reply") answer = () => socket.send(words);
      else socket.send(words);
    });
  });
  await house.go(page, "/c/late?around=20");
  const seqs = () => page.$$eval(".messages > .message", (all) => all.map((one) => Number(one.dataset.seq)));
  await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = pane.scrollHeight; });
  await until(() => asked > 0, "the question");
  await page.click(".jump button");
  await until(async () => (await seqs()).at(-1) === 500, "the end");
  answer();
  await pause(300);
  const here = await seqs();
  here.forEach((seq, i) => assert.ok(i === 0 || seq === here[i - 1] + 1, `${here}`));
  assert.deepEqual([here.at(-1), await page.isVisible(".jump button")], [500, false]);
  house.quiet();
  await context.close();
});

test("a talk of a minute by keyboard alone, from the front door", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/dashboard");
  const go = async (word, url) => {
    await page.keyboard.press("Control+k");
    await page.keyboard.type(word);
    await until(async () => (await page.textContent(".palette-list [aria-selected=true]"))?.includes(word), word);
    await page.keyboard.press("Enter");
    await page.waitForURL(url);
    await ready(page);
  };
  await go("lunch", "**/c/lunch");
  for (let i = 0; i < 10; i++) {
    await page.keyboard.type(`noodles ${i}`, { delay: 5 });
    await page.keyboard.press("Enter");
    await bob.say(lunch, `rice ${i}`);
  }
  await until(async () => (await ann.texts(lunch)).length === 20, "all of it");
  // Every stop of the Tab key is visible, and the way leads out of the messages again.
  const stops = new Set();
  for (let i = 0; i < 120; i++) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const one = document.activeElement;
      const box = one.getBoundingClientRect();
      return { what: one.getAttribute("aria-label") ?? one.textContent.trim().slice(0, 30), seen: one === document.body || (box.width > 0 && box.bottom > 0 && box.top < innerHeight) };
    });
    assert.ok(stop.seen, `the focus is out of sight on ${stop.what}`);
    stops.add(stop.what);
    if (["Log out", "Send", "Sounds"].every((what) => stops.has(what))) break;
  }
  for (const what of ["Send", "Log out", "Sounds"]) assert.ok(stops.has(what), `${what} is not reached: ${[...stops].join(", ")}`);
  house.quiet();
  await page.context().close();
});

test("skip links lead to the content and to the box to write in", async () => {
  const page = await house.visit(ann, "/c/lab", { hasTouch: true, isMobile: false });
  await page.evaluate(() => document.activeElement.blur());
  await page.evaluate(() => { document.body.tabIndex = -1; document.body.focus(); });
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to the content/);
  await page.keyboard.press("Tab");
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Skip to the message box/);
  await page.keyboard.press("Enter");
  await until(async () => (await focused(page)) === "text", "the box to have the focus");
  house.quiet();
  await page.context().close();
});
