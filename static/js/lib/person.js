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
 * Gives an element the colour of a person, or the picture that they have chosen.
 * @param {Element} element
 * @param {number} id
 */
export function paint(element, id) {
  for (const name of [...element.classList]) if (/^(?:tint|face)-+\d+$/.test(name)) element.classList.remove(name);
  element.classList.add(`tint-${tint(id)}`, `face-${id}`);
}

/**
 * Whose name or face was pressed, if that is what was pressed.
 * @param {Element} target
 * @returns {number}
 */
export function whoseIs(target) {
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a[href^='/people/']"));
  const written = link && /^\/people\/(\d+)$/.exec(link.pathname);
  if (written) return Number(written[1]);
  const face = target.closest("a, button") ? null : target.closest(".face");
  const owner = /** @type {HTMLElement | null | undefined} */ (face?.closest("[data-user]:not(body, .person-about)"));
  // What a stream says by itself is nobody's.
  return Math.max(0, Number(owner?.dataset.user ?? 0));
}

/**
 * Opens somebody's card beside what was pressed; its script is brought when it is first asked for.
 * @param {number} id
 * @param {Element} anchor
 */
export async function showCard(id, anchor) {
  const { openCard } = await import("../person/card.js");
  await openCard(id, anchor);
}

/**
 * Brings everybody's picture as it is now; what is shown stays until it is there.
 * @param {string} href the style sheet's address, or nothing when nobody has one
 */
export function showFaces(href) {
  const known = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[data-faces]"));
  if ((known?.getAttribute("href") ?? "") === href) return;
  if (!href) return known?.remove();
  const link = document.createElement("link");
  Object.assign(link, { rel: "stylesheet", href });
  link.dataset.faces = "";
  link.addEventListener("load", () => known?.remove());
  document.head.append(link);
}
