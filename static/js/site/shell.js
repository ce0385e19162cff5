/** What every page does: the rail's counts, the tab's title, times, and the word about a lost connection. */
import { live, on } from "../lib/live.js";
import { showTimes } from "../lib/time.js";

/** A lost connection is worth a word only when it lasts. */
const PATIENCE = 5000;
const MINUTE = 60_000;

class SiteShell extends HTMLElement {
  #left = new AbortController();
  /** @type {any} */ #bannerTimer = null;
  #title = document.title;

  connectedCallback() {
    const { signal } = this.#left;
    showTimes(this);
    const minutes = setInterval(() => showTimes(this), MINUTE);
    signal.addEventListener("abort", () => clearInterval(minutes));
    // A chosen hue comes as a number; a style attribute would break the content security policy.
    if (document.body.dataset.hue) document.documentElement.style.setProperty("--hue", document.body.dataset.hue);
    on("ready", () => this.#isReady(), signal);
    on("down", () => this.#isDown(), signal);
    on("notice", (frame) => this.#notice(frame), signal);
    on("room", (room) => this.#room(room), signal);
    on("rooms-changed", () => this.#showCounts(), signal);
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #isReady() {
    clearTimeout(this.#bannerTimer);
    this.#bannerTimer = null;
    this.#banner("");
  }

  #isDown() {
    this.#bannerTimer ??= setTimeout(() => this.#banner(offlineWords(live.outbox.all().length)), PATIENCE);
  }

  /** @param {{text?: string, message?: string, reconnect_in?: number}} frame */
  #notice(frame) {
    const words = frame.text ?? frame.message ?? "";
    // A restart is over in a moment; the banner of a lost connection speaks if it isn't.
    if (words && frame.reconnect_in === undefined) this.#banner(words);
  }

  /** @param {string} words */
  #banner(words) {
    const banner = /** @type {HTMLElement} */ (this.querySelector(".banner"));
    banner.textContent = words;
    banner.hidden = words === "";
  }

  /** @param {any} room */
  #room(room) {
    const place = this.querySelector(`[data-rail-room="${room.id}"]`);
    if (room.gone || room.joined === false) {
      place?.closest("li")?.remove();
      return;
    }
    if (place) {
      const name = place.querySelector(".place-name");
      if (name && room.name) name.textContent = room.name;
    } else if (room.kind === "channel" && room.joined) {
      this.#addPlace(room);
    }
  }

  /** @param {any} room */
  #addPlace(room) {
    const template = /** @type {HTMLTemplateElement} */ (this.querySelector("#rail-place"));
    const item = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
    link.href = `/c/${encodeURIComponent(room.name)}`;
    link.dataset.railRoom = String(room.id);
    const name = link.querySelector(".place-name");
    if (name) name.textContent = room.name;
    this.querySelector("[data-rail-channels]")?.append(item);
  }

  #showCounts() {
    let all = 0;
    for (const room of live.rooms.all()) {
      const unread = live.rooms.unread(room.id);
      if (room.kind === "board") {
        this.querySelector("[data-rail='board']")?.classList.toggle("is-unread", unread > 0);
        continue;
      }
      const place = this.querySelector(`[data-rail-room="${room.id}"]`);
      const count = /** @type {HTMLElement | null} */ (place?.querySelector(".place-count"));
      if (!place || !count || place.classList.contains("is-muted")) continue;
      all += unread;
      place.classList.toggle("is-unread", unread > 0);
      count.hidden = unread === 0;
      count.textContent = unread > 99 ? "99+" : String(unread);
    }
    document.title = all > 0 ? `(${all > 99 ? "99+" : all}) ${this.#title}` : this.#title;
  }
}

/** @param {number} unsent @returns {string} */
function offlineWords(unsent) {
  if (unsent === 0) return "You are offline. What you write is kept and goes out when you are back.";
  return `You are offline. ${unsent === 1 ? "One message" : `${unsent} messages`} will go out when you are back.`;
}

customElements.define("site-shell", SiteShell);
