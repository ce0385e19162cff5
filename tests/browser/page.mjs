// What a test does and sees on a page; whatever waits has a deadline and says what it saw instead.
import assert from "node:assert/strict";

/** Longer than anything takes on a busy machine; whoever waits this long has failed. */
export const DEADLINE = 20_000;

/** Only for what must not happen, or where time itself is the matter: everything else is waited for with `until`. */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `look` answers with something true. */
export async function until(look, what, ms = DEADLINE) {
  const end = Date.now() + ms;
  let last;
  while (Date.now() < end) {
    last = await look();
    if (last) return last;
    await pause(40);
  }
  throw new Error(`waited ${ms} ms in vain for ${what}; last: ${JSON.stringify(last)}`);
}

/** Scripts on their way, for each page. @type {WeakMap<object, Set<object>>} */
const coming = new WeakMap();

/** Counts the scripts that a page asks for, for `ready`. */
export function watchScripts(page) {
  const scripts = new Set();
  coming.set(page, scripts);
  page.on("request", (request) => { if (request.resourceType() === "script") scripts.add(request); });
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (request) => scripts.delete(request));
}

/**
 * Until the page's socket has had its `ready` and the parts that come after its first moment are there; a test's hands are
 * quicker than a person's. From then on `live` is the page's own, for a test to ask.
 */
export async function ready(page) {
  await page.waitForFunction(async () => {
    const path = [...document.scripts].map(({ src }) => src).find((src) => src.includes("/site/shell.js"));
    const { live } = await import(path.replace("/site/shell.js", "/lib/live.js"));
    globalThis.live = live;
    return live.ready !== null && live.socket.isOpen;
  });
  const scripts = coming.get(page);
  // One that has come may ask for the next.
  for (let still = 0; still < 3; still = scripts.size === 0 ? still + 1 : 0) {
    await until(() => scripts.size === 0, "the page's scripts");
    await page.evaluate(() => new Promise((done) => { setTimeout(done); }));
  }
}

/** Opens a channel by its page, creating it first. */
export async function createChannel(page, name) {
  await page.goto("/channels");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
}

/** Joins a channel by its page. */
export async function joinChannel(page, name) {
  await page.goto(`/c/${encodeURIComponent(name)}`);
  await page.getByRole("button", { name: /^Join/ }).click();
  await page.locator("chat-composer textarea").waitFor();
}

/** Writes in the open channel. Before its script is there, Enter is only a new line in the box. */
export async function say(page, text) {
  await page.waitForFunction(() => customElements.get("chat-composer") !== undefined);
  const box = page.locator("chat-composer textarea");
  await box.fill(text);
  await box.press("Enter");
}

/** The texts that the open channel shows, from top to bottom. */
export const texts = (page) => page.$$eval(".messages > .message .message-text", (all) => all.map((one) => one.textContent));

/** How many messages the open channel shows that are not stored yet. */
export const pending = (page) => page.$$eval(".message[data-state]", (all) => all.length);

/** Waits until the open channel shows exactly these texts, in this order. */
export async function shows(page, wanted) {
  let seen = [];
  const same = async () => {
    seen = await texts(page).catch(() => []);
    return JSON.stringify(seen) === JSON.stringify(wanted);
  };
  await until(same, "the texts").catch(() => assert.deepEqual(seen, wanted));
}

/** Sends many messages over a socket of the page's own, in order: several times as quick as one call for each. */
export function flood(page, room, count, word = "line") {
  return page.evaluate(([id, wanted, words]) => new Promise((good, bad) => {
    const socket = new WebSocket("/ws", "hubbub.v1");
    let sent = 0;
    let stored = 0;
    const send = () => {
      sent += 1;
      socket.send(JSON.stringify({ type: "send", id: sent, room: id, nonce: `${words}-${sent}`.padEnd(20, "-"), text: `${words} ${sent}` }));
    };
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      // So many on the way fill the server's batches, and their answers stay below what a connection may owe.
      if (frame.type === "ready") while (sent < Math.min(wanted, 400)) send();
      if (frame.type !== "reply") return;
      if (!frame.ok) bad(new Error(data));
      stored += 1;
      if (sent < wanted) send();
      if (stored === wanted) good(socket.close());
    };
    socket.onclose = ({ code }) => bad(new Error(`closed with ${code} after ${stored} of ${wanted}`));
  }), [room.id, count, word]);
}
