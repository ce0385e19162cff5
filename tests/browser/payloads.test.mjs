// Three hundred hostile texts, stored wherever people may write, and every page that shows them: nothing of them ever runs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { until } from "./page.mjs";

// What each of them would do if it ran. Dialogs are another sign.
const RUN = "top.__ran=1";

/** Contexts to break out of, times what to do outside. */
function payloads() {
  const breakouts = ["", "\"", "'", "`", "\">", "'>", "</textarea>", "</title>", "</style>", "</script>", "-->", "]]>", "</option></select>", "\\\">", "%22>"];
  const vectors = [
    `<script>${RUN}</script>`,
    `<script src="data:text/javascript,${RUN}"></script>`,
    `<img src=x onerror=${RUN}>`,
    `<svg onload=${RUN}>`,
    `<svg><script>${RUN}</script></svg>`,
    `<svg><animate onbegin=${RUN} attributeName=x dur=1s>`,
    `<iframe srcdoc="<script>${RUN}</script>"></iframe>`,
    `<iframe src="javascript:${RUN}"></iframe>`,
    `<a href="javascript:${RUN}" autofocus onfocus=${RUN}>x</a>`,
    `<details open ontoggle=${RUN}>`,
    `<video><source onerror=${RUN}></video>`,
    `<body onload=${RUN}>`,
    `<input autofocus onfocus=${RUN}>`,
    `<math><mtext><table><mglyph><style><img src=x onerror=${RUN}></style></table></mtext></math>`,
    `<object data="javascript:${RUN}"></object>`,
    `<meta http-equiv=refresh content="0;url=javascript:${RUN}">`,
    `<form><button formaction="javascript:${RUN}">x</button></form>`,
    `<style>@import "javascript:${RUN}";</style>`,
    ` onmouseover=${RUN} autofocus onfocus=${RUN} x=`,
  ];
  const markdown = [
    `[x](javascript:${RUN})`, `![x](javascript:${RUN})`, `[x](data:text/html,<script>${RUN}</script>)`, `[x]( javascript&colon;${RUN})`,
    `<javascript:${RUN}>`, `[x](JaVaScRiPt:${RUN})`, `[x](&#1;javascript:${RUN})`, `[x](vbscript:${RUN})`, `**<img src=x onerror=${RUN}>**`,
    `\`\`\`html\n<script>${RUN}</script>\n\`\`\``, `| <img src=x onerror=${RUN}> | b |\n|---|---|\n| <svg onload=${RUN}> | 2 |`, `> <script>${RUN}</script>`,
    `@<script>${RUN}</script>`, `#<script>${RUN}</script>`, `:<script>${RUN}</script>:`, `||<script>${RUN}</script>||`,
  ];
  return [...breakouts.flatMap((out) => vectors.map((vector) => out + vector)), ...markdown];
}

let house, eve, ann, lab;
before(async () => {
  house = await House.open();
  [ann, eve] = [await house.person("ann"), await house.person("eve")];
  lab = await eve.channel("lab");
  await ann.join(lab);
});
after(() => house?.close());

/** Whatever the page has that would run; the browser's own reports of what it refused don't count, running does. */
async function harmless(page, where) {
  assert.equal(await page.evaluate(() => globalThis.__ran), undefined, where);
}

test("three hundred hostile texts are only text, wherever they are stored and shown", { timeout: 240_000 }, async () => {
  const all = payloads();
  assert.ok(all.length >= 300, String(all.length));
  await Promise.all(all.map((text) => eve.say(lab, text)));
  // Shorter fields get as many of them as they take.
  const short = all.filter((text) => text.length <= 60);
  const groups = [];
  for (const name of short.slice(0, 40)) {
    const made = await eve.call("POST", "/rooms", { kind: "group", name, members: ["ann"] }).catch(() => null);
    if (made) groups.push(made);
  }
  assert.ok(groups.length > 10, `${groups.length} groups`);
  for (const [i, group] of groups.entries()) await eve.call("PATCH", `/rooms/${group.id}`, { topic: all[i * 7] }).catch(() => null);
  for (const text of all.slice(0, 60)) await eve.form("/board", { nonce: `note-${Math.random().toString(36).slice(2)}-xxxxxxxx`, title: text.slice(0, 90), text });
  for (const name of short.slice(0, 10)) await eve.upload(lab, `${name.replaceAll("/", "_")}.txt`, Buffer.from("x")).then((file) => eve.say(lab, "", { attachments: [file.id] }));
  await eve.call("PATCH", "/me", { display_name: short[2].slice(0, 40), status: { state: "away", text: short[3] } });
  const reported = await eve.say(lab, all[5]);
  await ann.call("POST", `/rooms/${lab.id}/messages/${reported.seq}/report`, { reason: all[6] });

  const page = await house.visit(ann, "/c/lab");
  page.on("dialog", (dialog) => assert.fail(`a dialog: ${dialog.message()}`));
  await until(async () => (await page.locator(".messages > .message").count()) > 20, "the newest messages");
  await harmless(page, "/c/lab");
  // Upwards through all of them, hovering and focusing what can be.
  for (let i = 0; i < 12; i += 1) {
    await page.mouse.move(500, 200 + i * 20);
    await page.mouse.wheel(0, -3000);
    await page.waitForTimeout(50);
    await harmless(page, `/c/lab, ${i} pages up`);
  }
  const pages = ["/board", "/dashboard", "/groups", "/people", `/g/${groups[0].id}`, `/g/${groups[5].id}`, `/search?q=${encodeURIComponent(all[3])}`, "/search?q=script",
    "/admin", `/people/${(await eve.call("GET", "/me")).id}`, `/channels?query=${encodeURIComponent(all[4])}`, `/login?next=${encodeURIComponent(`/"${all[2]}`)}`,
    `/${encodeURIComponent(all[2])}`];
  for (const path of pages) {
    await page.goto(house.origin + path);
    await page.waitForLoadState("load");
    await page.mouse.move(300, 300);
    await harmless(page, path);
  }
  await page.context().close();
});

test("a page on which one of them ran would be seen", async () => {
  const page = await house.visit(ann, "/board");
  await page.evaluate(() => { globalThis.__ran = 1; });
  await assert.rejects(() => harmless(page, "/board"));
  // The browser itself refuses what a page would be made to run: an inline handler, for one.
  await page.goto(`${house.origin}/board`);
  await page.evaluate((run) => {
    const image = document.createElement("div");
    image.innerHTML = `<img src=x onerror="${run}">`;
    document.body.append(image);
    return new Promise((done) => setTimeout(done, 300));
  }, RUN);
  await harmless(page, "an inline handler in spite of everything");
  await page.context().close();
});
