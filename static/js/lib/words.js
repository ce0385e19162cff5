/** What scripts say, in the page's language. The English sentence is the key; the build checks that each has words. */

/** @type {string} BCP 47 */
export const language = typeof document === "undefined" ? "en" : document.documentElement.lang || "en";

/** @type {Record<string, string>} */
let words = {};
if (language !== "en") {
  try {
    words = (await import(`./words.${language}.js`)).default;
  } catch {
    // Without its words the page still works, in English.
  }
}

/** Sentences with blanks, as expressions that know them filled. @type {{shape: RegExp, names: string[], sentence: string}[]} */
const shapes = Object.keys(words).filter((sentence) => /\{\w+\}.*\.$/.test(sentence)).map((sentence) => ({
  shape: new RegExp(`^${sentence.split(/\{\w+\}/).map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("(.*)")}$`, "s"),
  names: [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1]),
  sentence,
}));

/**
 * The words for an English sentence, its blanks filled.
 * @param {string} sentence
 * @param {Record<string, unknown>} [values]
 * @returns {string}
 */
export function t(sentence, values = {}) {
  return fill(words[sentence] ?? sentence, values);
}

/**
 * The words for a sentence that the server made, filled already.
 * @param {string} sentence
 * @returns {string}
 */
export function said(sentence) {
  if (words[sentence]) return words[sentence];
  for (const { shape, names, sentence: known } of shapes) {
    const match = shape.exec(sentence);
    if (match) return t(known, Object.fromEntries(names.map((name, index) => [name, match[index + 1]])));
  }
  return sentence;
}

/** @param {string} text @param {Record<string, unknown>} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (blank, name) => (name in values ? String(values[name]) : blank));
}
