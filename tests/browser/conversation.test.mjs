// The conversation under the fingers: quick at 10,000 messages, still while things arrive.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { House } from "./house.mjs";
import { flood, pause, texts, until } from "./page.mjs";

let house, ann, bob, big;
const MANY = Number(process.env.MANY ?? 10_000);

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  bob = await house.person("bob");
  big = await ann.channel("big");
  await bob.join(big);
  const page = await house.visit(bob, "/settings");
  await flood(page, big, MANY);
  await page.context().close();
}, { timeout: 180_000 });
after(() => house?.close());

/** A name that goes when its message joins those above it makes 0.0007; a list that jumps makes 0.2 and more. */
const MERGED = 0.02;
const seqs = (page) => page.$$eval(".messages > .message", (all) => all.map((one) => Number(one.dataset.seq)));
const scrollBy = (page, y) => page.$eval(".timeline-scroll", (pane, by) => { pane.scrollTop += by; }, y);

/** Counts layout shifts from now on. */
async function watchShifts(page) {
  await page.evaluate(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.shifts.push([entry.value, entry.hadRecentInput, entry.sources.map(({ node, previousRect, currentRect }) => `${node?.className ?? node?.nodeName} ${node?.id ?? ""} ${previousRect.y} to ${currentRect.y}`)]);
    }).observe({ type: "layout-shift", buffered: false });
  });
}
const shifts = (page) => page.evaluate(() => window.shifts);

test("a message is painted at once after its key in a room of 10,000, and few stand in the page", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/c/big");
  const times = [];
  for (let i = 0; i < 30; i++) {
    await page.fill("textarea", `quick ${i}`);
    await page.evaluate(() => {
      window.painted = new Promise((resolve) => addEventListener("keydown", (event) => {
        const pressed = event.timeStamp;
        requestAnimationFrame(() => { const frame = new MessageChannel(); frame.port1.onmessage = () => resolve(performance.now() - pressed); frame.port2.postMessage(0); });
      }, { once: true, capture: true }));
    });
    await page.press("textarea", "Enter");
    times.push(await page.evaluate(() => window.painted));
    assert.equal((await texts(page)).at(-1), `quick ${i}`);
  }
  console.log(`the first key after the page was opened: ${times[0].toFixed(1)} ms`);
  times.sort((a, b) => a - b);
  console.log(`input to paint: median ${times[15].toFixed(1)} ms, worst ${times[29].toFixed(1)} ms`);
  // The aim is 50 ms, for all but the first, on a machine that does nothing else; what it did just now is printed above.
  assert.ok(times[15] < 200, `${times}`);
  assert.ok((await seqs(page)).length <= 300);
  house.quiet();
  await page.context().close();
});

test("nothing shifts while 50 messages arrive, at the end and further up, in a long room and a new one", { timeout: 90_000 }, async () => {
  const fresh = await ann.channel("fresh");
  await bob.join(fresh);
  await bob.say(fresh, "first");
  for (const [room, up] of [[big, 0], [big, -1500], [fresh, 0]]) {
    const page = await house.visit(ann, `/c/${room.name}`);
    await page.waitForTimeout(300);
    if (up) await scrollBy(page, up);
    await page.waitForTimeout(300);
    await watchShifts(page);
    const reading = up ? await page.evaluate(() => {
      const article = document.elementFromPoint(700, 400).closest(".message");
      return [article.id, article.getBoundingClientRect().top];
    }) : null;
    for (let i = 0; i < 50; i++) {
      await bob.say(room, `arrives ${i} in ${room.name} ${up}`);
      await pause(15);
    }
    if (up) {
      await until(async () => (await page.textContent(".jump button")).includes("(50)"), "the pill's count");
      const top = await page.$eval(`#${reading[0]}`, (article) => article.getBoundingClientRect().top);
      assert.ok(Math.abs(top - reading[1]) < 1, `what was read moved by ${top - reading[1]}`);
    } else {
      await until(async () => (await texts(page)).at(-1) === `arrives 49 in ${room.name} ${up}`, "the last message");
    }
    await page.waitForTimeout(200);
    const seen = await shifts(page);
    const sum = seen.reduce((all, [value]) => all + value, 0);
    console.log(`layout shift in ${room.name} at ${up}: ${sum.toFixed(4)}`);
    assert.equal(sum, 0, JSON.stringify(seen));
    await page.context().close();
  }
});

test("far ends are cut and come back without a hole, up a thousand messages and down again", { timeout: 90_000 }, async () => {
  const page = await house.visit(ann, "/c/big");
  const last = (await seqs(page)).at(-1);
  const goTo = async (wanted, step) => {
    for (let i = 0; i < 400; i++) {
      const here = await seqs(page);
      assert.ok(here.length <= 300, `${here.length} in the page`);
      for (let j = 1; j < here.length; j++) assert.equal(here[j], here[j - 1] + 1, "a hole");
      if (here.includes(wanted)) return;
      await scrollBy(page, step);
      await until(() => page.evaluate(() => {
        const [pane, all] = [document.querySelector(".timeline-scroll").getBoundingClientRect(), document.querySelectorAll(".messages > .message")];
        return (all[0].getBoundingClientRect().top < pane.top || all[0].dataset.seq === "1") && all[all.length - 1].getBoundingClientRect().bottom > pane.top;
      }), "messages where one looks");
    }
    assert.fail(`never came to ${wanted}: ${(await seqs(page))[0]}`);
  };
  await goTo(last - 2500, -2000);
  await goTo(last, 2000);
  assert.equal((await seqs(page)).at(-1), last);
  house.quiet();
  await page.context().close();
});

test("what one reads stays under the eyes when older ones come in", { timeout: 30_000 }, async () => {
  const page = await house.visit(ann, "/c/big");
  await watchShifts(page);
  const before = await seqs(page);
  // One wheel turn at a time, and the message under a fixed point moves by the turns alone. A busy machine shows one a step late.
  await page.mouse.move(700, 400);
  let moved = 0;
  for (let i = 0; i < 40; i++) {
    const [id, top] = await page.evaluate(() => {
      const article = document.elementFromPoint(700, 300).closest(".message") ?? document.querySelector(".message");
      return [article.id, article.getBoundingClientRect().top];
    });
    await page.mouse.wheel(0, -200);
    await page.waitForTimeout(60);
    const now = await page.$eval(`#${id}`, (article) => article.getBoundingClientRect().top);
    moved += now - top;
    assert.ok(now >= top && moved <= 200 * (i + 1) + 1, `a jump of ${now - top}, ${moved} after ${i + 1} turns`);
  }
  assert.ok((await seqs(page))[0] < before[0] - 40, "older ones came in");
  const seen = await shifts(page);
  assert.ok(seen.reduce((all, [value]) => all + value, 0) < MERGED, JSON.stringify(seen));
  house.quiet();
  await page.context().close();
});

test("nor does it move under a quick wheel on a slow machine", { timeout: 180_000 }, async () => {
  const page = await house.visit(ann, "/c/big");
  const first = (await seqs(page))[0];
  await watchShifts(page);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 6 });
  await page.mouse.move(700, 400);
  for (let i = 0; i < 50; i++) {
    await page.mouse.wheel(0, -400);
    await pause(16);
  }
  await until(async () => (await seqs(page))[0] < first - 300, "a few hundred older ones");
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  const seen = await shifts(page);
  assert.ok(seen.reduce((all, [value]) => all + value, 0) < MERGED, JSON.stringify(seen));
  house.quiet();
  await page.context().close();
});
