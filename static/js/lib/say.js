/** A word for the ear alone: what changed on the screen without a new place of its own. */

/** @type {HTMLElement | null} */
let line = null;

/** @param {string} words */
export function say(words) {
  if (!line) {
    line = document.createElement("p");
    line.className = "unseen";
    line.setAttribute("role", "status");
    document.body.append(line);
  }
  const place = line;
  place.textContent = "";
  // The same words again are news only after the line was empty.
  setTimeout(() => { place.textContent = words; }, 50);
}

/**
 * Copies a text, also without https, where scripts have no clipboard of their own.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** @param {string} text @returns {boolean} */
function copyBySelection(text) {
  const before = document.activeElement;
  const box = document.createElement("textarea");
  box.className = "unseen";
  box.value = text;
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  return done;
}
