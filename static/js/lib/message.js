/** One message or note as an element: the server's own template, filled. */
import { live } from "./live.js";
import { initials, paint } from "./person.js";
import { copy } from "./say.js";
import { showTime } from "./time.js";
import { said, t } from "./words.js";

/** @typedef {import("./store.js").Message} Message */
/** @typedef {import("./outbox.js").Unsent} Unsent */

/**
 * Writes `message` into `article`, which was made from the template or is already on the page.
 * @param {HTMLElement} article
 * @param {Message} message
 */
export function fill(article, message) {
  article.id = `m-${message.seq}`;
  setData(article, { seq: message.seq, rev: message.rev, user: message.user, at: message.at });
  delete article.dataset.state;
  if (message.user === live.user && message.nonce) article.dataset.nonce = message.nonce;
  article.toggleAttribute("data-deleted", message.deleted === true);
  write(article, message);
  const link = article.querySelector("a:has(> time)");
  link?.setAttribute("href", `/m/${message.room}/${message.seq}`);
  leaveOut(article);
  hide(article.querySelector(".edited"), !message.edited);
  article.querySelector(".message-state")?.replaceChildren();
}

/**
 * Writes what is not stored yet into `article`.
 * @param {HTMLElement} article
 * @param {Unsent} entry
 */
export function fillUnsent(article, entry) {
  setData(article, { seq: 0, rev: 0, user: live.user, at: entry.at, nonce: entry.nonce });
  article.removeAttribute("id");
  write(article, { ...entry, user: live.user, name: live.name, guest: live.guest });
  article.dataset.state = entry.error === undefined ? "pending" : "failed";
  const state = article.querySelector(".message-state");
  if (entry.error === undefined) state?.replaceChildren();
  else state?.replaceChildren(said(entry.error), ...actions().map(makeAction));
}

/**
 * Takes the link of a message's time out of the way of the Tab key: 200 stops would lie between the list and the box to write
 * in. ↑ and ↓ walk the messages, and the bar of each has its link.
 * @param {HTMLElement} article
 */
export function leaveOut(article) {
  if (article.matches(".message")) article.querySelector("a:has(> time)")?.setAttribute("tabindex", "-1");
}

const actions = () => [["retry", t("Retry")], ["copy", t("Copy")], ["delete", t("Delete")]];

/** @param {string[]} action */
function makeAction([name, words]) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.unsent = name;
  button.textContent = words;
  return button;
}

/**
 * Answers the buttons of failed messages inside `root`.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function answerFailed(root, signal) {
  root.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-unsent]");
    const nonce = /** @type {HTMLElement | null} */ (button?.closest("[data-nonce]"))?.dataset.nonce;
    if (!button || !nonce) return;
    const action = /** @type {HTMLElement} */ (button).dataset.unsent;
    if (action === "retry") live.retry(nonce);
    if (action === "delete") live.withdraw(nonce);
    if (action === "copy") void copyText(live.outbox.get(nonce)?.text ?? "", /** @type {HTMLElement} */ (button));
  }, { signal });
}

/**
 * @param {string} text
 * @param {HTMLElement} button
 */
async function copyText(text, button) {
  if (await copy(text)) {
    button.textContent = t("Copied");
    return;
  }
  // Selecting it leaves one key to press.
  const words = button.closest("article")?.querySelector(".message-text");
  if (words) getSelection()?.selectAllChildren(words);
}

/**
 * @param {HTMLElement} article
 * @param {{user: number, name: string, guest?: boolean, at: number, title?: string, text?: string, html?: string, deleted?: boolean}} message
 */
function write(article, message) {
  const name = article.querySelector(".message-name");
  say(name, message.name);
  hide(article.querySelector(".guest"), !message.guest);
  const face = article.querySelector(".face, .dot");
  if (face) paint(face, message.user);
  if (face?.classList.contains("face")) say(face, initials(message.name));
  const title = /** @type {HTMLElement | null} */ (article.querySelector(".message-title, .note-title"));
  say(title, message.title ?? "");
  hide(title, !message.title);
  const words = article.querySelector(".message-text");
  if (message.deleted) say(words, article.matches(".note") ? t("This note was deleted.") : t("This message was deleted."));
  else if (words && message.html) insertSanitised(words, message.html);
  else say(words, message.text ?? "");
  const time = article.querySelector("time");
  if (!time) return;
  time.dateTime = new Date(message.at).toISOString();
  showTime(time);
}

/**
 * Writes only what differs: a screen reader would read out a text that was written again.
 * @param {Element | null} element
 * @param {string} words
 */
function say(element, words) {
  if (element && (element.textContent !== words || element.childElementCount > 0)) element.textContent = words;
}

/**
 * The only place where HTML is put into the page: `html` of a message, which the server has sanitised.
 * @param {Element} element
 * @param {string} html
 */
function insertSanitised(element, html) {
  element.innerHTML = html;
}

/** @param {Element | null} element @param {boolean} hidden */
function hide(element, hidden) {
  /** @type {HTMLElement | null} */ (element)?.toggleAttribute("hidden", hidden);
}

/** @param {HTMLElement} element @param {Record<string, string | number>} values */
function setData(element, values) {
  for (const [name, value] of Object.entries(values)) element.dataset[name] = String(value);
}
