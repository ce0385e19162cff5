// What is known of a stream's readings, and how they are written.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Course, decimalsOf, labelOf, Readings, ticks, written } from "../../../static/js/lib/readings.js";

const sample = (seq, fields, more = {}) => ({ seq, at: 1000 * seq, fields, ...more });

test("samples are kept in order, once, and no more than the server keeps", () => {
  const readings = new Readings();
  for (let seq = 1; seq <= 4000; seq += 1) readings.add(sample(seq, { a: seq, word: "x" }, { picture: seq % 10 === 0, out: seq === 3999 ? ["a"] : undefined }));
  assert.equal(readings.add(sample(4000, { a: 0 })), false);
  assert.equal(readings.samples.length, 3600);
  assert.equal(readings.courses.has("word"), false);
  const course = readings.course("a");
  assert.equal(course.points.length, 3600);
  assert.deepEqual(course.upTo(3_999_500), { at: 3_999_000, value: 3999, seq: 3999, out: true });
  assert.equal(course.upTo(1), undefined);
  assert.deepEqual(course.within(3_998_500, 3_999_500).map(({ value }) => value), [3998, 3999]);
  assert.equal(readings.pictureUpTo(3_999_000)?.seq, 3990);
  assert.equal(readings.upTo(Infinity)?.seq, 4000);
  assert.deepEqual([readings.usual, new Readings().usual], [1000, 0]);
});

test("a number has as many decimals as its neighbours, six digits at most", () => {
  assert.deepEqual([150, 150.5, 150.123456, 0.00012, 1e9 + 0.5].map(decimalsOf), [0, 1, 3, 5, 0]);
  const course = new Course();
  for (const value of [150.25, 150.5]) course.add({ at: 0, value, seq: 0, out: false });
  assert.equal(course.write(150.5), "150.50");
  assert.equal(written(1e-9, 3), "1.000e-9");
  assert.equal(labelOf("beam_energy"), "beam energy");
  assert.equal(labelOf("_"), "_");
});

test("axes have round numbers", () => {
  assert.deepEqual(ticks(0, 10, 3), [0, 5, 10]);
  assert.deepEqual(ticks(149.4, 150.6, 3), [149.5, 150, 150.5]);
  assert.deepEqual(ticks(5, 5, 3), [5]);
  assert.ok(ticks(-1e-7, 1e-7, 3).length >= 3);
});
