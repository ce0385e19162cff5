// What the client knows of a room: held to the contract's `rev` rules without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";

import { CatchUp, RoomStore } from "../../../static/js/lib/store.js";

const message = (seq, rev, text = "") => ({ room: 1, seq, rev, user: 2, name: "Ann", at: 0, text });

test("the next rev moves on, and is shown once", () => {
  const store = new RoomStore(3);
  assert.equal(store.receive(message(4, 4)), true);
  assert.equal(store.have, 4);
  assert.equal(store.hasGap, false);
  assert.equal(store.receive(message(4, 4)), false);
});

test("a higher rev is a gap until changes fill it", () => {
  const store = new RoomStore(3);
  assert.equal(store.receive(message(6, 6)), true);
  assert.equal(store.have, 3);
  assert.equal(store.hasGap, true);
  const shown = store.catchUp({ messages: [message(4, 4), message(5, 5), message(6, 6)], rev: 6, more: false });
  assert.deepEqual(shown.map(({ seq }) => seq), [4, 5]);
  assert.equal(store.have, 6);
  assert.equal(store.hasGap, false);
});

test("an older rev never covers a newer one", () => {
  const store = new RoomStore(0);
  store.receive(message(1, 1));
  store.receive(message(1, 2, "edited"));
  assert.equal(store.know(message(1, 1)), false);
  assert.equal(store.have, 2);
});

test("revs beyond the hole count once it is filled", () => {
  const store = new RoomStore(0);
  store.receive(message(3, 3));
  store.receive(message(2, 2));
  assert.equal(store.have, 0);
  store.receive(message(1, 1));
  assert.equal(store.have, 3);
});

/** A server that keeps messages and answers `changes` in small pages. */
function fakeServer(limit) {
  const latest = new Map();
  let rev = 0;
  return {
    change: (seq, text) => {
      latest.set(seq, message(seq, ++rev, text));
      return latest.get(seq);
    },
    changes: async (after) => {
      const all = [...latest.values()].filter((one) => one.rev > after).sort((a, b) => a.rev - b.rev);
      const messages = all.slice(0, limit);
      const more = all.length > limit;
      return { messages, more, rev: more ? messages.at(-1).rev : rev };
    },
    state: () => [...latest.values()].map(({ seq, text }) => [seq, text]).sort((a, b) => a[0] - b[0]),
  };
}

test("whatever is dropped on the way, the state equals a fresh read", async () => {
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round++) {
    const server = fakeServer(3);
    const store = new RoomStore(0);
    const shown = new Map();
    const show = (one) => shown.set(one.seq, one.text);
    const catchUp = new CatchUp(store, server.changes, { show, reset: () => assert.fail("reset"), later: () => {} });
    let last = 0;
    for (let step = 0; step < 40; step++) {
      const seq = last === 0 || random() < 0.7 ? ++last : 1 + Math.floor(random() * last);
      const live = server.change(seq, `text ${step}`);
      if (random() < 0.4) continue;
      if (store.receive(live)) show(live);
      if (store.hasGap && random() < 0.5) await catchUp.run();
    }
    await catchUp.run();
    assert.deepEqual([...shown].sort((a, b) => a[0] - b[0]), server.state());
    assert.equal(store.hasGap, false);
  }
});

test("a reset rereads, and a refusal is asked again later", async () => {
  let resets = 0;
  const reset = new CatchUp(new RoomStore(9), async () => ({ messages: [], rev: 0, more: false, reset: true }), {
    show: () => {}, reset: () => resets++, later: () => {},
  });
  await reset.run();
  assert.equal(resets, 1);
  const waits = [];
  const refuse = (code) => async () => { throw Object.assign(new Error(code), { code, retryAfter: 50 }); };
  const way = { show: () => {}, reset: () => {}, later: (_run, ms) => waits.push(ms) };
  await new CatchUp(new RoomStore(0), refuse("rate_limited"), way).run();
  await new CatchUp(new RoomStore(0), refuse("offline"), way).run();
  assert.deepEqual(waits, [50]);
});
