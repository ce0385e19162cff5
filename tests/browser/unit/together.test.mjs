// Watching together, without a browser: where everybody is, how one comes there, and what the server's clock says.
import assert from "node:assert/strict";
import { test } from "node:test";

import { correction, positionAt } from "../../../static/js/lib/drift.js";
import { ServerTime, clockHere } from "../../../static/js/lib/servertime.js";

test("a position goes on with the server's clock while it plays", () => {
  const state = { playing: true, position: 10_000, rate: 1.5, at: 1000 };
  assert.equal(positionAt(state, 3000), 13_000);
  assert.equal(positionAt({ ...state, playing: false }, 3000), 10_000);
  assert.equal(positionAt(state, 500), 10_000, "a clock that is behind doesn't take it back");
});

test("little is made good by the speed, much by a jump, and nearly nothing not at all", () => {
  assert.deepEqual(correction(1500, 1, false), { jump: true, rate: 1 });
  assert.deepEqual(correction(-1500, 2, false), { jump: true, rate: 2 });
  assert.deepEqual(correction(30, 1, false), { jump: false, rate: 1 });
  assert.deepEqual(correction(10, 1, true), { jump: false, rate: 1 });
  assert.ok(correction(30, 1, true).rate < 1, "once begun it goes on until it is near");
  for (const drift of [50, 200, 900]) {
    const [ahead, behind] = [correction(drift, 1, false), correction(-drift, 1, false)];
    assert.ok(ahead.rate <= 0.95 && ahead.rate >= 0.9 && behind.rate >= 1.05 && behind.rate <= 1.1, `${drift}`);
  }
});

test("a player that is corrected comes near and stays there", () => {
  for (const start of [-990, -300, 45, 700]) {
    let drift = start;
    let rate = 1;
    for (let ms = 0; ms < 20_000; ms += 200) {
      rate = correction(drift, 1, rate !== 1).rate;
      drift += 200 * (rate - 1);
    }
    assert.ok(Math.abs(drift) < 20 && rate === 1, `from ${start} to ${drift}`);
  }
});

test("the quickest answer tells the server's clock", async () => {
  const ahead = 5000;
  const ways = [[80, 5], [2, 2], [1, 90]];
  const time = new ServerTime(async () => 0);
  let here = 1000;
  for (const [there, back] of ways) {
    time.note(here, here + there + ahead, here + there + back);
    here += 1000;
  }
  assert.ok(Math.abs(time.now - clockHere() - ahead) < 1, `${time.now - clockHere()}`);
  const asked = new ServerTime(async () => clockHere() + 300);
  await asked.measure(5);
  assert.ok(Math.abs(asked.now - clockHere() - 300) < 50);
});
