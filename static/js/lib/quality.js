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
    swap(player, wanted.value);
  }
  field.addEventListener("change", () => {
    choose("quality", field.selectedOptions[0].dataset.label ?? "");
    swap(player, field.value);
  }, { signal });
}

/** @param {import("../media/player.js").MediaPlayer} player @param {string} src */
function swap(player, src) {
  const { media } = player;
  const [time, isPlaying, rate] = [media.currentTime, !media.paused, media.playbackRate];
  media.addEventListener("loadedmetadata", () => {
    media.currentTime = time;
    media.playbackRate = rate;
    if (isPlaying) media.play().catch(() => {});
  }, { once: true });
  media.src = src;
  media.load();
}
