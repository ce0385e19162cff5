/** What somebody is about to name while they write: `@` a person, `#` a channel, `:` an emoji, `/` a command. No DOM. */

/** @typedef {{kind: "person" | "channel" | "emoji" | "command", start: number, query: string}} Token */

/** As long as the longest name of a channel. */
const REACH = 66;

/** @type {[Token["kind"], RegExp][]} a colon inside a word belongs to a time, an `@` to an address */
const SHAPES = [
  ["person", /(?:^|[^A-Za-z0-9_.+%/@\\-])(@[\p{L}\p{N}\p{M}_.-]{0,32})$/u],
  ["channel", /(?:^|[^A-Za-z0-9_/&#])(#[\p{L}\p{N}\p{M}_.-]{0,64})$/u],
  ["emoji", /(?:^|[^A-Za-z0-9:/])(:[a-z0-9_+-]{2,40})$/iu],
];

/**
 * @param {string} text
 * @param {number} caret
 * @returns {Token | null}
 */
export function tokenAt(text, caret) {
  const before = text.slice(0, caret);
  if (/^\/[a-z]*$/i.test(before)) return { kind: "command", start: 0, query: before.slice(1) };
  if (isInCode(before)) return null;
  const near = before.slice(-REACH);
  for (const [kind, shape] of SHAPES) {
    const match = shape.exec(near);
    if (match) return { kind, start: caret - match[1].length, query: match[1].slice(1) };
  }
  return null;
}

/** @param {string} before */
function isInCode(before) {
  if ((before.match(/```/g) ?? []).length % 2 === 1) return true;
  const line = before.slice(before.lastIndexOf("\n") + 1).replace(/```/g, "");
  return (line.match(/`/g) ?? []).length % 2 === 1;
}

/**
 * Whether a text calls everybody in its room, as the server will see it.
 * @param {string} text
 * @returns {boolean}
 */
export function callsEverybody(text) {
  const words = text.replace(/```[^]*?(?:```|$)|`[^`\n]*`/g, " ");
  return /(?:^|[^A-Za-z0-9_.+%/@\\-])@(?:all|here)(?![\p{L}\p{N}\p{M}_]|[.-][\p{L}\p{N}])/iu.test(words);
}
