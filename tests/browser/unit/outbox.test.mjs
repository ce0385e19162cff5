// The outbox: nothing lost, nothing doubled, in order.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox, makeNonce } from "../../../static/js/lib/outbox.js";
import { Sender } from "../../../static/js/lib/sender.js";

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

/** A disk; `isBroken` keeps nothing. */
function disk(isBroken = false) {
  const values = new Map();
  return {
    all: async () => [...values.values()],
    has: async (nonce) => values.has(nonce),
    put: async (one) => { if (!isBroken) values.set(one.nonce, one); return !isBroken; },
    remove: async (nonce) => void values.delete(nonce),
  };
}

const entry = (nonce, at, room = 1) => ({ nonce, room, text: `text ${nonce}`, at });
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));
const refusal = (code) => Object.assign(new Error(code), { code, retryAfter: 1 });

test("a nonce has 128 bits and is never the same", () => {
  assert.match(makeNonce(), /^[0-9a-f]{32}$/);
  assert.notEqual(makeNonce(), makeNonce());
});

test("what is unsent survives a reload, and the journal is struck once the disk has it", async () => {
  const [keeper, journal] = [disk(), memory()];
  const outbox = new Outbox(keeper, journal, 7);
  outbox.put(entry("b", 2));
  outbox.put(entry("a", 1));
  assert.equal(journal.length, 2);
  await settle();
  assert.equal(journal.length, 0);
  journal.setItem("hubbub-outbox:7:broken", "{");
  const again = new Outbox(keeper, journal, 7);
  assert.deepEqual((await again.open()).map(({ nonce }) => nonce), ["a", "b"]);
  assert.deepEqual(again.all().map(({ nonce }) => nonce), ["a", "b"]);
});

test("a page that is left before the disk has it leaves it in the journal, for its own person only", async () => {
  const journal = memory();
  new Outbox(disk(true), journal, 7).put(entry("a", 1));
  await settle();
  const keeper = disk();
  assert.deepEqual((await new Outbox(keeper, journal, 7).open()).map(({ nonce }) => nonce), ["a"]);
  await settle();
  assert.equal(journal.length, 0);
  assert.equal((await keeper.all()).length, 1);
  assert.deepEqual(await new Outbox(disk(), journal, 77).open(), []);
});

test("a full storage doesn't stop a message", () => {
  const journal = { ...memory(), length: 0, setItem: () => { throw new Error("full"); } };
  const outbox = new Outbox(disk(true), journal, 7);
  outbox.put(entry("a", 1));
  assert.equal(outbox.all().length, 1);
});

test("two tabs that wait for each other send each message once", async () => {
  const [keeper, journal] = [disk(), memory()];
  const sent = [];
  let turn = Promise.resolve();
  const alone = (_, run) => { turn = turn.then(run); return turn; };
  const tab = () => {
    const outbox = new Outbox(keeper, journal, 7);
    const send = async ({ nonce }) => { sent.push(nonce); await settle(); return { seq: 1, rev: 1, at: 0 }; };
    const done = [];
    const finished = ({ nonce }) => done.push(nonce);
    return [outbox, new Sender(outbox, send, { settled: finished, failed: () => {}, gone: finished, wait: settle, alone }), done];
  };
  const [[one, first, ofOne], [two, second, ofTwo]] = [tab(), tab()];
  for (const nonce of ["a", "b", "c"]) { one.put(entry(nonce, 1)); two.learn(entry(nonce, 1)); }
  first.drain();
  second.drain();
  await turn;
  await settle();
  await turn;
  assert.deepEqual(sent, ["a", "b", "c"]);
  assert.deepEqual([one.all(), two.all()], [[], []]);
  // No word passed between them: each still learns of every message that it waits for it no more.
  assert.deepEqual([ofOne, ofTwo], [["a", "b", "c"], ["a", "b", "c"]]);
});

test("messages go out in order, and again with the same nonce after a lost connection", async () => {
  const outbox = new Outbox(disk(), memory(), 7);
  const sent = [];
  let online = false;
  const sender = new Sender(outbox, async ({ nonce }) => {
    if (!online) throw refusal("offline");
    sent.push(nonce);
    return { seq: sent.length, rev: sent.length, at: 0 };
  }, { settled: () => {}, failed: () => assert.fail("failed"), gone: () => assert.fail("gone"), wait: settle });
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
  const outbox = new Outbox(disk(), memory(), 7);
  const failed = [];
  const sent = [];
  let limited = true;
  const sender = new Sender(outbox, async ({ nonce }) => {
    if (nonce === "a" && limited) { limited = false; throw refusal("rate_limited"); }
    if (nonce === "b") throw refusal("not_a_member");
    sent.push(nonce);
    return { seq: 1, rev: 1, at: 0 };
  }, { settled: () => {}, failed: ({ nonce }) => failed.push(nonce), gone: () => assert.fail("gone"), wait: settle });
  for (const [index, nonce] of ["a", "b", "c"].entries()) outbox.put(entry(nonce, index));
  sender.drain();
  await settle();
  await settle();
  await settle();
  assert.deepEqual(sent, ["a", "c"]);
  assert.deepEqual(failed, ["b"]);
  assert.equal(outbox.get("b").error, "not_a_member");
});
