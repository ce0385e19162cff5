/** Captions over the picture: which language is shown is remembered, for the next film too. */
import { choose, chosen } from "./choices.js";
import { t } from "./words.js";

/** No captions, in the choice and in what is remembered. */
const NONE = "off";

/**
 * @param {import("../media/player.js").MediaPlayer} player
 * @param {AbortSignal} signal
 */
export function offerCaptions(player, signal) {
  const { media } = player;
  const field = /** @type {HTMLSelectElement | null} */ (player.querySelector(".deck-language"));
  const button = /** @type {HTMLButtonElement | null} */ (player.querySelector(".deck-captions"));
  if (!field || !button || media.textTracks.length === 0) return;
  const tracks = [...media.textTracks];
  // Browsers write captions over pictures alone; those of a recording stand in a line of its own.
  const shown = player.isVideo ? "showing" : "hidden";
  const line = /** @type {HTMLElement} */ (player.querySelector(".cue-line"));
  /** What comes on again after it was off. */
  let last = tracks[0].language;
  for (const track of player.isVideo ? [] : tracks) {
    track.addEventListener("cuechange", () => {
      if (track.mode !== shown) return;
      const cues = [...(track.activeCues ?? [])];
      line.textContent = cues.map((cue) => /** @type {VTTCue} */ (cue).getCueAsHTML().textContent).join("\n");
      line.hidden = cues.length === 0;
    }, { signal });
  }

  const show = (/** @type {string} */ language) => {
    for (const track of tracks) track.mode = track.language === language ? shown : "disabled";
    const isOn = tracks.some(({ mode }) => mode === shown);
    line.hidden = true;
    if (isOn) last = language;
    field.value = isOn ? language : NONE;
    button.setAttribute("aria-pressed", String(isOn));
    const words = isOn ? t("Captions off") : t("Captions on");
    button.setAttribute("aria-label", words);
    button.title = words;
  };

  const kept = chosen("captions");
  const usual = [...media.querySelectorAll("track")].find((track) => track.default)?.srclang;
  const same = (/** @type {string | undefined} */ wanted) => tracks.find(({ language }) => language === wanted)?.language;
  show(kept === NONE ? NONE : same(kept ?? undefined) ?? same(usual) ?? NONE);
  if (kept && kept !== NONE && same(kept)) last = kept;
  else if (usual && same(usual)) last = usual;

  const turn = (/** @type {string} */ language) => {
    choose("captions", language);
    show(language);
  };
  field.addEventListener("change", () => turn(field.value), { signal });
  player.addEventListener("captions-wanted", () => turn(field.value === NONE ? last : NONE), { signal });
}
