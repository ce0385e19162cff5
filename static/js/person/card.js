/** Somebody's card, beside the name or face that was pressed; on a phone a sheet from below. The server draws it. */
import { Company, stateInWords } from "../lib/company.js";
import { freshPage } from "../lib/fresh.js";
import { copy, say } from "../lib/say.js";
import { showTimes } from "../lib/time.js";
import { said, t } from "../lib/words.js";

/** Between the card and what it belongs to, and the edge of the window. In pixels. */
const GAP = 6;

class PersonCard extends HTMLElement {
  #left = new AbortController();

  connectedCallback() {
    const { signal } = this.#left;
    this.popover = "auto";
    this.setAttribute("role", "dialog");
    this.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "closed") this.remove();
    }, { signal });
    this.addEventListener("click", (event) => this.#pressed(event), { signal });
    this.addEventListener("submit", (event) => void this.#block(event), { signal });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  /**
   * @param {HTMLElement} about the card as the server drew it
   * @param {Element} anchor
   */
  show(about, anchor) {
    const id = Number(about.dataset.user);
    this.replaceChildren(about);
    this.setAttribute("aria-labelledby", `about-${id}`);
    showTimes(this);
    const place = anchor.getBoundingClientRect();
    this.showPopover();
    this.#stand(place);
    /** @type {HTMLElement | null} */ (this.querySelector(".about-actions :is(a, button)"))?.focus({ preventScroll: true });
    const company = new Company((users) => this.#learn(users), this.#left.signal);
    company.watch([id]);
  }

  /** Below what it belongs to, above it where there is no room. @param {DOMRect} place */
  #stand(place) {
    const { clientWidth, clientHeight } = document.documentElement;
    const below = place.bottom + GAP + this.offsetHeight < clientHeight;
    const top = below ? place.bottom + GAP : Math.max(GAP, place.top - GAP - this.offsetHeight);
    const left = Math.max(GAP, Math.min(place.left, clientWidth - this.offsetWidth - GAP));
    this.style.setProperty("--card-top", `${top}px`);
    this.style.setProperty("--card-left", `${left}px`);
  }

  /** @param {import("../lib/company.js").Presence[]} users */
  #learn([now]) {
    if (!now) return;
    const { state, text } = now;
    const about = /** @type {HTMLElement} */ (this.querySelector(".person-about"));
    // The moment that somebody was last here is worth more than the word that they aren't.
    if (about.dataset.state === state && state === "offline") return;
    about.dataset.state = state;
    /** @type {HTMLElement} */ (about.querySelector(".state-dot")).dataset.state = state;
    /** @type {HTMLElement} */ (about.querySelector(".about-state-words")).textContent = stateInWords(state);
    const words = /** @type {HTMLElement} */ (about.querySelector(".about-text"));
    words.textContent = text ?? "";
    words.hidden = !text;
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-copies]"));
    if (!button) return;
    void copy(button.dataset.copies ?? "").then((done) => {
      const words = done ? t("Copied") : t("Your browser did not let it be copied.");
      button.textContent = words;
      say(words);
    });
  }

  /** @param {SubmitEvent} event */
  async #block(event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const field = /** @type {HTMLInputElement} */ (form.elements.namedItem("blocked"));
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    const name = this.querySelector(".about-name")?.textContent ?? "";
    const username = /** @type {HTMLElement} */ (this.querySelector(".person-about")).dataset.username ?? "";
    const blocks = field.value === "on";
    button.disabled = true;
    const words = await setBlocked(username, blocks);
    button.disabled = false;
    if (words) return say(words);
    field.value = blocks ? "off" : "on";
    button.textContent = blocks ? t("Unblock") : t("Block");
    say(blocks ? t("{name} is blocked.", { name }) : t("{name} is not blocked any more.", { name }));
  }
}

/**
 * @param {string} username
 * @param {boolean} blocked
 * @returns {Promise<string>} what went wrong, or nothing
 */
async function setBlocked(username, blocked) {
  try {
    const answer = await fetch(`/api/v1/me/blocks/${encodeURIComponent(username)}`, { method: blocked ? "PUT" : "DELETE" });
    if (answer.ok) return "";
    return said((await answer.json()).detail);
  } catch {
    return t("That did not get through. Try again when you are connected.");
  }
}

customElements.define("person-card", PersonCard);

/**
 * Opens the card of a person; without a connection nothing happens but a word.
 * @param {number} id
 * @param {Element} anchor
 */
export async function openCard(id, anchor) {
  const page = await freshPage(`/people/${id}?card=1`);
  if (!page) return say(t("That did not get through. Try again when you are connected."));
  const about = /** @type {HTMLElement | null} */ (page.querySelector(".person-about"));
  // Somebody who is gone, or a session that is: the page itself says so.
  if (!about) return void (location.href = `/people/${id}`);
  document.querySelector("person-card")?.remove();
  const card = /** @type {PersonCard} */ (document.createElement("person-card"));
  document.body.append(card);
  card.show(document.adoptNode(about), anchor);
}
