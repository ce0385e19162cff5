// Link previews: the card that comes under a message, what it moves, who takes it off, and that no browser asks anybody else.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { findings } from "./axe.mjs";
import { House } from "./house.mjs";
import { ready, until } from "./page.mjs";
import { png } from "./picture.mjs";

let house, ann, bob, lab, site, elsewhere;
/** Who asked the other server for what. */
const asked = [];

const HEAD = '<!doctype html><meta charset="utf-8"><title>The harbour in the evening</title><meta property="og:site_name" content="Harbour News">' +
  '<meta name="description" content="Three boats, one lighthouse, and what the fishermen say about the weather of the coming week.">';
const PAGES = {
  "/wide": [HEAD + '<meta property="og:image" content="/wide.png"><meta property="og:image:alt" content="Three boats">'],
  "/square": [HEAD.replace("The harbour in the evening", "A lighthouse") + '<meta property="og:image" content="/square.png">'],
  "/bare": [HEAD.replace("The harbour in the evening", "Only words")],
  "/wide.png": [png(1200, 630, 3), "image/png"],
  "/square.png": [png(300, 300, 5), "image/png"],
};

before(async () => {
  site = createServer((request, response) => {
    asked.push(`${request.headers["user-agent"]} ${request.url}`);
    const [body, type = "text/html"] = PAGES[request.url] ?? [];
    response.writeHead(body ? 200 : 404, { "content-type": type }).end(body);
  });
  await new Promise((good) => site.listen(0, "127.0.0.1", good));
  elsewhere = `http://127.0.0.1:${site.address().port}`;
  house = await House.open({ "link-previews": "on", "link-preview-allow": `127.0.0.1:${site.address().port}` });
  [ann, bob] = [await house.person("ann"), await house.person("bob")];
  lab = await ann.channel("lab");
  await bob.join(lab);
});
after(async () => {
  await house?.close();
  site?.close();
});

const cards = (page) => page.locator(".message .link-preview");
const card = (page, title) => cards(page).filter({ hasText: title });
/** A card as the page has it, whoever made it: without what differs between writers. */
const markup = (locator) => locator.evaluate((one) => {
  const copy = /** @type {Element} */ (one.cloneNode(true));
  const tell = (/** @type {Element} */ element) => [element.localName, ...[...element.attributes].map(({ name, value }) => `${name}=${value}`).sort(),
    element.childElementCount ? "" : element.textContent, ...[...element.children].map(tell)];
  return JSON.stringify(tell(copy)).replaceAll("hidden=", "hidden");
});
const fromEnd = (page) => page.$eval(".timeline-scroll", (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight);

test("a card comes under the message for everybody, with a picture of the place's own, and the end stays the end", { timeout: 120_000 }, async () => {
  for (let n = 1; n <= 30; n++) await bob.say(lab, `line ${n}`);
  const [page, his] = [await house.visit(ann, "/c/lab"), await house.visit(bob, "/c/lab")];
  const outside = [];
  for (const one of [page, his]) one.on("request", (request) => { if (!request.url().startsWith(house.origin)) outside.push(request.url()); });
  await page.fill("chat-composer textarea", `look ${elsewhere}/wide`);
  await page.press("chat-composer textarea", "Enter");
  for (const one of [page, his]) {
    await card(one, "The harbour in the evening").waitFor();
    assert.equal(await cards(one).locator(".link-site").textContent(), "Harbour News");
    const image = cards(one).locator("img");
    await until(() => image.evaluate((it) => it.complete && it.naturalWidth === 640), "the picture");
    assert.equal(await image.getAttribute("alt"), "Three boats");
    assert.match(await image.getAttribute("src"), /^\/attachments\/\d+\/preview\./);
    assert.equal(await cards(one).getAttribute("href"), `${elsewhere}/wide`);
    await until(async () => (await fromEnd(one)) < 2, "the end to stay the end");
    assert.ok(await cards(one).evaluate((it) => it.classList.contains("is-wide")));
  }
  assert.deepEqual(outside, []);
  assert.ok(asked.length > 0 && asked.every((one) => one.startsWith("Hubbub/")), asked.join("\n"));

  // The server writes the same card.
  const live = await markup(cards(his));
  await his.reload();
  await ready(his);
  await card(his, "The harbour in the evening").waitFor();
  assert.equal(await markup(cards(his)), live);
  assert.deepEqual(await findings(his), []);
  house.quiet();
  await page.context().close();
  await his.context().close();
});

test("whoever reads further up is not moved by a card that comes", { timeout: 120_000 }, async () => {
  for (let n = 1; n <= 40; n++) await bob.say(lab, `more ${n}`);
  const his = await house.visit(bob, "/c/lab");
  await his.$eval(".timeline-scroll", (pane) => { pane.scrollTop = pane.scrollHeight / 2; });
  const top = () => his.evaluate(() => {
    const pane = document.querySelector(".timeline-scroll").getBoundingClientRect();
    const article = [...document.querySelectorAll(".messages > .message")].find((one) => one.getBoundingClientRect().top > pane.top + 100);
    return [article.id, Math.round(article.getBoundingClientRect().top)].join(" ");
  });
  await until(async () => { const before = await top(); await his.evaluate(() => new Promise(requestAnimationFrame)); return before === (await top()); }, "the page to rest");
  const before = await top();
  await ann.say(lab, `${elsewhere}/square`);
  await card(his, "A lighthouse").waitFor({ state: "attached" });
  assert.equal(await top(), before);
  assert.equal(await card(his, "A lighthouse").evaluate((it) => it.classList.contains("is-wide")), false);
  house.quiet();
  await his.context().close();
});

test("its author takes a card off, nobody else is offered that, and it stays off", { timeout: 120_000 }, async () => {
  await bob.say(lab, `${elsewhere}/bare`);
  // Who owns the place may do it to everybody's messages; here the owner is looked at by somebody who isn't.
  const room = await bob.channel("quiet");
  await ann.join(room);
  await ann.say(room, `hers ${elsewhere}/bare`);
  await bob.say(room, `his ${elsewhere}/square`);
  const carol = await house.person("carol");
  await carol.join(room);
  const [page, other] = [await house.visit(bob, "/c/quiet"), await house.visit(carol, "/c/quiet")];
  await card(page, "A lighthouse").waitFor();
  await card(other, "A lighthouse").waitFor();
  const menu = async (one) => {
    const message = one.locator(".message", { hasText: "his" });
    await message.hover();
    await one.locator(".message-bar [data-does=more]").click();
    await one.locator("#message-menu:popover-open").waitFor();
  };
  await menu(other);
  assert.equal(await other.isVisible("#message-menu [data-does=bare]"), false);
  await menu(page);
  await page.click("#message-menu [data-does=bare]");
  for (const one of [page, other]) await until(async () => (await card(one, "A lighthouse").count()) === 0, "the card to go");
  assert.equal(await card(page, "Only words").count(), 1);
  await page.reload();
  await ready(page);
  assert.equal(await card(page, "A lighthouse").count(), 0);
  house.quiet();
  await page.context().close();
  await other.context().close();
});

test("a phone in Chinese shows cards on the board and in a channel, and nothing scrolls sideways", { timeout: 120_000 }, async () => {
  await ann.form("/board", { text: `${elsewhere}/wide` });
  const options = { locale: "zh-TW", viewport: { width: 390, height: 740 }, hasTouch: true };
  const page = await house.visit(ann, "/board", options);
  await page.locator(".note .link-preview", { hasText: "The harbour" }).waitFor();
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  assert.equal(await sideways(), false);
  assert.deepEqual(await findings(page), []);
  await house.go(page, "/c/lab");
  await card(page, "Only words").waitFor();
  assert.equal(await sideways(), false);
  assert.deepEqual(await findings(page), []);
  house.quiet();
  await page.context().close();
});
