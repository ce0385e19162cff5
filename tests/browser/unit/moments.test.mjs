// Moments of a recording: how they are read and written.
import assert from "node:assert/strict";
import { test } from "node:test";

import { clock, readMoment } from "../../../static/js/lib/moments.js";

test("a moment is written as a clock shows it", () => {
  for (const [seconds, words] of [[0, "0:00"], [83.9, "1:23"], [3723, "1:02:03"], [NaN, "0:00"], [-4, "0:00"]]) assert.equal(clock(Number(seconds)), words);
});

test("a moment is read in every way people write one, and nothing else is", () => {
  const good = { 83: 83, "83s": 83, 83.5: 83.5, "1m23s": 83, "1h2m3s": 3723, "2m": 120, "1:23": 83, "01:02:03": 3723, 0: 0 };
  for (const [words, seconds] of Object.entries(good)) assert.equal(readMoment(words), seconds, words);
  for (const words of [null, "", "-3", "1:60", "abc", "1m2h", "1e9", "::", "9999999"]) assert.equal(readMoment(words), null, String(words));
});
