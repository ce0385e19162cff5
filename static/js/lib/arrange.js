/** Where a message stands: by `seq`, under its author's last one, below the day it belongs to. */
import { localDay, showTime } from "./time.js";
import { t } from "./words.js";

/** Messages of one author within this time stand together under one name; as in `src/chat/pages.rs`. */
const TOGETHER = 5 * 60 * 1000;

/**
 * Whether `next` stands under `before` without repeating the name.
 * @param {{user: string, at: number} | null} before
 * @param {{user: string, at: number}} next
 * @returns {boolean}
 */
export function follows(before, next) {
  return before !== null && before.user === next.user && next.at - before.at < TOGETHER && !startsDay(before, next);
}

/**
 * @param {{at: number} | null} before
 * @param {{at: number}} next
 * @returns {boolean}
 */
export function startsDay(before, next) {
  return before === null || localDay(before.at) !== localDay(next.at);
}

/**
 * Puts `article` where its `seq` belongs; what has none yet stays last.
 * @param {HTMLElement} list
 * @param {HTMLElement} article
 */
export function place(list, article) {
  const seq = seqOf(article);
  let before = /** @type {HTMLElement | null} */ (list.lastElementChild);
  while (before && (before === article || !before.matches(".message") || seqOf(before) > seq)) {
    before = /** @type {HTMLElement | null} */ (before.previousElementSibling);
  }
  // A sent message settles where it already stands: moving it would lose the selection and announce it again.
  if (article.isConnected && neighbour(article, "previousElementSibling") === before) return;
  if (before) before.after(article);
  else list.prepend(article);
}

/** @param {HTMLElement} article @returns {number} */
function seqOf(article) {
  const seq = Number(article.dataset.seq ?? 0);
  return seq > 0 ? seq : Infinity;
}

/**
 * @param {Element} from
 * @param {"previousElementSibling" | "nextElementSibling"} way
 * @returns {HTMLElement | null} the nearest message that way
 */
export function neighbour(from, way) {
  let other = from[way];
  while (other && !other.matches(".message")) other = other[way];
  return /** @type {HTMLElement | null} */ (other);
}

/** @param {HTMLElement | null} article */
function known(article) {
  if (!article) return null;
  // Under another name, or as a guest no more, somebody is introduced again.
  const name = article.querySelector(".message-name")?.textContent ?? "";
  const isGuest = article.querySelector(".message-head .guest:not([hidden])") !== null;
  return { user: `${article.dataset.user} ${isGuest} ${name}`, at: Number(article.dataset.at) };
}

/**
 * Groups `article` with the one before it and sets or removes the line of its day.
 * @param {HTMLElement} article
 */
export function arrange(article) {
  const before = known(neighbour(article, "previousElementSibling"));
  const self = /** @type {{user: string, at: number}} */ (known(article));
  const { day, fresh } = linesAbove(article);
  const isNew = article.dataset.new !== undefined;
  const titled = article.querySelector(".message-title:not([hidden])") !== null;
  article.classList.toggle("follows", follows(before, self) && !isNew && !titled);
  if (!isNew) fresh?.remove();
  else if (!fresh) article.before(newLine());
  if (!startsDay(before, self)) day?.remove();
  else if (!day) (isNew ? /** @type {Element} */ (article.previousElementSibling) : article).before(dayLine(self.at));
}

/**
 * The lines that stand between `article` and the message before it.
 * @param {HTMLElement} article
 * @returns {{day: Element | null, fresh: Element | null}}
 */
export function linesAbove(article) {
  let day = null;
  let fresh = null;
  for (let line = article.previousElementSibling; line && !line.matches(".message"); line = line.previousElementSibling) {
    if (line.matches(".day")) day = line;
    if (line.matches(".new-line")) fresh = line;
  }
  return { day, fresh };
}

/** @returns {HTMLElement} */
function newLine() {
  const line = document.createElement("p");
  line.className = "new-line";
  line.setAttribute("aria-live", "off");
  const word = document.createElement("span");
  word.textContent = t("New");
  line.append(word);
  return line;
}

/** @param {number} at @returns {HTMLElement} */
function dayLine(at) {
  const line = document.createElement("p");
  line.className = "day";
  // Inside the log, only what somebody says is to be read out.
  line.setAttribute("aria-live", "off");
  const time = document.createElement("time");
  time.dataset.show = "day";
  time.dateTime = new Date(at).toISOString();
  showTime(time);
  line.append(time);
  return line;
}

/**
 * Arranges `article` and the one after it, which may now stand under somebody else.
 * @param {HTMLElement} article
 */
export function arrangeAround(article) {
  arrange(article);
  const next = neighbour(article, "nextElementSibling");
  if (next) arrange(next);
}
