/** The line under the player from which people begin to watch together, and that says who does. */
import { live } from "../lib/live.js";
import { RequestError } from "../lib/socket.js";
import { Together } from "../lib/together.js";
import { said, t } from "../lib/words.js";

/** @typedef {import("../lib/together.js").Told} Told */
/** @typedef {import("./player.js").MediaPlayer} MediaPlayer */

/** How long that word stays, ms. */
const NOTED = 6000;

class MediaTogether extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  line = /** @type {HTMLElement} */ (this.querySelector(".together-says"));
  start = /** @type {HTMLButtonElement} */ (this.querySelector(".together-start"));
  end = /** @type {HTMLButtonElement} */ (this.querySelector(".together-leave"));
  sound = /** @type {HTMLButtonElement} */ (this.querySelector(".together-sound"));
  /** @type {Together | null} */ together = null;
  #hasWatched = false;
  /** Until when a word stays that is more than who watches. */
  #noted = 0;

  connectedCallback() {
    const player = /** @type {MediaPlayer | null} */ (document.querySelector("media-player"));
    if (!player?.media || !live.user) return;
    this.hidden = false;
    const { signal } = this.#left;
    this.together = new Together(player, this.room, (told) => this.#show(told), signal);
    this.start.addEventListener("click", () => void this.#join(), { signal });
    this.end.addEventListener("click", () => void this.#leave(), { signal });
    this.sound.addEventListener("click", () => void this.together?.unmute().then(() => { this.sound.hidden = true; }), { signal });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  async #join() {
    this.start.disabled = true;
    try {
      if (!live.rooms.get(this.room)) await live.socket.request("join", { room: this.room });
      await this.together?.join();
      this.#hasWatched = true;
      this.end.focus({ preventScroll: true });
    } catch (error) {
      const isRefused = error instanceof RequestError && error.code !== "offline";
      this.#say(isRefused ? said(error.message) : t("You are offline. You can watch together when you are back."));
    } finally {
      this.start.disabled = false;
    }
  }

  async #leave() {
    this.#hasWatched = false;
    await this.together?.leave().catch(() => {});
    this.start.focus({ preventScroll: true });
  }

  /** @param {Told} told */
  #show({ watching, people, begun }) {
    const isIn = this.together?.isWatching === true;
    if (!isIn) this.#hasWatched = false;
    this.classList.toggle("is-on", watching > 0);
    this.start.hidden = isIn;
    this.end.hidden = !isIn;
    this.sound.hidden = !(isIn && this.together?.silence.isOn);
    const label = this.start.querySelector("span");
    if (label) label.textContent = watching > 0 ? t("Watch with them") : t("Watch together");
    if (isIn && begun && this.#hasWatched) {
      this.#noted = performance.now() + NOTED;
      this.#say(t("The connection was lost. It goes on from where you were."));
    }
    if (isIn && performance.now() < this.#noted) return;
    const others = people.filter(({ user }) => user !== live.user).map(({ name }) => name);
    if (isIn) this.#say(others.length > 0 ? t("You watch with {names}", { names: named(others, watching - 1) }) : t("You watch. Others join you on this page."));
    else this.#say(others.length > 0 ? t("Watching now: {names}", { names: named(others, watching) }) : "");
  }

  /** @param {string} words */
  #say(words) {
    if (this.line.textContent !== words) this.line.textContent = words;
  }
}

/** @param {string[]} names @param {number} count how many there are in all */
function named(names, count) {
  const shown = names.slice(0, 3).join(", ");
  return count > 3 ? t("{names} and {count} others", { names: shown, count: count - 3 }) : shown;
}

customElements.define("media-together", MediaTogether);
