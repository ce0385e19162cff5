/** The present moment of what plays goes into the message that is being written. The way back, from a time in a message to its moment, is the player's own. */
import { clock } from "./moments.js";
import { insert } from "./offers.js";

/** @typedef {import("../media/player.js").MediaPlayer} MediaPlayer */

/**
 * @param {HTMLElement} talk
 * @param {AbortSignal} signal
 */
export function point(talk, signal) {
  const button = /** @type {HTMLElement | null} */ (talk.querySelector(".composer-moment"));
  const box = talk.querySelector("textarea");
  if (!button || !box) return;
  // The page may get another player, or its first one, while somebody writes.
  const player = () => /** @type {MediaPlayer | null} */ (document.querySelector("media-player"));
  const show = () => { button.hidden = !player()?.media; };
  const note = () => {
    const now = player()?.currentTime;
    if (now !== undefined) insert(box, `${clock(now)} `);
  };
  show();
  document.addEventListener("player-renewed", show, { signal });
  button.addEventListener("click", note, { signal });
  box.addEventListener("keydown", (event) => {
    if (button.hidden || event.code !== "KeyT" || !event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    note();
  }, { signal });
}
