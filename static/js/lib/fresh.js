/** A page fetched anew, so that parts of it take the place of what stands here. */

/**
 * @param {string} [address] this page's own unless told
 * @param {AbortSignal} [signal]
 * @returns {Promise<Document | null>} what is refused has a page too; nothing without a connection, or once `signal` has ended
 */
export async function freshPage(address = location.href, signal) {
  try {
    const answer = await fetch(address, { signal, headers: { accept: "text/html" } });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
}

/**
 * Puts parts of a fresh page in the places of their old selves. What only one of the two pages has is left alone; whoever is on
 * a button or in a field is on its new self then.
 * @param {Document | null} page
 * @param {string[]} parts selectors
 * @returns {boolean} whether all of them were there
 */
export function takeOver(page, ...parts) {
  return parts.map((part) => {
    const [old, now] = [document.querySelector(part), page?.querySelector(part)];
    if (!old || !now) return false;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(document.adoptNode(now));
    if (focused) newSelf(focused, now)?.focus({ preventScroll: true });
    return true;
  }).every(Boolean);
}

/** @param {Element} old @param {Element} part @returns {HTMLElement | undefined} */
function newSelf(old, part) {
  const wanted = sign(old);
  return /** @type {HTMLElement[]} */ ([...part.querySelectorAll(old.localName)]).find((one) => sign(one) === wanted);
}

/** What tells buttons, links and fields of a page apart. @param {Element} one */
function sign(one) {
  const told = ["id", "name", "value", "href", "aria-label"].map((name) => one.getAttribute(name));
  return [...told, one.textContent?.trim()].join("\n");
}
