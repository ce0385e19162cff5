/** What somebody chose in the player, kept in this browser: volume, speed, captions, quality. */

const PREFIX = "hubbub-player-";

/**
 * @param {"volume" | "rate" | "captions" | "quality"} name
 * @returns {string | null}
 */
export function chosen(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/**
 * @param {"volume" | "rate" | "captions" | "quality"} name
 * @param {string} value
 */
export function choose(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // It holds for this page.
  }
}
