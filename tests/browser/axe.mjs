// What axe, the checker for accessibility, finds on a page.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** The only ones that light or dark makes a difference to. */
const COLOUR = ["color-contrast", "link-in-text-block"];

/** @returns {Promise<string[]>} one line for each rule that is broken, with the places; none is good */
export const findings = (page) => run(page, { type: "tag", values: TAGS });

/** The same in light and in dark, where the page stands. */
export async function findingsInBoth(page) {
  const found = [];
  await page.emulateMedia({ colorScheme: "light" });
  found.push(...await findings(page));
  await page.emulateMedia({ colorScheme: "dark" });
  found.push(...(await run(page, { type: "rule", values: COLOUR })).map((one) => `dark: ${one}`));
  return found;
}

async function run(page, runOnly) {
  // Axe would have to be put into each frame by itself; a page of Hubbub has none.
  if (page.frames().length > 1) throw new Error(`${page.url()} has frames, which are not looked into`);
  // The content security policy allows no script of another place; axe comes through the debugger.
  if (!await page.evaluate(() => "axe" in globalThis)) await page.evaluate(`${SOURCE};0`);
  const { violations } = await page.evaluate((options) => globalThis.axe.run(document, options), { runOnly, resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes.map(({ html, failureSummary }) => `${html.slice(0, 150)} ${failureSummary}`).join(" | ")}`);
}
