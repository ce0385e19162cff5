/** Times as the reader's own clock and calendar have them. The server writes UTC; `data-show` says which form to use. */

import { language, t } from "./words.js";

const asked = typeof navigator === "undefined" ? "en" : navigator.language;
/** The page's language, and of its forms the reader's own: 11 Nov in Britain, Nov 11 in America. */
const locale = asked.split("-")[0] === language.split("-")[0] ? asked : language;
const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
const dateWithYear = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric" });
const weekday = new Intl.DateTimeFormat(locale, { weekday: "short" });
const longDay = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const MINUTE = 60_000;
const DAY = 86_400_000;

/**
 * The day in the reader's calendar, as a number that grows by one each day.
 * @param {number} at milliseconds
 * @returns {number}
 */
export function localDay(at) {
  const then = new Date(at);
  return Math.round(Date.UTC(then.getFullYear(), then.getMonth(), then.getDate()) / DAY);
}

/**
 * "12 min ago", "Yesterday", "Tue", "9 Oct".
 * @param {number} at
 * @param {number} [now]
 * @returns {string}
 */
export function ago(at, now = Date.now()) {
  const days = localDay(now) - localDay(at);
  if (days <= 0) {
    const minutes = Math.floor((now - at) / MINUTE);
    if (minutes < 1) return t("just now");
    return minutes < 60 ? t("{count} min ago", { count: minutes }) : t("{count} h ago", { count: Math.floor(minutes / 60) });
  }
  if (days === 1) return capital(relative.format(-1, "day"));
  if (days < 7) return weekday.format(at);
  return shortDate(at, now);
}

/** @param {number} at @param {number} now @returns {string} */
function shortDate(at, now) {
  return (new Date(at).getFullYear() === new Date(now).getFullYear() ? date : dateWithYear).format(at);
}

/** @param {number} at @param {number} now @returns {string} */
function dayName(at, now) {
  const days = localDay(now) - localDay(at);
  if (days === 0 || days === 1) return capital(relative.format(-days, "day"));
  return new Date(at).getFullYear() === new Date(now).getFullYear() ? longDay.format(at) : dateWithYear.format(at);
}

/** @param {string} words */
function capital(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @type {Record<string, (at: number, now: number) => string>} */
const FORMS = {
  clock: (at) => clock.format(at),
  day: dayName,
  date: shortDate,
  ago,
  moment: (at) => exact.format(at),
};

/**
 * Writes one time into its element.
 * @param {HTMLTimeElement} element with `datetime` and `data-show`
 * @param {number} [now]
 */
export function showTime(element, now = Date.now()) {
  const at = Date.parse(element.dateTime);
  const form = FORMS[element.dataset.show ?? ""];
  if (!form || Number.isNaN(at)) return;
  const words = form(at, now);
  if (element.textContent !== words) element.textContent = words;
  const full = exact.format(at);
  if (element.title !== full) element.title = full;
}

/** @param {number} at @returns {string} the day and the time */
export function moment(at) {
  return exact.format(at);
}

/**
 * Writes all times under `root`.
 * @param {ParentNode} root
 */
export function showTimes(root) {
  const now = Date.now();
  for (const element of root.querySelectorAll("time[data-show]")) showTime(/** @type {HTMLTimeElement} */ (element), now);
}
