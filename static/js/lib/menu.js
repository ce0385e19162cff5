/** All that can be done with one message: beside it on a desk, from below on a phone. */
import { act, isKept, isOwn, may, nameAbove, react } from "./deeds.js";
import { t } from "./words.js";

/** @typedef {import("./deeds.js").Place} Place */

/** As in `talk.css`: there it is a sheet at the bottom, and CSS places it. */
const PHONE = matchMedia("(max-width: 700px)");
/** From the window's edge. In pixels. */
const MARGIN = 8;

/** @type {{article: HTMLElement, place: Place} | null} */
let open = null;
let isListening = false;

const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (menu().querySelector(selector));
const menu = () => /** @type {HTMLElement} */ (document.getElementById("message-menu"));

/**
 * @param {HTMLElement} article
 * @param {Place} place
 * @param {HTMLElement} from what was pressed; the menu opens beside it
 * @param {string} deed what is wanted of it: `more`, `react`, or `delete`, which it asks about first
 */
export function openMenu(article, place, from, deed) {
  if (!isListening) listen();
  open = { article, place };
  for (const button of menu().querySelectorAll(".message-deeds button")) {
    /** @type {HTMLElement} */ (button).hidden = !may(/** @type {HTMLElement} */ (button).dataset.does ?? "", article, place);
  }
  part(".message-quick").hidden = !may("react", article, place);
  part("[data-does=pin]").classList.toggle("is-on", article.querySelector(".pinned:not([hidden])") !== null);
  part(".about-whom").textContent = isOwn(article) ? t("About you") : t("About {name}", { name: nameAbove(article) });
  void showKept(article, place);
  askFirst(deed === "delete");
  article.classList.add("is-open");
  menu().togglePopover(true);
  settle(from);
  focusFirst(deed === "react" ? ".message-quick button" : deed === "delete" ? ".message-sure button" : ".message-deeds button:not([hidden])");
}

/** As it was known last, and as the server knows it. @param {HTMLElement} article @param {Place} place */
async function showKept(article, place) {
  const button = part("[data-does=keep]");
  button.classList.toggle("is-on", article.dataset.kept !== undefined);
  const kept = await isKept(article, place);
  if (open?.article === article) button.classList.toggle("is-on", kept);
}

/** @param {boolean} isAsking whether to delete */
function askFirst(isAsking) {
  part(".message-sure").hidden = !isAsking;
  part(".message-deeds").hidden = isAsking;
  if (isAsking) part(".message-quick").hidden = true;
}

/** @param {string} selector */
function focusFirst(selector) {
  /** @type {HTMLElement | null} */ (menu().querySelector(selector))?.focus({ preventScroll: true });
}

/** @param {HTMLElement} from */
function settle(from) {
  const { style } = menu();
  style.removeProperty("top");
  style.removeProperty("left");
  if (PHONE.matches) return;
  const [box, own] = [from.getBoundingClientRect(), menu().getBoundingClientRect()];
  const below = box.bottom + own.height + MARGIN < innerHeight;
  style.top = `${Math.max(MARGIN, below ? box.bottom : Math.min(box.top - own.height, innerHeight - own.height - MARGIN))}px`;
  style.left = `${Math.max(MARGIN, Math.min(box.right, innerWidth - MARGIN) - own.width)}px`;
}

function listen() {
  isListening = true;
  menu().addEventListener("click", pressed);
  menu().addEventListener("keydown", walk);
  menu().addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState === "closed") closed();
  });
  // Closed from here and not by the browser, which would take the finger that is lifted after a long press for a press beside it.
  document.addEventListener("pointerdown", (event) => { if (open && !menu().contains(/** @type {Node} */ (event.target))) menu().hidePopover(); }, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (!open || event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    menu().hidePopover();
  }, { capture: true });
}

/** @param {MouseEvent} event */
function pressed(event) {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
  if (!button || !open) return;
  const { article, place } = open;
  const deed = button.dataset.does ?? "";
  if (deed === "delete") {
    askFirst(true);
    return focusFirst(".message-sure button");
  }
  menu().hidePopover();
  back(article);
  if (deed === "emoji") void choose(article, place);
  else if (button.dataset.emoji) void react(article, place, button.dataset.emoji);
  else if (deed !== "stay") void act(deed, article, place);
}

/** @param {HTMLElement} article @param {Place} place */
async function choose(article, place) {
  const { pickEmoji } = await import("./picker.js");
  pickEmoji(article, (emoji) => void react(article, place, emoji));
}

/** Whoever came by keyboard stands on the message again. @param {HTMLElement} article */
function back(article) {
  if (!article.isConnected || (document.activeElement && document.activeElement !== document.body && !menu().contains(document.activeElement))) return;
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
}

function closed() {
  const article = open?.article;
  open = null;
  article?.classList.remove("is-open");
  if (article) back(article);
}

/** ↑ and ↓ walk the menu, ← and → the emoji. @param {KeyboardEvent} event */
function walk(event) {
  const way = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  event.preventDefault();
  const buttons = [...menu().querySelectorAll("button")].filter((button) => button.offsetParent !== null);
  const at = buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
  buttons[(at + way + buttons.length) % buttons.length]?.focus();
}
