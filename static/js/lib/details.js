/** What stands beside a conversation on demand, for whoever wants to open it; `views.js` says what there is. */
import { t } from "./words.js";

/**
 * Opens a view beside the conversation, wherever one is on the page.
 * @param {string} view
 * @param {string | number} [argument] what it is about, a thread's first message for example
 */
export function openDetails(view, argument = "") {
  document.dispatchEvent(new CustomEvent("details-wanted", { detail: { view, argument: String(argument) } }));
}

/** @param {number} count @returns {string} */
export function membersInWords(count) {
  return count === 1 ? t("1 member") : t("{count} members", { count });
}
