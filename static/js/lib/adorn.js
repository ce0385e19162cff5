/** What stands around a message's words: what it replies to, who reacted, whether it is pinned, whether it calls one. */
import { callsMe, myName } from "./call.js";
import { live } from "./live.js";
import { t } from "./words.js";

/** @typedef {import("./store.js").Message} Message */

/** Characters of a quote, as in `src/rooms/quote.rs`. */
const QUOTE = 160;
/** @type {WeakMap<Element, Message>} what each article shows, with the text as it was typed */
const shown = new WeakMap();
/** @type {Map<string, Promise<Message | null>>} quoted messages that aren't in the page */
const asked = new Map();

/** @param {HTMLElement} article @param {Message} message */
export function mark(article, message) {
  shown.set(article, message);
  toggle(article, ".pinned", message.pinned === true);
  showCalled(article, message.user !== live.user && callsMe(message));
  showReactions(article, message.reactions ?? {});
  void showReply(article, message.room, message.reply_to ?? 0);
}

/** What the server can't know of a page that is the same for everybody. @param {HTMLElement} article as it was rendered */
export function recognise(article) {
  for (const chip of article.querySelectorAll(".reaction")) press(/** @type {HTMLElement} */ (chip));
  const calls = Number(article.dataset.user) !== live.user && callsInWords(article.querySelector(".message-text"));
  showCalled(article, calls);
}

/**
 * The message that an article shows.
 * @param {HTMLElement} article
 * @param {number} room
 * @returns {Promise<Message | null>} nothing when the server can't be asked
 */
export async function messageOf(article, room) {
  const known = shown.get(article);
  if (known) return known;
  const found = await find(room, Number(article.dataset.seq));
  if (found && !shown.has(article)) shown.set(article, found);
  return shown.get(article) ?? null;
}

/** @param {number} room @param {number} seq @returns {Promise<Message | null>} */
async function find(room, seq) {
  try {
    const page = await live.socket.request("history", { room, after: seq - 1, limit: 1 });
    return page.messages.find((/** @type {Message} */ message) => message.seq === seq) ?? null;
  } catch {
    return null;
  }
}

/** @param {Element | null} words @returns {boolean} */
function callsInWords(words) {
  const names = [...(words?.querySelectorAll(".hb-mention") ?? [])].map((name) => /** @type {HTMLElement} */ (name));
  return names.some((name) => name.classList.contains("hb-all") || name.dataset.name === myName);
}

/** @param {HTMLElement} article @param {boolean} calls */
function showCalled(article, calls) {
  article.classList.toggle("calls-me", calls);
  toggle(article, ".called", calls);
}

/** @param {HTMLElement} article @param {Record<string, {n: number, users: number[]}>} reactions */
function showReactions(article, reactions) {
  const group = article.querySelector(".reactions");
  if (!group) return;
  const chips = /** @type {HTMLElement[]} */ ([...group.children]);
  for (const chip of chips) if (!Object.hasOwn(reactions, chip.dataset.emoji ?? "")) chip.remove();
  Object.entries(reactions).forEach(([emoji, { n, users }], at) => {
    const chip = chips.find((other) => other.dataset.emoji === emoji) ?? makeChip(emoji);
    if (group.children[at] !== chip) group.insertBefore(chip, group.children[at] ?? null);
    chip.dataset.users = users.join(" ");
    chip.removeAttribute("title");
    /** @type {Element} */ (chip.querySelector(".reaction-count")).textContent = String(n);
    press(chip);
  });
  group.toggleAttribute("hidden", group.childElementCount === 0);
}

/** @param {string} emoji @returns {HTMLElement} */
function makeChip(emoji) {
  const chip = document.createElement("button");
  chip.type = "button";
  chip.className = "reaction";
  chip.dataset.emoji = emoji;
  const [picture, count] = [document.createElement("span"), document.createElement("span")];
  picture.className = "reaction-emoji";
  picture.textContent = emoji;
  count.className = "reaction-count";
  chip.append(picture, " ", count);
  return chip;
}

/** @param {HTMLElement} chip */
function press(chip) {
  chip.setAttribute("aria-pressed", String(usersOf(chip).includes(live.user)));
}

/** @param {HTMLElement} chip @returns {number[]} the first of those who reacted so */
export function usersOf(chip) {
  return (chip.dataset.users ?? "").split(" ").filter(Boolean).map(Number);
}

/** @param {HTMLElement} article @param {number} room @param {number} seq of what is answered, or 0 */
export async function showReply(article, room, seq) {
  const line = /** @type {HTMLAnchorElement | null} */ (article.querySelector(".reply-line"));
  if (!line) return;
  line.toggleAttribute("hidden", !seq);
  if (!seq || line.dataset.seq === String(seq)) return;
  line.dataset.seq = String(seq);
  line.href = `/m/${room}/${seq}`;
  const there = document.getElementById(`m-${seq}`);
  if (there) return write(line, there.querySelector(".message-name")?.textContent ?? "", wordsOf(there));
  const key = `${room}.${seq}`;
  if (!asked.has(key)) asked.set(key, find(room, seq));
  const original = await asked.get(key);
  if (!original) asked.delete(key);
  write(line, original?.name ?? "", original?.deleted ? t("This message was deleted.") : original?.text ?? t("An earlier message"));
}

/** @param {Element} article @returns {string} its words on one line */
export function wordsOf(article) {
  // What `textContent` says of two paragraphs has nothing between them.
  return /** @type {HTMLElement | null} */ (article.querySelector(".message-text"))?.innerText ?? "";
}

/** @param {Element} line @param {string} name @param {string} words */
function write(line, name, words) {
  /** @type {Element} */ (line.querySelector(".reply-name")).textContent = name;
  /** @type {Element} */ (line.querySelector(".reply-words")).textContent = shorten(words);
}

/** @param {string} words @returns {string} */
export function shorten(words) {
  const letters = [...words.replace(/\s+/g, " ").trim()];
  return letters.length > QUOTE ? `${letters.slice(0, QUOTE).join("")}…` : letters.join("");
}

/** @param {HTMLElement} article @param {string} selector @param {boolean} isShown */
function toggle(article, selector, isShown) {
  article.querySelector(selector)?.toggleAttribute("hidden", !isShown);
}
