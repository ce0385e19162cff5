/** What can be done with one message: a small bar on the one under the pointer or the keyboard, walked to by ↑ and ↓. */
import { neighbour } from "./arrange.js";
import { copy, say } from "./say.js";
import { t } from "./words.js";

/** How long a button says that it has done its work. */
const THANKS = 1500;

/**
 * @param {HTMLElement} list of messages
 * @param {HTMLElement} pane that scrolls it
 * @param {number} room
 * @param {AbortSignal} signal
 */
export function offerLinks(list, pane, room, signal) {
  const bar = makeBar();
  const button = /** @type {HTMLButtonElement} */ (bar.firstElementChild);
  const offer = (/** @type {EventTarget | null} */ target) => {
    const article = target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".message")) : null;
    if (!article || !list.contains(article) || bar.parentElement === article || !(Number(article.dataset.seq) > 0)) return;
    // Taken along by the pointer, it would leave whoever stands on it by keyboard.
    if (bar.contains(document.activeElement) && !article.contains(document.activeElement)) return;
    button.textContent = t("Copy link");
    article.append(bar);
  };
  list.addEventListener("pointerover", (event) => offer(event.target), { signal });
  list.addEventListener("focusin", (event) => offer(event.target), { signal });
  list.addEventListener("pointerleave", () => { if (!list.contains(document.activeElement)) bar.remove(); }, { signal });
  button.addEventListener("click", () => void copyLink(button, room), { signal });
  pane.addEventListener("keydown", (event) => walk(event, list, pane), { signal });
}

/** @returns {HTMLElement} */
function makeBar() {
  const bar = document.createElement("div");
  bar.className = "message-bar";
  // Inside the log, but nothing that anybody said.
  bar.setAttribute("aria-live", "off");
  const button = document.createElement("button");
  button.type = "button";
  bar.append(button);
  return bar;
}

/** @param {HTMLButtonElement} button @param {number} room */
async function copyLink(button, room) {
  const seq = button.closest("article")?.dataset.seq;
  const done = await copy(`${location.origin}/m/${room}/${seq}`);
  const words = done ? t("Link copied") : t("Your browser did not let the link be copied.");
  button.textContent = words;
  say(words);
  setTimeout(() => { button.textContent = t("Copy link"); }, THANKS);
}

/**
 * ↑ and ↓ go from message to message, as long as nothing inside one wants them.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} list
 * @param {HTMLElement} pane
 */
function walk(event, list, pane) {
  const up = event.key === "ArrowUp";
  if ((!up && event.key !== "ArrowDown") || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const from = /** @type {Element} */ (event.target).closest(".message");
  const to = from ? neighbour(from, up ? "previousElementSibling" : "nextElementSibling") : inView(list, pane, up);
  if (!to) return;
  event.preventDefault();
  to.tabIndex = -1;
  to.focus({ preventScroll: true });
  to.scrollIntoView({ block: "nearest" });
}

/** @param {HTMLElement} list @param {HTMLElement} pane @param {boolean} last @returns {HTMLElement | null} */
function inView(list, pane, last) {
  const { top, bottom } = pane.getBoundingClientRect();
  const seen = [...list.querySelectorAll(":scope > .message")].filter((article) => {
    const box = article.getBoundingClientRect();
    return box.bottom > top && box.top < bottom;
  });
  return /** @type {HTMLElement | null} */ ((last ? seen.at(-1) : seen[0]) ?? null);
}
