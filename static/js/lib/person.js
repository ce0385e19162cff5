/** How somebody is drawn. Follows `Person` in `src/site/page.rs`. */

const TINTS = 24;

/** @param {number} id @returns {number} */
export function tint(id) {
  return ((id % TINTS) + TINTS) % TINTS;
}

/**
 * One or two letters; scripts without capitals say enough with one character.
 * @param {string} name
 * @returns {string}
 */
export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const first = Array.from(words[0] ?? "")[0] ?? "";
  const hasCase = first.toLowerCase() !== first.toUpperCase();
  const last = hasCase && words.length > 1 ? (Array.from(words[words.length - 1])[0] ?? "") : "";
  return (first + last).toUpperCase();
}

/**
 * Gives an element the colour of a person.
 * @param {Element} element
 * @param {number} id
 */
export function paint(element, id) {
  for (const name of [...element.classList]) if (name.startsWith("tint-")) element.classList.remove(name);
  element.classList.add(`tint-${tint(id)}`);
}
