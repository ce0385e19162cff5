/** The conversation and the player point at each other: times in messages seek, and the present moment goes into the box. */
import { clock } from "./moments.js";
import { insert } from "./offers.js";

/** @typedef {import("../media/player.js").MediaPlayer} MediaPlayer */

/**
 * @param {HTMLElement} talk
 * @param {AbortSignal} signal
 */
export function point(talk, signal) {
  const player = /** @type {MediaPlayer | null} */ (document.querySelector("media-player"));
  const button = /** @type {HTMLElement | null} */ (talk.querySelector(".composer-moment"));
  const box = talk.querySelector("textarea");
  if (button) button.hidden = !player?.media;
  if (!player?.media) return;

  const note = () => { if (box) insert(box, `${clock(player.currentTime)} `); };
  button?.addEventListener("click", note, { signal });
  box?.addEventListener("keydown", (event) => {
    if (event.code !== "KeyT" || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    note();
  }, { signal });
  talk.addEventListener("click", (event) => {
    const seconds = secondsOf(/** @type {Element} */ (event.target).closest("a.hb-moment"));
    // In a new tab or window it is a link like any other.
    if (seconds === null || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    player.seek(seconds);
  }, { signal });
}

/** @param {Element | null} link @returns {number | null} the second that it leads to, where it is one of this page's own */
function secondsOf(link) {
  if (!(link instanceof HTMLAnchorElement) || link.pathname !== location.pathname) return null;
  const seconds = Number(new URLSearchParams(link.search).get("t") ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}
