/** What can be done with a message, wherever it is asked for: the bar, the menu, a key, a chip. */
import { openDetails } from "./details.js";
import { live } from "./live.js";
import { showCard } from "./person.js";
import { messageOf, shorten, usersOf, wordsOf } from "./adorn.js";
import { copy, say } from "./say.js";
import { t } from "./words.js";

/** How long a refusal stays to be read. In milliseconds. */
const TOLD = 6000;

/**
 * Where messages stand, and what the person may do there.
 * @typedef {{list: HTMLElement, pane: HTMLElement, room: number, joined: boolean, mayPin: boolean, mayRemove: boolean, isBoard?: boolean}} Place
 */

/** @param {HTMLElement} article */
const seqOf = (article) => Number(article.dataset.seq ?? 0);

/** @param {HTMLElement} article @returns {boolean} */
export const isOwn = (article) => Number(article.dataset.user) === live.user;

/**
 * Whether a deed is open to the person.
 * @param {string} deed
 * @param {HTMLElement} article
 * @param {Place} place
 */
export function may(deed, article, place) {
  if (!(seqOf(article) > 0)) return false;
  // A note is answered by another note.
  if (place.isBoard && (deed === "reply" || deed === "thread")) return false;
  const isDeleted = article.hasAttribute("data-deleted");
  switch (deed) {
    case "react": case "reply": return place.joined && !isDeleted;
    case "edit": return place.joined && !isDeleted && isOwn(article);
    case "delete": return !isDeleted && (isOwn(article) || place.mayRemove);
    case "pin": return !isDeleted && place.mayPin;
    case "bare": return article.querySelector(".link-preview") !== null && (isOwn(article) || place.mayRemove);
    case "copy": case "keep": return !isDeleted;
    case "unread": return place.joined && !place.isBoard;
    case "report": return !isDeleted && !isOwn(article);
    default: return true;
  }
}

/**
 * @param {string} deed
 * @param {HTMLElement} article
 * @param {Place} place
 * @param {HTMLElement} [from] what was pressed
 */
export async function act(deed, article, place, from = article) {
  if (!may(deed, article, place)) return;
  switch (deed) {
    case "reply": return reply(article, place);
    case "thread": return openThread(article, place);
    case "edit": return (await import("./editing.js")).edit(article, place);
    case "pin": return pin(article, place);
    case "bare": return void (await ask("preview", { room: place.room, seq: seqOf(article), on: false }));
    case "link": return copyAndSay(`${location.origin}/m/${place.room}/${seqOf(article)}`, t("Link copied"));
    case "copy": return copyAndSay((await messageOf(article, place.room))?.text ?? wordsOf(article), t("Copied"));
    case "react": case "more": case "delete": return (await import("./menu.js")).openMenu(article, place, from, deed);
    case "keep": return keep(article, place);
    case "about": return about(article);
    case "unread": return live.marks.unread(place.room, seqOf(article));
    case "report": return (await import("../chat/report.js")).openReport(place.room, seqOf(article));
    case "delete-now": return void (await ask("delete", { room: place.room, seq: seqOf(article) }));
  }
}

/** @param {HTMLElement} article @param {Place} place */
function reply(article, place) {
  const name = nameAbove(article);
  article.dispatchEvent(new CustomEvent("reply-wanted", { bubbles: true, detail: { room: place.room, seq: seqOf(article), name, words: shorten(wordsOf(article)) } }));
}

/** The name of an article that stands under another of the same person. @param {HTMLElement} article @returns {string} */
export function nameAbove(article) {
  return article.querySelector(".message-name")?.textContent ?? "";
}

/** @param {HTMLElement} article @param {Place} place */
async function openThread(article, place) {
  openDetails("thread", (await messageOf(article, place.room))?.thread ?? seqOf(article));
}

/** @param {HTMLElement} article @param {Place} place */
async function pin(article, place) {
  const on = article.querySelector(".pinned:not([hidden])") === null;
  if (await ask("pin", { room: place.room, seq: seqOf(article), on })) say(on ? t("Pinned") : t("No longer pinned"));
}

/** @param {HTMLElement} article @param {Place} place */
const bookmarkOf = (article, place) => `/api/v1/rooms/${place.room}/messages/${seqOf(article)}/bookmark`;

/**
 * Whether the person has kept it; without an answer, what was known before.
 * @param {HTMLElement} article
 * @param {Place} place
 */
export async function isKept(article, place) {
  const answer = await fetch(bookmarkOf(article, place)).then((reply) => (reply.ok ? reply.json() : null)).catch(() => null);
  return answer ? article.toggleAttribute("data-kept", answer.kept) : article.hasAttribute("data-kept");
}

/** Keeps a message for the person alone, or lets it go. @param {HTMLElement} article @param {Place} place */
async function keep(article, place) {
  const on = !article.hasAttribute("data-kept");
  const answer = await fetch(bookmarkOf(article, place), { method: on ? "PUT" : "DELETE" }).catch(() => null);
  if (!answer?.ok) return tell(t("That did not get through. Try again when you are connected."));
  article.toggleAttribute("data-kept", on);
  say(on ? t("Kept. You find it under Kept messages.") : t("No longer kept"));
}

/** The card of whoever wrote it, beside their face, or the message where that isn't shown again. @param {HTMLElement} article */
function about(article) {
  const face = article.querySelector(".face");
  void showCard(Number(article.dataset.user), face && face.getClientRects().length > 0 ? face : article);
}

/**
 * @param {HTMLElement} article
 * @param {Place} place
 * @param {string} emoji
 */
export async function react(article, place, emoji) {
  if (!may("react", article, place)) return;
  const chip = [...article.querySelectorAll(".reaction")].map((other) => /** @type {HTMLElement} */ (other)).find((other) => other.dataset.emoji === emoji);
  const fields = { room: place.room, seq: seqOf(article), emoji };
  const on = !chip || !usersOf(chip).includes(live.user);
  const answer = await ask("react", { ...fields, on });
  // The page names only the first twenty; the server knows whether one is among the others.
  if (on && chip && answer?.rev === Number(article.dataset.rev) && !usersOf(chip).includes(live.user)) await ask("react", { ...fields, on: false });
}

/**
 * Asks the server for a change; tells the person why when it doesn't happen.
 * @param {string} type
 * @param {Record<string, unknown>} fields
 * @returns {Promise<any>} nothing when it was refused
 */
export async function ask(type, fields) {
  try {
    return await live.socket.request(type, fields);
  } catch (error) {
    const refused = /** @type {{code?: string, message?: string}} */ (error);
    tell(refused.code === "offline" ? t("You are offline. Try again when you are back.") : refused.message ?? t("That did not work"));
    return null;
  }
}

/** Says why something didn't happen, for a while and without covering anything. @param {string} words */
function tell(words) {
  document.querySelector(".toast")?.remove();
  const toast = document.createElement("p");
  toast.className = "toast";
  toast.textContent = words;
  document.body.append(toast);
  say(words);
  setTimeout(() => toast.remove(), TOLD);
}

/** @param {string} text @param {string} thanks */
async function copyAndSay(text, thanks) {
  say((await copy(text)) ? thanks : t("Your browser did not let it be copied."));
}

/** Names those who reacted, as far as they are known. @param {HTMLElement} chip @returns {Promise<void>} */
export async function nameReaction(chip) {
  if (chip.title) return;
  const users = usersOf(chip);
  const names = await namesOf(users.filter((user) => user !== live.user));
  // Somebody came or went while the names were asked for.
  if (users.join() !== usersOf(chip).join()) return nameReaction(chip);
  const count = Number(chip.querySelector(".reaction-count")?.textContent ?? users.length);
  const known = [...(users.includes(live.user) ? [t("You")] : []), ...users.flatMap((user) => names.get(user) ?? [])];
  const more = count - known.length;
  chip.title = [...known, ...(more > 0 ? [t("{count} more", { count: more })] : [])].join(", ");
}

/** @type {Map<number, string>} */
const names = new Map();

/** @param {number[]} users @returns {Promise<Map<number, string>>} */
async function namesOf(users) {
  for (const user of users) {
    const name = document.querySelector(`.message[data-user="${user}"] .message-name`)?.textContent;
    if (name) names.set(user, name);
  }
  if (users.every((user) => names.has(user))) return names;
  try {
    const answer = await fetch(`/api/v1/users?ids=${users.join(",")}`);
    if (answer.ok) for (const person of (await answer.json()).users) names.set(person.id, person.display_name);
  } catch {
    // Those who are known are named; the others are counted.
  }
  return names;
}
