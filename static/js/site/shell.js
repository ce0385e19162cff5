/** What every page does: the rail's counts, the tab's title, times, and the word about a lost connection. */
import { offlineWords } from "../lib/banner.js";
import { stateInWords } from "../lib/company.js";
import { keepFolding } from "../lib/fold.js";
import { keepHere } from "../lib/here.js";
import { hasCommand, isTyping, singleKeys, takesLetters } from "../lib/keys.js";
import { live, on } from "../lib/live.js";
import { initials, showCard, showFaces, whoseIs } from "../lib/person.js";
import { keepRail } from "../lib/rail.js";
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
  status: () => import("./status.js"),
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
    on("ready", (frame) => {
      this.#isReady();
      this.#showState(frame.user.status.state, frame.user.status.text);
    }, signal);
    on("down", () => this.#isDown(), signal);
    on("notice", (frame) => this.#notice(frame), signal);
    keepRail(this, signal);
    keepHere((title) => {
      this.#title = title;
      this.#showCounts();
    }, signal);
    on("rooms-changed", () => this.#showCounts(), signal);
    for (const fact of ["written", "kept", "withdrawn", "failed"]) on(fact, () => this.#count(), signal);
    on("profile", (profile) => this.#profile(profile), signal);
    on("presence", (users) => this.#ownState(users), signal);
    followKeyboard(signal);
    keepFolding(signal);
    if (live.user) {
      if (isCarried()) void import("./dock.js");
      sound.start();
      // Brought while there is a server, once the page has nothing else to do: offline it couldn't be, and letters typed
      // after the keys must find their box.
      on("ready", () => whenIdle(() => { for (const part of Object.values(PARTS)) part().catch(() => {}); }), signal);
    }
    addEventListener("keydown", (event) => this.#key(event), { signal });
    sound.addEventListener("changed", () => this.#showSound(), { signal });
    addEventListener("keys-wanted", () => void this.#open("keysheet"), { signal });
    this.addEventListener("click", (event) => this.#pressed(event), { signal });
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const button = /** @type {HTMLElement} */ (event.target).closest("[data-opens]");
    if (button instanceof HTMLElement) return void this.#open(/** @type {any} */ (button.dataset.opens), button);
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || !live.user) return;
    const target = /** @type {Element} */ (event.target);
    const who = whoseIs(target);
    if (!who) return;
    event.preventDefault();
    void showCard(who, target);
  }

  /** @param {{user: number, username: string, name: string, guest: boolean, faces?: string}} profile */
  #profile({ user, username, name, guest, faces }) {
    showFaces(faces ?? "");
    if (user !== live.user) return;
    for (const shown of this.querySelectorAll(".me-name, .rail-me-name")) shown.textContent = name;
    for (const face of this.querySelectorAll(".me .face, .rail-me .face")) face.firstChild?.replaceWith(initials(name));
    const under = this.querySelector(".rail-me-user");
    if (under) under.textContent = guest ? t("guest") : username;
    this.querySelector(".me .guest")?.toggleAttribute("hidden", !guest);
  }

  /** @param {{user: number, state: string, text?: string}[]} users */
  #ownState(users) {
    const own = users.find(({ user }) => user === live.user);
    if (own && own.state !== "offline") this.#showState(own.state, own.text ?? "");
  }

  /** @param {string} state @param {string} text */
  #showState(state, text) {
    const dot = /** @type {HTMLElement | null} */ (this.querySelector(".rail-state .state-dot"));
    const button = this.querySelector(".rail-state");
    if (!dot || !button) return;
    dot.dataset.state = state;
    const words = t("Your status: {status}", { status: text || stateInWords(state) });
    button.setAttribute("aria-label", words);
    button.setAttribute("title", words);
  }

  /**
   * @param {"palette" | "keysheet" | "volume" | "status"} what
   * @param {HTMLElement} [button]
   */
  async #open(what, button) {
    await PARTS[what]();
    let element = /** @type {any} */ (document.querySelector(`site-${what}`));
    if (!element) {
      element = document.createElement(`site-${what}`);
      // Beside its button it is the next stop of the Tab key.
      if (button && (what === "volume" || what === "status")) button.after(element);
      else document.body.append(element);
    }
    if (what === "volume" || what === "status") element.toggle(button);
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

  /** The page's own search, or that of all messages. */
  #find() {
    const field = /** @type {HTMLElement | null} */ (document.querySelector("[role=search] input:not([type=hidden])"));
    if (field) field.focus();
    else location.assign("/search");
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
    if (frame.reconnect_in !== undefined) return;
    this.querySelector(".banner-quiet")?.remove();
    this.#banner(words);
  }

  /** @param {string} words */
  #banner(words) {
    const banner = /** @type {HTMLElement} */ (this.querySelector(".banner"));
    if (banner.textContent !== words) banner.textContent = words;
    banner.hidden = words === "";
  }

  #showCounts() {
    let all = 0;
    let isCalled = false;
    for (const room of live.rooms.all()) {
      const unread = live.rooms.count(room.id);
      if (room.kind === "board") {
        this.querySelector("[data-rail='board']")?.classList.toggle("is-unread", unread > 0);
        continue;
      }
      isCalled ||= live.rooms.isCalled(room.id);
      const place = this.querySelector(`[data-rail-room="${room.id}"]`);
      const count = /** @type {HTMLElement | null} */ (place?.querySelector(".place-count"));
      all += unread;
      if (!place || !count) continue;
      place.classList.toggle("is-unread", unread > 0);
      place.classList.toggle("is-called", live.rooms.isCalled(room.id));
      place.classList.toggle("is-muted", room.level === "none");
      count.hidden = unread === 0;
      count.textContent = live.rooms.label(room.id);
    }
    document.title = all > 0 ? `(${all > 99 ? "99+" : all}) ${this.#title}` : this.#title;
    showIcon(isCalled ? "favicon-called.svg" : all > 0 ? "favicon-new.svg" : "favicon.svg");
  }
}

/** @param {() => void} work */
function whenIdle(work) {
  if ("requestIdleCallback" in window) requestIdleCallback(work, { timeout: 2000 });
  else setTimeout(work, 300);
}

/** The tab's icon has a mark when something waits. @param {string} name */
function showIcon(name) {
  const link = /** @type {HTMLLinkElement | null} */ (document.querySelector("link[rel=icon]"));
  const href = name === "favicon.svg" ? `/${name}` : new URL(`../../${name}`, import.meta.url).pathname;
  if (link && link.getAttribute("href") !== href) link.setAttribute("href", href);
}

/** Whether something was playing in the page before; never where the browser keeps nothing. */
function isCarried() {
  try {
    return sessionStorage.getItem("hubbub-dock") !== null;
  } catch {
    return false;
  }
}

customElements.define("site-shell", SiteShell);
