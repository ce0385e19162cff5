/** How well a few letters fit a name. */

/**
 * @param {string} query
 * @param {string} name
 * @returns {number} 0 when they don't fit, higher the better: begins with, a word begins with, contains, letters in this order
 */
export function fit(query, name) {
  const wanted = fold(query);
  const text = fold(name);
  if (!wanted) return 1;
  if (text.startsWith(wanted)) return 5 - length(text);
  if (text.split(/[\s\-_.#]+/u).some((word) => word.startsWith(wanted))) return 4 - length(text);
  if (text.includes(wanted)) return 3 - length(text);
  let at = 0;
  for (const letter of wanted) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return 0;
  }
  return 2 - length(text);
}

/** Of two that fit alike, the shorter one is meant. @param {string} text */
function length(text) {
  return Math.min(text.length, 99) / 100;
}

/** @param {string} text */
function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}
