/** One message or note as an element: the server's own template, filled. */
import { dress } from "./dress.js";
import { fold } from "./fold.js";
import { live } from "./live.js";
import { mark, showReply } from "./adorn.js";
import { isCarried } from "./outbox.js";
import { initials, paint } from "./person.js";
import { copy } from "./say.js";
import { moment, showTime } from "./time.js";
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
  showEdited(article, message.edited ?? 0);
  mark(article, message);
  fold(article);
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
  void showReply(article, entry.room, entry.reply_to ?? 0);
  article.dataset.state = entry.error === undefined ? "pending" : "failed";
  const state = article.querySelector(".message-state");
  if (entry.error === undefined) state?.replaceChildren(...(entry.files && !isCarried(entry) ? [makeAction(["delete", t("Cancel")])] : []));
  else state?.replaceChildren(said(entry.error), ...actions().map(makeAction));
}

/** What shows files. It comes when the page has come to rest, before the first of them. @type {typeof import("./attachments.js") | null} */
let shower = null;
const bring = () => import("./attachments.js").then((module) => { shower = module; });
if (typeof document !== "undefined") setTimeout(() => void bring().catch(() => {}), 500);

/** @param {HTMLElement} article @param {any} message */
function showFiles(article, message) {
  if (!message.attachments && !message.files && !article.querySelector(".attachments li")) return;
  if (shower) shower.showFiles(article, message);
  else void bring().then(() => shower?.showFiles(article, message));
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
 * @param {{user: number, name: string, guest?: boolean, at: number, title?: string, text?: string, html?: string, deleted?: boolean,
 *   attachments?: import("./attachments.js").Attachment[], files?: import("./attachments.js").Carried[],
 *   preview?: import("./preview.js").Preview}} message
 */
function write(article, message) {
  const name = article.querySelector(".message-name");
  say(name, message.name);
  if (name instanceof HTMLAnchorElement) {
    // What a stream says by itself is nobody's.
    if (message.user < 0) name.removeAttribute("href");
    else name.href = `/people/${message.user}`;
  }
  hide(article.querySelector(".guest"), !message.guest);
  const face = article.querySelector(".face, .dot");
  if (face) paint(face, message.user);
  if (face?.classList.contains("face")) say(face, initials(message.name));
  const title = /** @type {HTMLElement | null} */ (article.querySelector(".message-title, .note-title"));
  say(title, message.title ?? "");
  hide(title, !message.title);
  const words = article.querySelector(".message-text");
  if (message.deleted && words) {
    inserted.delete(words);
    words.classList.remove("is-big");
  }
  if (message.deleted) say(words, article.matches(".note") ? t("This note was deleted.") : t("This message was deleted."));
  else if (words && message.html) insertSanitised(words, message.html);
  else if (words) sketch(words, message.text ?? "");
  showFiles(article, message);
  if (message.preview || article.querySelector(".link-preview")) void import("./preview.js").then((module) => module.showPreview(article, message.preview));
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

/** A few emoji and nothing else. */
const ONLY_EMOJI = /^(?:(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*\d]\uFE0F?\u20E3)(?:\uFE0F|\p{Emoji_Modifier}|\u200D\p{Extended_Pictographic})*\s*){1,12}$/u;
/** A block of code and nothing else. */
const ONLY_CODE = /^```([\w+#.-]{0,20})\n((?:(?!```)[^])*?)\n?```$/;

/**
 * Writes a text that the server hasn't rendered, as large as it is going to be: nothing is to jump once it has.
 * @param {Element} words
 * @param {string} text
 */
function sketch(words, text) {
  inserted.delete(words);
  words.classList.toggle("is-big", ONLY_EMOJI.test(text));
  const block = ONLY_CODE.exec(text);
  if (!block) return say(words, text);
  const pre = document.createElement("pre");
  pre.className = "hb-code";
  if (block[1]) pre.dataset.language = block[1];
  const code = document.createElement("code");
  code.textContent = block[2];
  pre.append(code);
  words.replaceChildren(pre);
  dress(words);
}

/** What was inserted where: a message that changes otherwise keeps its words, and what somebody has selected in them. @type {WeakMap<Element, string>} */
const inserted = new WeakMap();

/**
 * The only place where HTML is put into the page: `html` of a message, which the server has sanitised.
 * @param {Element} element
 * @param {string} html
 */
function insertSanitised(element, html) {
  if (inserted.get(element) === html) return;
  inserted.set(element, html);
  element.classList.remove("is-big");
  element.innerHTML = html;
  dress(element);
}

/**
 * Dresses a message that came with the page.
 * @param {HTMLElement} article
 */
export function welcome(article) {
  const words = article.querySelector(".message-text");
  if (words?.childElementCount) dress(words);
}

/** @param {HTMLElement} article @param {number} at when, or 0 */
function showEdited(article, at) {
  const note = /** @type {HTMLElement | null} */ (article.querySelector(".edited"));
  hide(note, !at);
  if (note && at) note.title = moment(at);
}

/** @param {Element | null} element @param {boolean} hidden */
function hide(element, hidden) {
  /** @type {HTMLElement | null} */ (element)?.toggleAttribute("hidden", hidden);
}

/** @param {HTMLElement} element @param {Record<string, string | number>} values */
function setData(element, values) {
  for (const [name, value] of Object.entries(values)) element.dataset[name] = String(value);
}

// Pictures are opened large, one after the other; a modifier means what it means on any link.
document.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest(".picture a");
  if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const all = /** @type {HTMLElement} */ (link.closest(".messages, .notes") ?? document.body);
  void import("./lightbox.js").then(({ open }) => open(all, /** @type {HTMLAnchorElement} */ (link)));
});
