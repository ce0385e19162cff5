/** What every page does: the rail's counts, the tab's title, times, and the word about a lost connection. */
import { offlineWords } from "../lib/banner.js";
import { hasCommand, isTyping, singleKeys, takesLetters } from "../lib/keys.js";
import { live, on } from "../lib/live.js";
import { say } from "../lib/say.js";
import { sound } from "../lib/sound.js";
import { step } from "../lib/steps.js";
import { showTimes } from "../lib/time.js";
import { followKeyboard } from "../lib/viewport.js";
import { said, t } from "../lib/words.js";

/** A lost connection is worth a word only when it lasts. */
const PATIENCE = 5000;
const MINUTE = 60_000;

/** What opens over the page. */
const PARTS = {
  palette: () => import("./palette.js"),
  keysheet: () => import("./keysheet.js"),
  volume: () => import("./volume.js"),
};

class SiteShell extends HTMLElement {
  #left = new AbortController();
  /** @type {any} */ #bannerTimer = null;
  #isOffline = false;
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
    for (const fact of ["written", "kept", "withdrawn", "failed"]) on(fact, () => this.#count(), signal);
    followKeyboard(signal);
    if (live.user) {
      sound.start();
      // Brought while there is a server: offline it couldn't be, and letters typed after the keys must find their box.
      for (const part of Object.values(PARTS)) part().catch(() => {});
    }
    addEventListener("keydown", (event) => this.#key(event), { signal });
    sound.addEventListener("changed", () => this.#showSound(), { signal });
    addEventListener("keys-wanted", () => void this.#open("keysheet"), { signal });
    this.addEventListener("click", (event) => this.#pressed(event), { signal });
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-opens]");
    if (button instanceof HTMLElement) void this.#open(/** @type {any} */ (button.dataset.opens), button);
  }

  /**
   * @param {"palette" | "keysheet" | "volume"} what
   * @param {HTMLElement} [button]
   */
  async #open(what, button) {
    await PARTS[what]();
    let element = /** @type {any} */ (document.querySelector(`site-${what}`));
    if (!element) {
      element = document.createElement(`site-${what}`);
      // Beside its button it is the next stop of the Tab key.
      if (button && what === "volume") button.after(element);
      else document.body.append(element);
    }
    if (what === "volume") element.toggle(button);
    else element.open();
  }

  #showSound() {
    const button = this.querySelector("[data-opens=volume]");
    const isOff = !sound.isOn || sound.volume === 0;
    const words = isOff ? t("Sounds are off") : t("Sounds");
    button?.setAttribute("aria-label", words);
    button?.setAttribute("title", words);
    button?.classList.toggle("is-off", isOff);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!live.user || event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || !this.#answer(event)) return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was meant for the page */
  #answer(event) {
    if (hasCommand(event) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      void this.#open("palette");
      return true;
    }
    if (event.ctrlKey || event.metaKey) return false;
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && !isTyping(event.target)) {
      if (!step(this, event.key === "ArrowUp" ? -1 : 1, event.shiftKey)) say(event.shiftKey ? t("Nothing new anywhere else.") : t("There is no other room."));
      return true;
    }
    if (event.altKey || takesLetters(event.target) || !singleKeys()) return false;
    if (event.key === "?") void this.#open("keysheet");
    else if (event.key === "/") this.#find();
    else return false;
    return true;
  }

  /** The page's own search, or the way to anywhere. */
  #find() {
    const field = /** @type {HTMLElement | null} */ (document.querySelector("[role=search] input:not([type=hidden])"));
    if (field) field.focus();
    else void this.#open("palette");
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #isReady() {
    clearTimeout(this.#bannerTimer);
    this.#bannerTimer = null;
    this.#isOffline = false;
    this.#banner("");
  }

  #isDown() {
    this.#bannerTimer ??= setTimeout(() => {
      this.#isOffline = true;
      this.#count();
    }, PATIENCE);
  }

  #count() {
    if (this.#isOffline) this.#banner(offlineWords());
  }

  /** @param {{text?: string, message?: string, reconnect_in?: number}} frame */
  #notice(frame) {
    const words = said(frame.text ?? frame.message ?? "");
    // A restart is over in a moment; the banner of a lost connection speaks if it isn't.
    if (words && frame.reconnect_in === undefined) this.#banner(words);
  }

  /** @param {string} words */
  #banner(words) {
    const banner = /** @type {HTMLElement} */ (this.querySelector(".banner"));
    if (banner.textContent !== words) banner.textContent = words;
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

customElements.define("site-shell", SiteShell);
