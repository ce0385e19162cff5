// Finding, stepping, words of the banner, and how much script there is.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { fit } from "../../../static/js/lib/find.js";
import { stepFrom } from "../../../static/js/lib/steps.js";
import { t } from "../../../static/js/lib/words.js";

const root = new URL("../../../", import.meta.url);
/** @returns {[string, string][]} the files of a folder, by name */
function read(path, ending) {
  const folder = fileURLToPath(new URL(path, root));
  return readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending)).map((name) => [name, readFileSync(`${folder}/${name}`, "utf8")]);
}
const scripts = read("static/js", ".js");
const templates = read("templates", ".html");

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

/** A script with all that it imports; what waits until the page is idle or somebody asks for it isn't counted. */
function brought(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  const text = readFileSync(new URL(path, root), "utf8");
  for (const [, next] of text.matchAll(/from "([^"]+)"/g)) brought(posix.join(posix.dirname(path), next), found);
  return found;
}

test("the script of any page is under 60 KB gzipped, no file over 320 lines", () => {
  const pages = templates.map(([name, text]) => [name, [...text.matchAll(/url\("(js\/[^"]+)"\)/g)].map(([, path]) => `static/${path}`)]);
  for (const [name, entries] of pages.filter(([, entries]) => entries.length > 0)) {
    const files = new Set(["static/js/site/shell.js", ...entries].flatMap((entry) => [...brought(entry)]));
    const bytes = [...files].reduce((all, path) => all + gzipSync(readFileSync(new URL(path, root)), { level: 9 }).length, 0);
    assert.ok(bytes < 60_000, `${name}: ${bytes} bytes`);
  }
  for (const [name, text] of scripts) assert.ok(text.split("\n").length <= 321, name);
});
