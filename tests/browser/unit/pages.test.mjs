// What the content security policy and the design ask of every template and style, read from the files.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = new URL("../../../", import.meta.url);

function files(folder, ending) {
  const path = fileURLToPath(new URL(folder, root));
  return readdirSync(path, { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => [`${folder}/${name}`, readFileSync(`${path}/${name}`, "utf8")]);
}

test("no template carries a style, a handler or a script of its own", () => {
  for (const [name, text] of files("templates", ".html")) {
    assert.doesNotMatch(text, /\sstyle=|<style/i, name);
    assert.doesNotMatch(text, /\son[a-z]+=/i, name);
    for (const [script] of text.matchAll(/<script[^>]*>/gi)) assert.match(script, /\ssrc=/, name);
  }
});

test("every address of a file exists", () => {
  for (const [name, text] of files("templates", ".html")) {
    for (const [, path] of text.matchAll(/assets::url\("([^"]+)"\)/g)) {
      assert.doesNotThrow(() => readFileSync(new URL(`static/${path}`, root)), `${name}: ${path}`);
    }
  }
});

test("every icon that is named is drawn", () => {
  const drawn = readFileSync(new URL("static/icons.svg", root), "utf8");
  for (const [name, text] of files("templates", ".html")) {
    for (const [, icon] of text.matchAll(/page::icon\("([^"]+)"\)/g)) assert.ok(drawn.includes(`id="${icon}"`), `${name}: ${icon}`);
  }
});

test("only the tokens and the people's colours name a raw colour", () => {
  for (const [name, text] of files("static/css", ".css")) {
    if (/tokens|people/.test(name)) continue;
    assert.doesNotMatch(text, /#[0-9a-f]{3,8}\b(?![^{}]*\{)|rgba?\(|hsla?\(|oklch\(/i, name);
  }
});

test("HTML is inserted in one place", () => {
  const places = files("static/js", ".js").flatMap(([name, text]) => (text.match(/innerHTML|insertAdjacentHTML|outerHTML/g) ?? []).map(() => name));
  assert.deepEqual(places, ["static/js/lib/message.js"]);
});

test("elements import from lib alone", () => {
  for (const [name, text] of files("static/js", ".js")) {
    const allowed = name.includes("/lib/") ? /^\.\/[a-z]+\.js$/ : /^\.\.\/lib\/[a-z]+\.js$/;
    for (const [, path] of text.matchAll(/from "([^"]+)"/g)) assert.match(path, allowed, name);
  }
});
