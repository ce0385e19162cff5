// Small rules that the page and the server share.
import assert from "node:assert/strict";
import { test } from "node:test";

import { follows } from "../../../static/js/lib/arrange.js";
import { callsMe } from "../../../static/js/lib/call.js";
import { tidy, tooLong } from "../../../static/js/lib/draft.js";
import { initials, tint } from "../../../static/js/lib/person.js";
import { Rooms } from "../../../static/js/lib/rooms.js";
import { waitBefore } from "../../../static/js/lib/socket.js";
import { ago } from "../../../static/js/lib/time.js";

test("initials follow the server's rule", () => {
  const expected = { "Mira Kovač": "MK", "ana maria lima": "AL", Cher: "C", "陳思如": "陳", "陳 思如": "陳", "7 of nine": "7", " ": "" };
  for (const [name, letters] of Object.entries(expected)) assert.equal(initials(name), letters, name);
});

test("a tint is one of 24", () => {
  assert.equal(tint(25), 1);
  assert.equal(tint(-1), 23);
});

test("waits are 0.2 to 1 s for as long as a restart takes, then 5 s at most", () => {
  assert.equal(waitBefore(0, () => 0), 200);
  assert.equal(waitBefore(0, () => 1), 1000);
  assert.equal(waitBefore(40, () => 1), 1000);
  assert.equal(waitBefore(500, () => 1), 5000);
});

test("unread is last_seq minus read_seq, and one's own message is read", () => {
  const rooms = new Rooms();
  rooms.reset([{ id: 1, kind: "channel", name: "a", last_seq: 5, rev: 5, read_seq: 3 }]);
  assert.equal(rooms.unread(1), 2);
  rooms.receive({ room: 1, seq: 6, rev: 6, user: 9 }, 7);
  assert.equal(rooms.unread(1), 3);
  rooms.receive({ room: 1, seq: 2, rev: 7, user: 7 }, 7);
  assert.equal(rooms.unread(1), 3);
  rooms.receive({ room: 1, seq: 7, rev: 8, user: 7 }, 7);
  assert.equal(rooms.unread(1), 0);
  assert.equal(rooms.read(1, 2), false);
  rooms.put({ id: 1, gone: true });
  assert.equal(rooms.get(1), undefined);
});

test("news of a room are laid over what is known of it, and make no room of their own", () => {
  const rooms = new Rooms();
  rooms.reset([{ id: 1, kind: "channel", name: "a", last_seq: 5, rev: 5, read_seq: 3, members: 2 }]);
  rooms.put({ id: 1, members: 3 });
  assert.deepEqual(rooms.get(1), { id: 1, kind: "channel", name: "a", last_seq: 5, rev: 5, read_seq: 3, members: 3, mentions: 0 });
  rooms.put({ id: 2, members: 9 });
  assert.equal(rooms.get(2), undefined);
});

test("what counts depends on the level, and a call counts until it is read anywhere", () => {
  const rooms = new Rooms();
  const room = { id: 1, kind: "channel", name: "a", last_seq: 5, rev: 5, read_seq: 5, mentions: 0, level: "all" };
  rooms.reset([room]);
  rooms.receive({ room: 1, seq: 6, rev: 6, user: 9 }, 7, false);
  rooms.receive({ room: 1, seq: 7, rev: 7, user: 9 }, 7, true);
  rooms.receive({ room: 1, seq: 7, rev: 8, user: 9 }, 7, true);
  assert.deepEqual([rooms.count(1), rooms.label(1), rooms.isCalled(1)], [2, "@2", true]);
  // A room as others see it says nothing of my calls; one that was read for me does.
  rooms.put({ id: 1, kind: "channel", name: "b", last_seq: 7, rev: 8, read_seq: 0, mentions: 0 });
  assert.equal(rooms.label(1), "@2");
  rooms.put({ id: 1, level: "mentions", mentions: 1 });
  assert.deepEqual([rooms.count(1), rooms.wants(1, false), rooms.wants(1, true)], [1, false, true]);
  rooms.put({ id: 1, level: "none", mentions: 1 });
  assert.deepEqual([rooms.count(1), rooms.isCalled(1), rooms.wants(1, true)], [0, false, false]);
  rooms.put({ id: 1, level: "all", mentions: 1 });
  assert.equal(rooms.read(1, 6, 1), true);
  assert.equal(rooms.label(1), "@1");
  assert.equal(rooms.read(1, 7), true);
  assert.deepEqual([rooms.count(1), rooms.isCalled(1)], [0, false]);
  rooms.readBack(1, 5, 1);
  assert.deepEqual([rooms.unread(1), rooms.label(1)], [2, "@2"]);
});

test("who is called is what the server has marked", () => {
  const html = '<p>hi <span class="hb-mention" data-name="ann">@Ann</span></p>';
  assert.equal(callsMe({ html }, "ann"), true);
  assert.equal(callsMe({ html }, "an"), false);
  assert.equal(callsMe({}, "ann"), false);
  assert.equal(callsMe({ to_all: true }, ""), true);
});

test("messages of one author stand together for five minutes", () => {
  const at = (user, minutes) => ({ user, at: Date.UTC(2026, 10, 20, 12, minutes) });
  assert.equal(follows(null, at("1", 0)), false);
  assert.equal(follows(at("1", 0), at("1", 4)), true);
  assert.equal(follows(at("1", 0), at("1", 5)), false);
  assert.equal(follows(at("1", 0), at("2", 1)), false);
});

test("a text is tidied, and its length counted in characters", () => {
  assert.equal(tidy("\r\n \n  code\r\nmore \n"), "  code\nmore");
  assert.equal(tooLong("😀".repeat(4000)), "");
  assert.match(tooLong("😀".repeat(4001)), /one character too long/);
});

test("recent times are relative", () => {
  const now = Date.now();
  assert.equal(ago(now, now), "just now");
  assert.equal(ago(now + 5000, now), "just now");
});
