// Nothing for axe to find on any page and state, in either language, light and dark, on a desk and on a phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { findingsInBoth } from "./axe.mjs";
import { DESK, PHONE } from "./house.mjs";
import { Lived } from "./lived.mjs";
import { SCENES } from "./scenes.mjs";

/** @type {Lived} */ let lived;
before(async () => { lived = await Lived.open(); });
after(async () => { await lived?.close(); });

/** Goes to a scene in a browser that is kept for the next one, unless the scene changes the browser itself. */
async function enter(pages, scene, options) {
  const { before: prepare, who = "ana", trouble = "" } = scene;
  const key = `${who} ${trouble}`;
  let page = prepare ? undefined : pages.get(key);
  if (!page) {
    const context = await (await lived.for(scene)).as(who, options);
    await prepare?.(context);
    page = await context.newPage();
    if (!prepare) pages.set(key, page);
  }
  await page.goto(scene.path);
  await scene.then?.(page, page.context());
  return page;
}

/** What sticks out to the right and makes the page scroll sideways, in pixels. */
const excess = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

for (const [locale, viewport] of [["en-GB", DESK], ["zh-TW", PHONE]]) {
  test(`axe finds nothing on any page and state, and nothing scrolls sideways, ${locale}, ${viewport.width} wide`, async () => {
    const pages = new Map();
    const found = [];
    for (const scene of SCENES) {
      try {
        const page = await enter(pages, scene, { locale, viewport, reducedMotion: "reduce", hasTouch: viewport === PHONE });
        found.push(...(await findingsInBoth(page)).map((one) => `${scene.name}: ${one}`));
        if (await excess(page) > 0) found.push(`${scene.name}: ${await excess(page)} px too wide`);
        if (scene.before) await page.context().close();
      } catch (error) {
        throw new Error(`scene ${scene.name}: ${error.message}`, { cause: error });
      }
    }
    for (const page of pages.values()) await page.context().close();
    assert.deepEqual(found, []);
  });
}
