/** Messages of people whom one has blocked: a line that says so, and shows them on demand. */
import { live, on } from "./live.js";
import { t } from "./words.js";

/**
 * Folds a message or note, or unfolds it, as its author is blocked or not.
 * @param {HTMLElement} article
 */
export function fold(article) {
  const line = /** @type {HTMLElement | null} */ (article.querySelector(":scope > .fold-line"));
  const isBlocked = live.blocked.has(Number(article.dataset.user));
  if (isBlocked === (line !== null)) return;
  if (!isBlocked) {
    line?.remove();
    article.classList.remove("is-folded");
    return;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "fold-line";
  article.prepend(button);
  show(article, button, false);
}

/** @param {HTMLElement} article @param {HTMLElement} button @param {boolean} shown */
function show(article, button, shown) {
  article.classList.toggle("is-folded", !shown);
  button.setAttribute("aria-expanded", String(shown));
  button.textContent = shown ? t("Message from somebody you blocked. Hide") : t("Message from somebody you blocked. Show");
}

/** @param {AbortSignal} signal */
export function keepFolding(signal) {
  const all = () => {
    for (const article of document.querySelectorAll("article[data-user]")) fold(/** @type {HTMLElement} */ (article));
  };
  on("blocks", all, signal);
  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".fold-line"));
    const article = /** @type {HTMLElement | null} */ (button?.closest("article"));
    if (button && article) show(article, button, article.classList.contains("is-folded"));
  }, { signal });
  all();
}
