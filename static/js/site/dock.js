/** What was playing goes on while one reads elsewhere. Brought only where something plays. */
import { chosen } from "../lib/choices.js";
import { carried, playedIn, putDown, soundAlone, takeUp } from "../lib/carry.js";
import { freshPage } from "../lib/fresh.js";
import { icon } from "../lib/icon.js";
import { clock } from "../lib/moments.js";
import { keepPosition } from "../lib/position.js";
import { say } from "../lib/say.js";
import { t } from "../lib/words.js";

/** Files of a list that don't play are passed over; with so many in a row nobody waits for the next one. */
const PASSED = 20;

const base = new URL("../../", import.meta.url).pathname;

class SiteDock extends HTMLElement {
  #left = new AbortController();
  media = document.createElement("audio");
  /** @type {import("../lib/carry.js").Carried | null} */ #carried = null;
  #now = document.createElement("span");
  #link = document.createElement("a");
  #toggle = document.createElement("button");

  /** @param {import("../lib/carry.js").Carried} found */
  begin(found) {
    const { signal } = this.#left;
    const { media } = this;
    this.#build();
    media.preservesPitch = true;
    media.defaultPlaybackRate = media.playbackRate = found.rate;
    const volume = Number.parseFloat(chosen("volume") ?? "");
    if (volume >= 0 && volume <= 1) media.volume = volume;
    soundAlone(media, signal);
    media.addEventListener("playing", () => { this.dataset.gap ??= String(Date.now() - found.at); }, { signal });
    for (const fact of ["play", "pause", "timeupdate", "ended"]) media.addEventListener(fact, () => this.#show(), { signal });
    media.addEventListener("error", () => this.#close(), { signal });
    media.addEventListener("ended", () => void this.#goOn(), { signal });
    keepPosition(this, signal);
    addEventListener("pagehide", () => {
      putDown({ ...(this.#carried ?? found), time: media.currentTime, rate: media.playbackRate, playing: !media.paused });
      media.pause();
    }, { signal });
    addEventListener("pageshow", (event) => { if (event.persisted) this.#again(); }, { signal });
    this.#play(found);
  }

  /** @param {import("../lib/carry.js").Carried} found */
  #play(found) {
    this.#carried = found;
    Object.assign(this.#link, { href: found.href, textContent: found.title });
    // The browser begins to load at this moment and no earlier.
    this.media.src = `${found.src.split("#")[0]}#t=${found.time.toFixed(3)}`;
    if (found.playing) this.media.play().catch(() => this.#show());
    this.#show();
  }

  /** What a list plays after this. */
  async #goOn() {
    const before = this.#carried;
    for (let next = before?.next ?? "", passed = 0; next && passed < PASSED; passed += 1) {
      const page = await freshPage(next, this.#left.signal);
      // Somebody has pressed play again meanwhile.
      if (!page || !before || !this.media.ended) return;
      const found = playedIn(page);
      if (found.src) {
        this.#play({ ...before, ...found, time: 0, playing: true });
        return say(t("Now playing: {title}", { title: found.title }));
      }
      next = found.next;
    }
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  get item() {
    return this.#carried?.item ?? 0;
  }

  /** In seconds. */
  get length() {
    return Number.isFinite(this.media.duration) ? this.media.duration : 0;
  }

  /** The page is back as it was left. */
  #again() {
    const found = takeUp();
    if (!found || found.item !== this.item) return this.#close();
    this.media.currentTime = found.time;
    if (found.playing) this.media.play().catch(() => {});
  }

  #build() {
    this.className = "dock";
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("Playing"));
    Object.assign(this.#toggle, { type: "button", className: "tool dock-toggle" });
    this.#toggle.append(icon("play"), icon("pause"));
    this.#toggle.addEventListener("click", () => {
      if (this.media.paused) this.media.play().catch(() => {});
      else this.media.pause();
    });
    this.#link.className = "dock-title";
    this.#now.className = "dock-now";
    const close = document.createElement("button");
    Object.assign(close, { type: "button", className: "tool", title: t("Stop and close") });
    close.setAttribute("aria-label", t("Stop and close"));
    close.append(icon("close"));
    close.addEventListener("click", () => this.#close());
    this.append(this.#toggle, this.#link, this.#now, close, this.media);
  }

  #show() {
    const { media } = this;
    this.classList.toggle("is-playing", !media.paused);
    const words = media.paused ? t("Play") : t("Pause");
    this.#toggle.setAttribute("aria-label", words);
    this.#toggle.title = words;
    this.#now.textContent = this.length > 0 ? `${clock(media.currentTime)} / ${clock(this.length)}` : clock(media.currentTime);
  }

  #close() {
    this.media.pause();
    this.remove();
  }
}

customElements.define("site-dock", SiteDock);

/** The item's own page goes on with it itself. */
function isAtHome(/** @type {number} */ item) {
  return document.querySelector(`media-player[data-item="${item}"]`) !== null;
}

const found = carried();
if (found && document.body.dataset.user !== undefined && !isAtHome(found.item)) {
  takeUp();
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: `${base}css/dock.css` });
  document.head.append(style);
  const dock = /** @type {SiteDock} */ (document.createElement("site-dock"));
  document.querySelector(".pane")?.append(dock);
  dock.begin(found);
}
