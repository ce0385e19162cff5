/** The forms in which an item can be played: one is chosen, and where one was stays. */
import { choose, chosen } from "./choices.js";

/**
 * @param {import("../media/player.js").MediaPlayer} player
 * @param {AbortSignal} signal
 */
export function offerQuality(player, signal) {
  const field = /** @type {HTMLSelectElement | null} */ (player.querySelector(".deck-quality"));
  if (!field) return;
  const kept = chosen("quality");
  const wanted = [...field.options].find((option) => option.dataset.label === kept);
  if (wanted && !wanted.selected) {
    wanted.selected = true;
    swap(player, wanted.value, signal);
  }
  field.addEventListener("change", () => {
    choose("quality", field.selectedOptions[0].dataset.label ?? "");
    swap(player, field.value, signal);
  }, { signal });
}

/** What goes on as soon as the form is there that was chosen last. @type {{time: number, isPlaying: boolean, rate: number} | null} */
let pending = null;

/** @param {import("../media/player.js").MediaPlayer} player @param {string} src @param {AbortSignal} signal */
function swap(player, src, signal) {
  const { media } = player;
  // A form that isn't loaded yet stands at its beginning, whatever was asked of it.
  if (!pending) media.addEventListener("loadedmetadata", () => goOn(media), { once: true, signal });
  pending ??= { time: media.currentTime, isPlaying: !media.paused, rate: media.playbackRate };
  media.src = src;
  media.load();
}

/** @param {HTMLMediaElement} media */
function goOn(media) {
  if (!pending) return;
  const { time, isPlaying, rate } = pending;
  pending = null;
  media.currentTime = time;
  media.playbackRate = rate;
  if (isPlaying) media.play().catch(() => {});
}
