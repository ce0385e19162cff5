// What is being named while one writes, and which emoji fit a few letters.
import assert from "node:assert/strict";
import { test } from "node:test";

import { searchEmoji } from "../../../static/js/lib/emoji.js";
import { callsEverybody, tokenAt } from "../../../static/js/lib/token.js";

const at = (text) => {
  const caret = text.indexOf("|");
  const token = tokenAt(text.replace("|", ""), caret);
  return token && `${token.kind} ${token.start} ${token.query}`;
};

test("a sign and a few letters name something", () => {
  const expected = {
    "@|": "person 0 ", "hi @an|": "person 3 an", "(@an|)": "person 1 an", "請@陳|": "person 1 陳", "#la|": "channel 0 la", "在#實|": "channel 1 實",
    "yes :ta|": "emoji 4 ta", "好:ta|": "emoji 1 ta", "/|": "command 0 ", "/to|": "command 0 to", "``` @a\n```\n@b|": "person 11 b",
  };
  for (const [text, token] of Object.entries(expected)) assert.equal(at(text), token, text);
});

test("addresses, times, code and ordinary words name nothing", () => {
  for (const text of ["ann@ex|", "10:30|", ":)|", ":D|", "a :|", "std::ab|", "a#b|", "x/@an|", "`@an|", "```\n@an|", "/topic new|", " /to|", "@an b|", "https://a.org/#to|", "//sh|"]) {
    assert.equal(at(text), null, text);
  }
});

test("everybody is called outside of code and addresses only", () => {
  for (const text of ["@all", "hey @here!", "@ALL: now", "請@all 看", "@all."]) assert.ok(callsEverybody(text), text);
  for (const text of ["`@all`", "```\n@all\n```", "x@all", "@allen", "@all_", "all", "@all.of"]) assert.ok(!callsEverybody(text), text);
});

test("the best emoji comes first", () => {
  const groups = [{ group: "g", emoji: [
    { char: "🧡", name: "orange heart", codes: ["orange_heart"] },
    { char: "❤️", name: "red heart", codes: ["heart"] },
    { char: "😍", name: "smiling face with heart-eyes", codes: ["heart_eyes"] },
    { char: "🎉", name: "party popper", codes: ["tada"] },
  ] }];
  const found = (query) => searchEmoji(groups, query, 3).map(({ char }) => char).join("");
  assert.equal(found("heart"), "❤️😍🧡");
  assert.equal(found("party"), "🎉");
  assert.equal(found("tada"), "🎉");
  assert.equal(found("zz"), "");
  assert.equal(found(""), "");
});
