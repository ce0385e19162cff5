/** How far the preparation of an item is, live; and the page as it is afterwards, without disturbing who plays. */
import { freshPage, takeOver } from "../lib/fresh.js";
import { say } from "../lib/say.js";
import { t } from "../lib/words.js";

/** Between two looks, ms. */
const PAUSE = 1000;
/** The same while the server doesn't answer. */
const LONGER = 5000;
/** What stands for the item: the player and all that is said of it, without the talk. */
const PLACE = ".beside-thing";

/** @typedef {import("./player.js").MediaPlayer} Player */
/** @typedef {HTMLElement & {together: import("../lib/together.js").Together | null}} Group */

class MediaPreparing extends HTMLElement {
  #leaving = new AbortController();
  #timer = 0;

  connectedCallback() {
    if (this.dataset.state !== "failed") this.#later(PAUSE);
  }

  disconnectedCallback() {
    this.#leaving.abort();
    clearTimeout(this.#timer);
  }

  get #says() {
    return /** @type {HTMLElement} */ (this.querySelector(".preparing-says"));
  }

  /** @param {number} pause */
  #later(pause) {
    this.#timer = window.setTimeout(() => void this.#look(), pause);
  }

  async #look() {
    const { signal } = this.#leaving;
    try {
      const answer = await fetch(`/api/v1/media/${this.dataset.item}`, { signal, headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      this.#show(await answer.json());
    } catch {
      if (!signal.aborted) this.#later(LONGER);
    }
  }

  /** @param {{state: string, progress?: number}} item */
  #show({ state, progress = 0 }) {
    if (state === "ready" || state === "failed") {
      this.#finish(state);
      return;
    }
    this.dataset.state = state;
    const bar = this.querySelector("progress");
    if (bar) bar.value = progress;
    const words = state === "waiting" ? t("It waits to be prepared for browsers.")
      : t("It is being prepared for browsers: {percent} %", { percent: progress });
    if (this.#says.textContent !== words) this.#says.textContent = words;
    this.#later(PAUSE);
  }

  /** @param {string} state */
  #finish(state) {
    this.dataset.state = state;
    const media = document.querySelector("media-player :is(video, audio)");
    // Whoever listens to the original already isn't interrupted.
    if (!(media instanceof HTMLMediaElement) || (media.paused && media.currentTime === 0)) return void this.#renew();
    this.querySelector("progress")?.remove();
    this.querySelector("form")?.remove();
    const again = document.createElement("a");
    again.href = location.pathname;
    again.textContent = t("Show it");
    again.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      void this.#renew();
    });
    this.#says.textContent = `${state === "ready" ? t("It is prepared now.") : t("It could not be prepared.")} `;
    this.#says.append(again);
  }

  /** Shows the item as it is now. The rest of the page stays: somebody may be writing in the talk beside it. */
  async #renew() {
    const page = await freshPage(location.href, this.#leaving.signal);
    const place = document.querySelector(PLACE);
    // On a whole screen somebody watches; what fills it can't be taken away.
    if (!page?.querySelector(PLACE) || !place || document.fullscreenElement) return this.#later(LONGER);
    const old = /** @type {Player | null} */ (place.querySelector("media-player"));
    const [time, isPlaying] = old?.media ? [old.currentTime, !old.paused] : [0, false];
    const isTogether = /** @type {Group | null} */ (place.querySelector("media-together"))?.together?.isWatching;
    const [top, hadFocus] = [place.scrollTop, place.contains(document.activeElement)];
    takeOver(page, PLACE);
    const now = /** @type {Element} */ (document.querySelector(PLACE));
    const player = /** @type {Player | null} */ (now.querySelector("media-player"));
    now.scrollTop = top;
    if (time > 0) player?.seek(time);
    if (isPlaying) player?.play().catch(() => {});
    if (isTogether) void /** @type {Group | null} */ (now.querySelector("media-together"))?.together?.join().catch(() => {});
    if (hadFocus) /** @type {HTMLElement | null} */ (now.querySelector("media-preparing button, media-player"))?.focus({ preventScroll: true });
    document.dispatchEvent(new CustomEvent("player-renewed"));
    say(this.dataset.state === "ready" ? t("It is prepared now.") : t("It could not be prepared."));
  }
}

customElements.define("media-preparing", MediaPreparing);
