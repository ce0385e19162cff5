/** What is recorded of a stream: the switch and the list follow what the server says, without a reload. */
import { freshPage, takeOver } from "../lib/fresh.js";
import { t } from "../lib/words.js";

/** All who watch hear at the same moment that something has changed; their questions come within this time, ms. */
const SPREAD = 1500;

class LiveRecordings extends HTMLElement {
  #leaving = new AbortController();
  /** When it changed last as far as known, ms of the server. */
  #changed = 0;
  #renewing = false;
  #again = false;
  #waiting = 0;

  connectedCallback() {
    const { signal } = this.#leaving;
    this.#changed = Number(this.dataset.changed);
    document.addEventListener("recording-told", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail), { signal });
    document.addEventListener("submit", (event) => void this.#submit(event), { signal });
  }

  disconnectedCallback() {
    this.#leaving.abort();
    clearTimeout(this.#waiting);
  }

  get #address() {
    return `/live/${this.dataset.name}/recordings`;
  }

  /** @param {{since?: number, changed: number}} state */
  #hear({ since, changed }) {
    const mark = /** @type {HTMLElement | null} */ (document.querySelector(".rec-mark"));
    if (mark) mark.hidden = since === undefined;
    if (changed === this.#changed) return;
    this.#changed = changed;
    // Whoever may switch it waits for what the button says.
    const wait = document.querySelector(".record form") ? 0 : Math.random() * SPREAD;
    clearTimeout(this.#waiting);
    this.#waiting = window.setTimeout(() => void this.#renew(), wait);
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || new URL(form.action).pathname !== this.#address) return;
    event.preventDefault();
    const fields = new URLSearchParams(/** @type {any} */ (new FormData(form, event.submitter)));
    const told = /** @type {HTMLElement} */ (this.querySelector(".recordings-told"));
    try {
      const answer = await fetch(form.action, { method: "POST", body: fields, signal: this.#leaving.signal });
      told.textContent = answer.ok ? "" : t("That didn't work. Try again.");
    } catch {
      told.textContent = t("You are not connected. Try again.");
    }
    await this.#renew();
  }

  /** One at a time; what is told meanwhile is looked up afterwards. */
  async #renew() {
    if (this.#renewing) {
      this.#again = true;
      return;
    }
    this.#renewing = true;
    do {
      this.#again = false;
      const page = await freshPage(this.#address, this.#leaving.signal);
      const pressed = document.querySelector(".record")?.contains(document.activeElement);
      takeOver(page, ".record", ".recordings");
      const button = /** @type {HTMLElement | null} */ (document.querySelector(".record button"));
      // The button says something else now; whoever was on it stays on it.
      if (pressed) button?.focus({ preventScroll: true });
    } while (this.#again);
    this.#renewing = false;
  }
}

customElements.define("live-recordings", LiveRecordings);
