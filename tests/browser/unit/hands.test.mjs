// Finding, stepping, words of the banner, and how much script there is.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { fit } from "../../../static/js/lib/find.js";
import { stepFrom } from "../../../static/js/lib/steps.js";
import { t } from "../../../static/js/lib/words.js";

const folder = fileURLToPath(new URL("../../../static/js", import.meta.url));
const scripts = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js")).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]);

test("a name that begins with the letters stands before one that contains them, and others are left out", () => {
  const order = ["lab", "labour", "big lab", "slab", "l-a-b"];
  const found = [...order].sort((a, b) => fit("lab", b) - fit("lab", a));
  assert.deepEqual(found, order);
  assert.equal(fit("lab", "board"), 0);
  assert.ok(fit("kova", "Mira Kovač") > fit("mk", "Mira Kovač"));
  assert.ok(fit("思", "陳思如") > 0);
  assert.equal(fit("", "anything"), 1);
});

test("steps go round at the ends, and over what has nothing new", () => {
  const places = [[true, false], [false, false], [false, true]].map(([isHere, isUnread]) => ({ isHere, isUnread }));
  assert.equal(stepFrom(places, 1, false), 1);
  assert.equal(stepFrom(places, -1, false), 2);
  assert.equal(stepFrom(places, 1, true), 2);
  assert.equal(stepFrom(places, -1, true), 2);
  assert.equal(stepFrom([places[0]], 1, false), -1);
  assert.equal(stepFrom(places.slice(1), 1, false), 0);
  assert.equal(stepFrom(places.slice(1), -1, false), 1);
  assert.equal(stepFrom([{ isHere: true, isUnread: true }], 1, true), -1);
});

test("a sentence takes its values", () => {
  assert.equal(t("{name} and {other} are typing", { name: "Ann", other: "{name}" }), "Ann and {name} are typing");
});

test("all script together is under 60 KB gzipped, no file over 300 lines", () => {
  const bytes = scripts.reduce((all, [, text]) => all + gzipSync(text, { level: 9 }).length, 0);
  assert.ok(bytes < 60_000, `${bytes} bytes`);
  for (const [name, text] of scripts) assert.ok(text.split("\n").length <= 301, name);
});
