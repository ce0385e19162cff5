/** What is heard goes on in the next page: what plays is put down when a page is left, and taken up where it arrives. */

/** Put down for the moment between two pages of one tab. */
const KEY = "hubbub-dock";
/** Longer than any way from page to page, ms: who comes back after that begins by hand. */
const FRESH = 20_000;

/**
 * @typedef {object} Carried
 * @property {number} item
 * @property {string} title
 * @property {string} href its page
 * @property {string} next the page of what a list plays after it; empty for nothing
 * @property {string} src
 * @property {number} time seconds
 * @property {number} rate
 * @property {boolean} playing
 * @property {number} at when it was put down, ms of the wall clock
 */

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
 * What a page plays, and what comes after it.
 * @param {Document} page this one, or one that was fetched
 * @returns {{item: number, title: string, href: string, next: string, src: string}} `src` empty where nothing plays
 */
export function playedIn(page) {
  const player = /** @type {HTMLElement | null} */ (page.querySelector("media-player"));
  const item = Number(player?.dataset.item ?? 0);
  const href = (/** @type {string} */ link) => page.querySelector(link)?.getAttribute("href") ?? "";
  return {
    item,
    title: page.querySelector(".player-title")?.textContent ?? "",
    href: href(".list-items a[aria-current]") || `/media/${item}`,
    next: href(".list-next a[rel=next]"),
    src: player?.querySelector("video, audio")?.getAttribute("src") ?? "",
  };
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
  const taken = carried()?.item === player.item ? takeUp() : null;
  if (taken) {
    player.seek(taken.time);
    player.rate = taken.rate;
    media.addEventListener("playing", () => { player.dataset.gap ??= String(Date.now() - taken.at); }, { signal });
    if (taken.playing) media.play().catch(() => {});
    /** @type {HTMLElement} */ (player.querySelector(".player-says")).hidden = true;
  }
  addEventListener("pagehide", () => {
    if (media.paused || media.ended) return;
    putDown({ ...playedIn(document), src: media.currentSrc, time: media.currentTime, rate: media.playbackRate, playing: true });
  }, { signal });
}

/** When something began to be heard, and where: of two, the later one is heard. @typedef {{at: number, by: number}} Begun */

/**
 * Never two at once, in this page and in all others: whoever begins is heard, the others pause; one that a `sound-taken`
 * listener on the element keeps going plays on in silence instead.
 * @param {HTMLMediaElement} media
 * @param {AbortSignal} signal
 */
export function soundAlone(media, signal) {
  const by = crypto.getRandomValues(new Uint32Array(1))[0];
  /** @type {Begun} */
  let own = { at: 0, by };
  let wasHeard = false;
  const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("hubbub-sound") : null;

  const listen = () => {
    const isHeard = !media.paused && !media.muted;
    if (isHeard && !wasHeard) {
      own = { at: performance.timeOrigin + performance.now(), by };
      channel?.postMessage(own);
      document.dispatchEvent(new CustomEvent("sound-begun", { detail: own }));
    }
    wasHeard = isHeard;
  };
  /** @param {Begun} other */
  const give = (other) => {
    if (media.paused || other.by === by || other.at < own.at || (other.at === own.at && other.by < by)) return;
    if (media.dispatchEvent(new CustomEvent("sound-taken", { cancelable: true }))) media.pause();
  };
  channel?.addEventListener("message", ({ data }) => give(data), { signal });
  document.addEventListener("sound-begun", (event) => give(/** @type {CustomEvent<Begun>} */ (event).detail), { signal });
  signal.addEventListener("abort", () => channel?.close());
  for (const fact of ["play", "pause", "emptied", "volumechange"]) media.addEventListener(fact, listen, { signal });
}
