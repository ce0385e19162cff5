// Text can be read on every ground, in light and dark, at every hue that a person may choose (WCAG 2.2, 1.4.3).
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../../", import.meta.url);
const tokens = readFileSync(new URL("static/css/tokens.css", root), "utf8");
const people = readFileSync(new URL("static/css/people.css", root), "utf8");

/** What is written on what. */
const PAIRS = [
  ...["ground", "sheet", "raised", "sunken", "accent-soft"].flatMap((under) => [["ink", under], ["ink-soft", under], ["ink-faint", under]]),
  ...["ground", "sheet", "raised", "sunken"].map((under) => ["accent", under]),
  ...["word", "text", "number", "name", "type", "comment"].map((piece) => [`code-${piece}`, "sunken"]), ["danger", "sunken"],
  ["accent-strong", "accent-soft"], ["on-accent", "accent"], ["on-accent", "accent-strong"],
  ["danger", "sheet"], ["danger", "raised"], ["danger", "danger-soft"], ["sheet", "ink"],
];

/** @param {string} name @param {"light" | "dark"} scheme @param {number} hue */
function color(name, scheme, hue) {
  const value = new RegExp(`--${name}: ([^;]+);`).exec(tokens)?.[1] ?? assert.fail(`no token ${name}`);
  const [light, dark] = [...value.matchAll(/oklch\(([^()]*(?:\(--hue\))?)\s*\)/g)].map((match) => match[1]);
  const words = (scheme === "dark" && dark ? dark : light).replace("var(--hue", String(hue)).replace(")", "");
  const [l, c, h] = words.split(/\s+/).map((word) => parseFloat(word) / (word.endsWith("%") ? 100 : 1));
  return linear(l, c, h);
}

/** OKLCH to linear sRGB, cut to what a screen shows (CSS Color 4). */
function linear(lightness, chroma, hue) {
  const [a, b] = [chroma * Math.cos((hue * Math.PI) / 180), chroma * Math.sin((hue * Math.PI) / 180)];
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ].map((part) => Math.min(1, Math.max(0, part)));
}

function contrast(one, other) {
  const [light, dark] = [one, other].map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b).sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

for (const scheme of /** @type {const} */ (["light", "dark"])) {
  test(`every text can be read at every hue, ${scheme}`, () => {
    let worst = { ratio: Infinity, what: "" };
    for (let hue = 0; hue < 360; hue += 1) {
      for (const [text, under] of PAIRS) {
        const ratio = contrast(color(text, scheme, hue), color(under, scheme, hue));
        if (ratio < worst.ratio) worst = { ratio, what: `${text} on ${under} at hue ${hue}` };
      }
    }
    assert.ok(worst.ratio >= 4.5, `${worst.what}: ${worst.ratio.toFixed(2)}`);
  });
}

test("initials can be read on everybody's colour", () => {
  const number = (name) => parseFloat(new RegExp(`--${name}: ([\\d.]+)`).exec(tokens)?.[1] ?? "");
  const tints = [...people.matchAll(/--tint: (\d+)/g)].map((match) => Number(match[1]));
  assert.equal(tints.length, 24);
  for (const tint of tints) {
    const ratio = contrast(linear(1, 0, 0), linear(number("face-light") / 100, number("face-chroma"), tint));
    assert.ok(ratio >= 4.5, `tint ${tint}: ${ratio.toFixed(2)}`);
  }
});

test("a made-up pale token would be found", () => {
  assert.ok(contrast(linear(0.7, 0.1, 172), linear(1, 0, 0)) < 4.5);
  assert.ok(Math.abs(contrast(linear(1, 0, 0), linear(0, 0, 0)) - 21) < 0.01);
});
