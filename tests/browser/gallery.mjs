// Renders every page and state to PNGs, so that a change of look is seen whole.
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

import { Lived } from "./lived.mjs";
import { SCENES } from "./scenes.mjs";

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

/** A scene at one width in one language; light and dark are switched where the page stands. */
async function draw(scene, width, locale) {
  // One language is enough to judge colours, and the other is wanted at the widths where words get tight.
  const schemes = /** @type {const} */ (["light", "dark"]).filter((scheme) => locale === "en" || scheme === "light" || part);
  const named = schemes.map((colorScheme) => ({ colorScheme, name: [scene.name, width, colorScheme, locale].join("-") })).filter(({ name }) => name.includes(part));
  if (named.length === 0) return;
  const context = await (await lived.for(scene)).as(scene.who ?? "ana", { viewport: WIDTHS[width], locale: locale === "en" ? "en-GB" : "zh-TW", hasTouch: width === "phone" });
  const page = await context.newPage();
  await scene.before?.(context);
  await page.goto(scene.path);
  await page.waitForLoadState("networkidle").catch(() => undefined);
  await scene.then?.(page, context);
  for (const { colorScheme, name } of named) {
    await page.emulateMedia({ colorScheme });
    // What fades in, and pictures that come last.
    await page.waitForTimeout(250);
    await page.screenshot({ path: join(out, `${name}.png`) });
    count += 1;
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) console.warn(`${scene.name} ${width} ${locale} is ${wide} px too wide`);
  await context.close();
}

try {
  for (const scene of SCENES) for (const width of Object.keys(WIDTHS)) for (const locale of LANGUAGES) await draw(scene, width, locale);
} finally {
  await lived.close();
}
console.log(`${count} pictures in ${out}`);
