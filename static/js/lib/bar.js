/**
 * How one gets at a message: a small bar on the one under the pointer or the keyboard, keys while one stands on it, a long
 * press on a screen that is touched. ↑ and ↓ walk from one to the next.
 */
import { neighbour } from "./arrange.js";
import { act, isOwn, may, nameReaction, react } from "./deeds.js";
import { singleKeys, takesLetters } from "./keys.js";

/** @typedef {import("./deeds.js").Place} Place */

/** Holding a finger this long means it. In milliseconds. */
const LONG = 450;
/** A finger that moves further scrolls. In pixels. */
const STILL = 10;
/** @type {Record<string, string>} */
const KEYS = { r: "reply", e: "edit", t: "thread", p: "pin", l: "link", c: "copy", "+": "react", d: "delete", Delete: "delete" };

/**
 * In a conversation: what its element says may be done there, and the wish to edit what one wrote last.
 * @param {HTMLElement & {list: HTMLElement, pane: HTMLElement, room: number}} talk
 * @param {() => HTMLElement[]} shown the messages in the page, oldest first
 * @param {AbortSignal} signal
 */
export function offerDeedsIn(talk, shown, signal) {
  const has = (/** @type {string} */ right) => talk.hasAttribute(`data-${right}`);
  const { list, pane, room } = talk;
  const place = { list, pane, room, joined: has("joined"), mayPin: has("may-pin"), mayRemove: has("may-remove") };
  offerDeeds(place, signal);
  document.addEventListener("edit-wanted", () => {
    const last = shown().reverse().find((article) => may("edit", article, place) && isOwn(article));
    if (last) void act("edit", last, place);
  }, { signal });
}

/** @param {Place} place @param {AbortSignal} signal */
export function offerDeeds(place, signal) {
  const { list, pane } = place;
  const template = /** @type {HTMLTemplateElement | null} */ (document.getElementById("bar-template"));
  list.addEventListener("click", (event) => pressed(event, place), { signal });
  for (const sight of ["pointerover", "pointermove", "focusin"]) list.addEventListener(sight, named, { signal });
  pane.addEventListener("keydown", (event) => key(event, place), { signal });
  if (!template) return;
  const bar = /** @type {HTMLElement} */ (template.content.querySelector(".message-bar")?.cloneNode(true));
  const offer = (/** @type {EventTarget | null} */ target) => {
    const article = target instanceof Element ? articleOf(target, list) : null;
    if (!article || bar.parentElement === article || !(Number(article.dataset.seq) > 0)) return;
    // Taken along by the pointer, it would leave whoever stands on it by keyboard.
    if (bar.contains(document.activeElement) && !article.contains(document.activeElement)) return;
    for (const button of bar.querySelectorAll("button")) button.hidden = !may(button.dataset.does ?? "", article, place);
    article.append(bar);
    // Brought before it is asked for: letters typed right after the key must find their box.
    if (may("edit", article, place)) void import("./editing.js").catch(() => {});
  };
  // A message that settles under the pointer has its bar with the next movement.
  for (const sight of /** @type {const} */ (["pointerover", "pointermove"])) {
    list.addEventListener(sight, (event) => { if (event.pointerType !== "touch") offer(event.target); }, { signal });
  }
  list.addEventListener("focusin", (event) => offer(event.target), { signal });
  // The pointer may have come before this script did.
  offer(list.querySelector(":is(.message, .note):hover"));
  list.addEventListener("pointerleave", () => { if (!list.contains(document.activeElement)) bar.remove(); }, { signal });
  hold(place, signal);
}

/** @param {Element} target @param {HTMLElement} list @returns {HTMLElement | null} */
function articleOf(target, list) {
  const article = /** @type {HTMLElement | null} */ (target.closest(".message, .note"));
  return article && list.contains(article) ? article : null;
}

/** @param {MouseEvent} event @param {Place} place */
function pressed(event, place) {
  const target = /** @type {Element} */ (event.target);
  const article = articleOf(target, place.list);
  if (!article) return;
  const chip = /** @type {HTMLElement | null} */ (target.closest(".reaction"));
  if (chip) return void react(article, place, chip.dataset.emoji ?? "");
  const button = /** @type {HTMLElement | null} */ (target.closest("[data-does]"));
  if (button) return void act(button.dataset.does ?? "", article, place, button);
  const line = /** @type {HTMLElement | null} */ (target.closest(".reply-line"));
  const original = line && document.getElementById(`m-${line.dataset.seq}`);
  if (!original || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(original);
}

/** @param {HTMLElement} article */
function goTo(article) {
  for (const other of document.querySelectorAll(".message.focus")) other.classList.remove("focus");
  article.classList.add("focus");
  article.tabIndex = -1;
  article.focus({ preventScroll: true });
  article.scrollIntoView({ block: "center" });
}

/** @param {Event} event */
function named(event) {
  const chip = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".reaction"));
  if (chip) void nameReaction(chip);
}

/** @param {KeyboardEvent} event @param {Place} place */
function key(event, place) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || takesLetters(event.target)) return;
  if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !event.shiftKey) return walk(event, place.list, place.pane);
  const deed = KEYS[event.key];
  const article = articleOf(/** @type {Element} */ (event.target), place.list);
  if (!deed || !article || !(singleKeys() || event.key === "Delete") || !may(deed, article, place)) return;
  event.preventDefault();
  void act(deed, article, place);
}

/** A finger held on a message opens its menu. @param {Place} place @param {AbortSignal} signal */
function hold(place, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let from = { x: 0, y: 0 };
  let opened = false;
  const stop = () => clearTimeout(timer);
  place.list.addEventListener("pointerdown", (event) => {
    stop();
    opened = false;
    const target = /** @type {Element} */ (event.target);
    const article = articleOf(target, place.list);
    if (event.pointerType !== "touch" || !article || !(Number(article.dataset.seq) > 0) || target.closest("textarea")) return;
    from = { x: event.clientX, y: event.clientY };
    timer = setTimeout(() => {
      opened = true;
      void act("more", article, place);
    }, LONG);
  }, { signal });
  place.list.addEventListener("pointermove", (event) => {
    if (Math.hypot(event.clientX - from.x, event.clientY - from.y) > STILL) stop();
  }, { signal, passive: true });
  for (const end of ["pointerup", "pointercancel"]) place.list.addEventListener(end, stop, { signal });
  // The browser's own menu would cover it, and the link under the finger isn't meant.
  place.list.addEventListener("contextmenu", (event) => { if (/** @type {PointerEvent} */ (event).pointerType === "touch") event.preventDefault(); }, { signal });
  // The finger that is lifted may stand on the menu by now, or on a link: neither is meant. The next one is.
  addEventListener("pointerdown", () => { opened = false; }, { signal, capture: true });
  addEventListener("click", (event) => {
    if (!opened) return;
    opened = false;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { signal, capture: true });
}

/**
 * ↑ and ↓ go from message to message, as long as nothing inside one wants them.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} list
 * @param {HTMLElement} pane
 */
function walk(event, list, pane) {
  const up = event.key === "ArrowUp";
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
