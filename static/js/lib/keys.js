/** Which keys belong to whom: nothing is taken from somebody who types elsewhere. */

const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";

/**
 * Whether the key belongs to a field other than the page's own box to write in.
 * @param {EventTarget | null} target
 * @returns {boolean}
 */
export function isTyping(target) {
  const field = target instanceof Element ? target.closest(FIELDS) : null;
  return field !== null && !field.closest("chat-composer");
}

/** @param {EventTarget | null} target @returns {boolean} whether a letter would be written there */
export function takesLetters(target) {
  if (!(target instanceof Element)) return false;
  const field = target.closest(FIELDS);
  return field !== null && !field.matches("input:is([type=checkbox], [type=radio], [type=range], [type=button], [type=submit])");
}

/** An Apple keyboard has ⌘ where others have Ctrl. */
export const isApple = typeof navigator !== "undefined" && /Mac|iP(hone|ad)/.test(navigator.platform ?? "");

/** @param {KeyboardEvent} event @returns {boolean} */
export function hasCommand(event) {
  return isApple ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey;
}

/** @returns {boolean} whether `/` and `?` alone do something; the sheet of keys can turn them off */
export function singleKeys() {
  try {
    return localStorage.getItem("hubbub-single-keys") !== "off";
  } catch {
    return true;
  }
}
