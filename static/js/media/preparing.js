/** How far the preparation of an item is, live; and the page as it is afterwards, without disturbing who plays. */
import { t } from "../lib/words.js";

/** Between two looks, ms. */
const PAUSE = 1000;
/** The same while the server doesn't answer. */
const LONGER = 5000;

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
    if (!(media instanceof HTMLMediaElement) || (media.paused && media.currentTime === 0)) {
      location.reload();
      return;
    }
    this.querySelector("progress")?.remove();
    this.querySelector("form")?.remove();
    const again = document.createElement("a");
    again.href = location.pathname;
    again.textContent = t("Show it");
    this.#says.textContent = `${state === "ready" ? t("It is prepared now.") : t("It could not be prepared.")} `;
    this.#says.append(again);
  }
}

customElements.define("media-preparing", MediaPreparing);
