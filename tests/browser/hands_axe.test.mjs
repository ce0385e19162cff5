// axe on everything that only a script opens, light and dark.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";

import { Stage, pause, until } from "./stage.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
let stage, ann, bob, lab;

before(async () => {
  stage = await Stage.open();
  ann = await stage.caller("ann");
  bob = await stage.caller("bob");
  lab = await ann.channel("lab");
  await bob.join(lab);
  await bob.sayMany(lab, 80);
});
after(() => stage?.close());

async function findings(page) {
  // The content security policy allows no script of another place; axe comes through the debugger.
  await page.evaluate(`${(await import("node:fs")).readFileSync(axe, "utf8")};0`);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 140)} ${failureSummary}`).join(" | ")}`);
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing in the palette, the sheet, the volume, the bar, a failed message and the banner (${colorScheme})`, { timeout: 90_000 }, async () => {
    const page = await stage.visit(ann, "/c/lab", { colorScheme, reducedMotion: "reduce" });
    const check = async (what) => assert.deepEqual(await findings(page), [], what);
    await check("the conversation");
    await page.keyboard.press("Control+k");
    await page.waitForSelector(".palette[open]");
    await pause(200);
    await check("the palette");
    await page.keyboard.type("zzzz");
    await check("the palette with nothing in it");
    await page.keyboard.press("Escape");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    await page.waitForSelector(".keysheet[open]");
    await check("the sheet of keys");
    await page.keyboard.press("Escape");
    await page.click("[data-opens=volume]");
    await page.waitForSelector("site-volume:popover-open");
    await check("the volume");
    await page.keyboard.press("Escape");
    await page.focus(".timeline-scroll");
    await page.keyboard.press("ArrowUp");
    await page.waitForSelector(".message-bar");
    await page.$eval(".timeline-scroll", (pane) => { pane.scrollTop = 0; });
    await page.waitForSelector(".jump button:not([hidden])");
    await check("the bar and the pill");
    await page.evaluate(() => {
      const banner = document.querySelector(".banner");
      banner.hidden = false;
      banner.textContent = "You are offline. Two messages will go out when you are back.";
      live.dispatchEvent(new CustomEvent("failed", { detail: { nonce: "f".repeat(32), room: Number(document.querySelector("chat-timeline").dataset.room), text: "no", at: Date.now(), error: "You are not in this room." } }));
    });
    await until(() => page.$(".message[data-state=failed]"), "the failed message");
    await check("a failed message and the banner");
    await page.context().close();
  });
}
