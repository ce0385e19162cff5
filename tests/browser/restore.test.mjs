// A backup is put back under pages that are open: they start afresh, with what is there then.
import assert from "node:assert/strict";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { House, PASSWORD } from "./house.mjs";
import { pending, ready, say, shows, texts, until } from "./page.mjs";

let house, ann;

before(async () => {
  house = await House.open();
  ann = await house.person("ann");
  await ann.channel("talk");
});
after(() => house?.close());

// The browser itself says that it could not reach a dead server, and that it is signed out.
const DEAD = /ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|WebSocket connection|Failed to load resource/;

const stored = (page) => until(async () => (await pending(page)) === 0, "it to be stored");

test("after a restore an open page wants to know who it is, and shows what was put back", { timeout: 60_000 }, async () => {
  const page = await house.visit(ann, "/c/talk");
  await say(page, "in the backup");
  await shows(page, ["in the backup"]);
  await stored(page);
  await house.command("backup", "all.tar");
  await say(page, "after the backup");
  await shows(page, ["in the backup", "after the backup"]);
  // What the server hasn't acknowledged would be sent again, and rightly.
  await stored(page);
  await house.stop("SIGTERM");
  await rename(join(house.folder, "data"), join(house.folder, "data.old"));
  await mkdir(join(house.folder, "data"));
  assert.match(await house.command("restore", "all.tar"), /1 messages .* are back/);
  await house.start();
  await page.waitForURL(/\/login\?next=%2Fc%2Ftalk/);
  await page.getByLabel("User name").locator("visible=true").fill("ann");
  await page.getByLabel("Password").locator("visible=true").fill(PASSWORD);
  await page.getByRole("button", { name: "Log in" }).locator("visible=true").click();
  await page.waitForURL("**/c/talk");
  await ready(page);
  assert.deepEqual(await texts(page), ["in the backup"]);
  await say(page, "goes on");
  await shows(page, ["in the backup", "goes on"]);
  await page.context().close();
  house.quiet(DEAD);
});

test("a page whose sign-in is still good is read afresh when the epoch is another one", { timeout: 60_000 }, async () => {
  const bob = await house.person("bob");
  const context = await house.visitor();
  // In the page: Playwright's own way between a page and its socket lets a first frame by unseen now and then.
  await context.addInitScript(() => {
    const another = (words) => {
      if (!words.startsWith('{"type":"ready"')) return words;
      const met = Number(sessionStorage.met ?? 0) + 1;
      sessionStorage.met = met;
      // The first page and the socket that comes back to it see two epochs, the page that is read afresh the second one again.
      return words.replace(/"epoch":"[^"]*"/, `"epoch":"number ${Math.min(met, 2)}"`);
    };
    globalThis.WebSocket = class extends WebSocket {
      addEventListener(type, run) {
        super.addEventListener(type, type === "message" ? (event) => run(new MessageEvent(type, { data: another(event.data) })) : run);
      }
    };
  });
  const page = await house.enter(context, bob, "/c/talk");
  await page.evaluate(() => { document.body.dataset.old = "yes"; });
  await house.stop("SIGKILL");
  await house.start();
  await until(async () => (await page.locator("body[data-old]").count().catch(() => 1)) === 0, "the page to be read afresh");
  await ready(page);
  // Once: what it has now is of that epoch.
  assert.equal(await page.evaluate(() => sessionStorage.met), "3");
  await page.context().close();
  house.quiet(DEAD);
});
