/** What is heard goes on in the next page: what plays is put down when a page is left, and taken up where it arrives. */

/** Put down for the moment between two pages of one tab. */
const KEY = "hubbub-dock";
/** Longer than any way from page to page, ms: who comes back after that begins by hand. */
const FRESH = 20_000;

/** @typedef {{item: number, title: string, src: string, time: number, rate: number, playing: boolean, at: number}} Carried `at` in ms of the wall clock */

/** @param {Omit<Carried, "at">} carried */
export function putDown(carried) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ ...carried, at: Date.now() }));
  } catch {
    // It is silent in the next page.
  }
}

/** What was put down last, left where it is. @returns {Carried | null} */
export function carried() {
  try {
    const text = sessionStorage.getItem(KEY);
    const found = text ? JSON.parse(text) : null;
    if (found && Date.now() - found.at > FRESH) found.playing = false;
    return found;
  } catch {
    return null;
  }
}

/** Taken up once: a second page would play it too. @returns {Carried | null} */
export function takeUp() {
  const found = carried();
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was put down either.
  }
  return found;
}

/**
 * A recording goes on in the next page when its own is left, and is taken back when that is opened again.
 * @param {import("../media/player.js").MediaPlayer} player
 * @param {AbortSignal} signal
 */
export function carryOn(player, signal) {
  const { media } = player;
  soundAlone(media, signal);
  if (player.isVideo) return;
  const found = carried()?.item === player.item ? takeUp() : null;
  if (found) {
    player.seek(found.time);
    player.rate = found.rate;
    media.addEventListener("playing", () => { player.dataset.gap ??= String(Date.now() - found.at); }, { signal });
    if (found.playing) media.play().catch(() => {});
    /** @type {HTMLElement} */ (player.querySelector(".player-says")).hidden = true;
  }
  addEventListener("pagehide", () => {
    if (media.paused || media.ended) return;
    const title = document.querySelector(".player-title")?.textContent ?? document.title;
    putDown({ item: player.item, title, src: media.currentSrc, time: media.currentTime, rate: media.playbackRate, playing: true });
  }, { signal });
}

/**
 * Never two at once, in this page and in all others: whoever begins is heard, the others pause.
 * @param {HTMLMediaElement} media
 * @param {AbortSignal} signal
 */
export function soundAlone(media, signal) {
  const self = String(crypto.getRandomValues(new Uint32Array(2)));
  const begun = () => {
    channel?.postMessage(self);
    document.dispatchEvent(new CustomEvent("sound-begun", { detail: media }));
  };
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("hubbub-sound") : null;
  channel?.addEventListener("message", ({ data }) => { if (data !== self) media.pause(); }, { signal });
  signal.addEventListener("abort", () => channel?.close());
  document.addEventListener("sound-begun", (event) => {
    if (/** @type {CustomEvent} */ (event).detail !== media) media.pause();
  }, { signal });
  media.addEventListener("play", begun, { signal });
}
