/** The word about a lost connection: only when it lasts, and always with what happens to what one has written. */
import { live } from "./live.js";
import { isWaiting } from "./outbox.js";
import { t } from "./words.js";

/** @returns {string} */
export function offlineWords(unsent = live.outbox.all().filter(isWaiting).length) {
  if (unsent === 0) return t("You are offline. What you write is kept and goes out when you are back.");
  if (unsent === 1) return t("You are offline. One message will go out when you are back.");
  return t("You are offline. {count} messages will go out when you are back.", { count: inWords(unsent) });
}

/** Small numbers read better as words. @param {number} n @returns {string | number} */
function inWords(n) {
  const words = [t("Two"), t("Three"), t("Four"), t("Five"), t("Six"), t("Seven"), t("Eight"), t("Nine")];
  return words[n - 2] ?? n;
}
