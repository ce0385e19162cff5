// Renders every page and state to PNGs, so that a change of look is seen whole.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { Lived, SCENES } from "./scenes.mjs";

const WIDTHS = { phone: { width: 390, height: 844 }, tablet: { width: 820, height: 1180 }, desk: { width: 1440, height: 900 } };
const LANGUAGES = ["en", "zh-Hant"];

const [folder, part = ""] = process.argv.slice(2);
if (!folder) {
  console.error("Where to? ./gallery OUT_DIR [PART_OF_A_NAME]");
  process.exit(2);
}
const out = resolve(folder);
await mkdir(out, { recursive: true });
const lived = await Lived.open();
let count = 0;
try {
  for (const scene of SCENES) {
    for (const [width, viewport] of Object.entries(WIDTHS)) {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        for (const locale of LANGUAGES) {
          const name = [scene.name, width, colorScheme, locale].join("-");
          if (!name.includes(part)) continue;
          // One language is enough to judge colours, and the other is wanted at the widths where words get tight.
          if (locale !== "en" && colorScheme === "dark" && !part) continue;
          const context = await lived.as(scene.who ?? "ana", { viewport, colorScheme, locale: locale === "en" ? "en-GB" : "zh-TW", hasTouch: width === "phone" });
          const page = await context.newPage();
          await scene.before?.(context);
          await page.goto(scene.path);
          await page.waitForLoadState("networkidle").catch(() => undefined);
          await scene.then?.(page, context);
          await page.waitForTimeout(250);
          await page.screenshot({ path: join(out, `${name}.png`) });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
          if (wide > 0) console.warn(`${name} is ${wide} px too wide`);
          await context.close();
          count += 1;
        }
      }
    }
  }
} finally {
  await lived.close();
}
console.log(`${count} pictures in ${out}`);
