/**
 * The player's keys. They are its own only while nobody writes, and not while a message, a list or a field has the focus;
 * those that scroll a page, only while the player has it.
 */
import { singleKeys, takesLetters } from "./keys.js";

/** Where keys mean something else. */
const OTHERS = "chat-timeline, chat-details, chat-composer, [role=log], [role=listbox], [role=menu], [popover], dialog";
/** What a space already does something to. */
const PRESSED = "button, a[href], summary, input:not([type=range])";
/** What arrows already do something to: fields, and sliders other than the player's own bar. */
const TURNED = "input:not(.seek input)";

/** What scrolls the page unless the player is meant. A space would too, and plays everywhere, as people know it from elsewhere. */
const SCROLLS = new Set(["ArrowUp", "ArrowDown"]);

/** Speeds one goes through with < and >. */
export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/**
 * @typedef {object} Played what keys act on
 * @property {HTMLMediaElement} media
 * @property {number} length seconds
 * @property {(seconds: number) => void} seek
 * @property {() => void} toggle
 * @property {number} rate
 * @property {(by: number) => void} louder by a share of all
 * @property {() => void} mute
 * @property {() => void} captions
 * @property {() => void} whole
 * @property {() => void} corner
 */

/**
 * @param {KeyboardEvent} event
 * @param {Played} player
 * @param {Element} home the player's element; keys pressed in it, or while it fills the screen, are its own
 * @returns {boolean} whether the key was the player's
 */
export function press(event, player, home) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
  const target = event.target instanceof Element ? event.target : null;
  if (takesLetters(target) || document.querySelector("dialog[open]")) return false;
  const isHome = (target !== null && home.contains(target)) || document.fullscreenElement === home;
  if (!isHome && (target?.closest(OTHERS) || !singleKeys())) return false;
  if (event.key === " " && target?.closest(PRESSED)) return false;
  if (event.key.startsWith("Arrow") && target?.matches(TURNED)) return false;
  if (SCROLLS.has(event.key) && !isHome) return false;
  const deed = DEEDS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!deed && !/^\d$/.test(event.key)) return false;
  if (deed) deed(player);
  else player.seek((player.length * Number(event.key)) / 10);
  event.preventDefault();
  return true;
}

/** @param {number} by seconds @returns {(player: Played) => void} */
const jump = (by) => (player) => player.seek(player.media.currentTime + by);

/** @param {number} by steps @returns {(player: Played) => void} */
const speed = (by) => (player) => {
  const next = by > 0 ? RATES.find((rate) => rate > player.rate + 0.01) : RATES.findLast((rate) => rate < player.rate - 0.01);
  if (next !== undefined) player.rate = next;
};

/** @type {Record<string, (player: Played) => void>} */
const DEEDS = {
  " ": (player) => player.toggle(),
  k: (player) => player.toggle(),
  j: jump(-10),
  l: jump(10),
  ArrowLeft: jump(-5),
  ArrowRight: jump(5),
  ArrowUp: (player) => player.louder(0.1),
  ArrowDown: (player) => player.louder(-0.1),
  m: (player) => player.mute(),
  c: (player) => player.captions(),
  f: (player) => player.whole(),
  p: (player) => player.corner(),
  "<": speed(-1),
  ">": speed(1),
};
