// The outbox: nothing lost, nothing doubled, in order.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox, Sender, makeNonce } from "../../../static/js/lib/outbox.js";

/** A `Storage` of its own. */
function memory() {
  const values = new Map();
  return {
    get length() { return values.size; },
    key: (index) => [...values.keys()][index] ?? null,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

const entry = (nonce, at, room = 1) => ({ nonce, room, text: `text ${nonce}`, at });
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const refusal = (code) => Object.assign(new Error(code), { code, retryAfter: 1 });

test("a nonce has 128 bits and is never the same", () => {
  assert.match(makeNonce(), /^[0-9a-f]{32}$/);
  assert.notEqual(makeNonce(), makeNonce());
});

test("what is unsent survives a reload, for its own person only", () => {
  const storage = memory();
  new Outbox(storage, 7).put(entry("b", 2));
  new Outbox(storage, 7).put(entry("a", 1));
  storage.setItem("hubbub-outbox:7:broken", "{");
  assert.deepEqual(new Outbox(storage, 7).all().map(({ nonce }) => nonce), ["a", "b"]);
  assert.deepEqual(new Outbox(storage, 77).all(), []);
});

test("a full storage doesn't stop a message", () => {
  const storage = { ...memory(), length: 0, setItem: () => { throw new Error("full"); } };
  const outbox = new Outbox(storage, 7);
  outbox.put(entry("a", 1));
  assert.equal(outbox.all().length, 1);
});

test("messages go out in order, and again with the same nonce after a lost connection", async () => {
  const outbox = new Outbox(memory(), 7);
  const sent = [];
  let online = false;
  const sender = new Sender(outbox, async ({ nonce }) => {
    if (!online) throw refusal("offline");
    sent.push(nonce);
    return { seq: sent.length, rev: sent.length, at: 0 };
  }, { settled: () => {}, failed: () => assert.fail("failed"), wait: settle });
  outbox.put(entry("a", 1));
  outbox.put(entry("b", 2));
  sender.drain();
  await settle();
  assert.equal(outbox.all().length, 2);
  online = true;
  sender.drain();
  sender.drain();
  await settle();
  assert.deepEqual(sent, ["a", "b"]);
  assert.equal(outbox.all().length, 0);
});

test("a passing refusal waits, a lasting one stays with its reason and lets the next go", async () => {
  const outbox = new Outbox(memory(), 7);
  const failed = [];
  const sent = [];
  let limited = true;
  const sender = new Sender(outbox, async ({ nonce }) => {
    if (nonce === "a" && limited) { limited = false; throw refusal("rate_limited"); }
    if (nonce === "b") throw refusal("not_a_member");
    sent.push(nonce);
    return { seq: 1, rev: 1, at: 0 };
  }, { settled: () => {}, failed: ({ nonce }) => failed.push(nonce), wait: settle });
  for (const [index, nonce] of ["a", "b", "c"].entries()) outbox.put(entry(nonce, index));
  sender.drain();
  await settle();
  await settle();
  await settle();
  assert.deepEqual(sent, ["a", "c"]);
  assert.deepEqual(failed, ["b"]);
  assert.equal(outbox.get("b").error, "not_a_member");
});
