/**
 * The player: its own controls over the browser's element, which plays by itself where no script runs.
 *
 * Bubbling events, each after the fact: `media-played`, `media-paused`, `media-sought`, `media-rated`, `media-ended`, with
 * `{item, time, rate, playing}` as detail. `play`, `pause`, `seek`, `rate`, `currentTime` move it from outside.
 */
import { offerCaptions } from "../lib/captions.js";
import { carryOn } from "../lib/carry.js";
import { chosen, choose } from "../lib/choices.js";
import { followChapters } from "../lib/chapters.js";
import { clock } from "../lib/moments.js";
import { RATES, press } from "../lib/playkeys.js";
import { keepPosition, startAt } from "../lib/position.js";
import { offerQuality } from "../lib/quality.js";
import { copy, say } from "../lib/say.js";
import { previewMoments } from "../lib/scrub.js";
import { Seekbar } from "../lib/seekbar.js";
import { drawWave } from "../lib/wave.js";
import { t } from "../lib/words.js";

/** How long the controls stay over a whole screen without a hand that moves, ms. */
const IDLE = 2500;

export class MediaPlayer extends HTMLElement {
  #left = new AbortController();
  /** @type {any} */ #idle = null;
  /** @type {Seekbar | null} */ bar = null;

  connectedCallback() {
    const { media } = this;
    if (!media) return;
    const { signal } = this.#left;
    media.removeAttribute("controls");
    // Whoever presses the picture means the player with the next key too.
    this.tabIndex = -1;
    media.preservesPitch = true;
    this.#restore();
    this.bar = new Seekbar(this.#part(".seek"), media, () => this.length, (seconds) => this.seek(seconds));
    this.bar.listen(signal);
    for (const [fact, told] of [["play", "media-played"], ["pause", "media-paused"], ["seeked", "media-sought"], ["ratechange", "media-rated"], ["ended", "media-ended"]]) {
      media.addEventListener(fact, () => { this.#show(); this.#tell(told); }, { signal });
    }
    for (const fact of ["timeupdate", "durationchange", "loadedmetadata", "volumechange", "emptied"]) media.addEventListener(fact, () => this.#show(), { signal });
    media.addEventListener("volumechange", () => choose("volume", media.muted ? "0" : String(media.volume)), { signal });
    media.addEventListener("error", () => this.#failed(), { signal });
    for (const fact of ["waiting", "seeking", "stalled"]) media.addEventListener(fact, () => this.#waits(media.readyState < 3 && !media.paused), { signal });
    for (const fact of ["playing", "canplay", "pause", "seeked"]) media.addEventListener(fact, () => this.#waits(false), { signal });
    if (this.isVideo) {
      media.addEventListener("click", () => this.toggle(), { signal });
      media.addEventListener("dblclick", () => this.whole(), { signal });
    }
    this.addEventListener("click", (event) => this.#pressed(event), { signal });
    this.addEventListener("change", (event) => this.#turned(event), { signal });
    this.addEventListener("input", (event) => this.#turned(event), { signal });
    addEventListener("keydown", (event) => { if (press(event, this, this)) this.#wake(); }, { signal });
    for (const move of ["pointermove", "focusin"]) this.addEventListener(move, () => this.#wake(), { signal });
    document.addEventListener("fullscreenchange", () => this.#screen(), { signal });
    previewMoments(this);
    followChapters(this, signal);
    offerCaptions(this, signal);
    keepPosition(this, signal);
    startAt(this, signal);
    carryOn(this, signal);
    // After those who say where to begin: another form begins there too.
    offerQuality(this, signal);
    void drawWave(this, signal);
    this.dataset.ready = "";
    if (media.error) this.#failed();
    this.#show();
  }

  disconnectedCallback() {
    this.#left.abort();
    clearTimeout(this.#idle);
  }

  /** The browser's own element; nothing for a file that doesn't play. @returns {HTMLMediaElement} */
  get media() {
    return /** @type {HTMLMediaElement} */ (this.querySelector("video, audio"));
  }

  /** The item's number. */
  get item() {
    return Number(this.dataset.item);
  }

  get isVideo() {
    return this.media instanceof HTMLVideoElement;
  }

  /** In seconds; as the server measured it until the browser knows. */
  get length() {
    const { duration } = this.media;
    return Number.isFinite(duration) && duration > 0 ? duration : Number(this.dataset.length ?? 0) || 0;
  }

  /** In seconds. */
  get currentTime() {
    return this.media.currentTime;
  }

  get paused() {
    return this.media.paused;
  }

  /** 0.5 to 2. */
  get rate() {
    return this.media.playbackRate;
  }

  set rate(rate) {
    const kept = Math.min(2, Math.max(0.5, rate));
    this.media.defaultPlaybackRate = kept;
    this.media.playbackRate = kept;
    choose("rate", String(kept));
  }

  /** @returns {Promise<void>} fails where the browser wants a gesture first */
  play() {
    return this.media.play();
  }

  pause() {
    this.media.pause();
  }

  /** @param {number} seconds */
  seek(seconds) {
    const end = this.length || Infinity;
    this.media.currentTime = Math.min(Math.max(0, seconds), end);
    this.bar?.show();
  }

  toggle() {
    if (this.media.paused) this.play().catch((error) => { if (error.name !== "AbortError") this.#failed(); });
    else this.pause();
  }

  /** @param {number} by a share of all */
  louder(by) {
    const { media } = this;
    media.muted = false;
    media.volume = Math.min(1, Math.max(0, Math.round((media.volume + by) * 100) / 100));
    say(t("Volume {percent} %", { percent: Math.round(media.volume * 100) }));
  }

  mute() {
    const { media } = this;
    if (!media.muted && media.volume === 0) media.volume = 0.5;
    else media.muted = !media.muted;
  }

  captions() {
    this.dispatchEvent(new CustomEvent("captions-wanted", { bubbles: true }));
  }

  /** Over the whole screen, or back. */
  whole() {
    if (!this.isVideo) return;
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (this.requestFullscreen) this.requestFullscreen().catch(() => say(t("The browser doesn't allow it.")));
    // Phones of one make know it for the element alone.
    else /** @type {any} */ (this.media).webkitEnterFullscreen?.();
  }

  /** In a window of its own over other programs, or back. */
  corner() {
    const { media } = this;
    if (!(media instanceof HTMLVideoElement) || !document.pictureInPictureEnabled) return;
    const moved = document.pictureInPictureElement === media ? document.exitPictureInPicture() : media.requestPictureInPicture();
    moved.catch(() => say(t("The browser doesn't allow it.")));
  }

  /** The address of this moment. */
  get addressHere() {
    return `${location.origin}/media/${this.item}?t=${Math.floor(this.currentTime)}`;
  }

  /** @param {string} fact */
  #tell(fact) {
    const { media, item } = this;
    this.dispatchEvent(new CustomEvent(fact, { bubbles: true, detail: { item, time: media.currentTime, rate: media.playbackRate, playing: !media.paused } }));
  }

  /** @template {HTMLElement} T @param {string} selector @returns {T} */
  #part(selector) {
    return /** @type {T} */ (this.querySelector(selector));
  }

  #restore() {
    const { media } = this;
    const [volume, rate] = [Number.parseFloat(chosen("volume") ?? ""), Number.parseFloat(chosen("rate") ?? "")];
    if (volume >= 0 && volume <= 1) media.volume = volume;
    if (RATES.includes(rate)) this.rate = rate;
    this.#part(".deck-corner").hidden = !this.isVideo || !document.pictureInPictureEnabled;
    this.#part(".deck-whole").hidden = !this.isVideo;
  }

  /** @param {MouseEvent} event */
  #pressed(event) {
    const button = /** @type {Element} */ (event.target).closest("[data-player]");
    if (!(button instanceof HTMLElement)) return;
    const deed = button.dataset.player;
    if (deed === "toggle") this.toggle();
    else if (deed === "mute") this.mute();
    else if (deed === "captions") this.captions();
    else if (deed === "whole") this.whole();
    else if (deed === "corner") this.corner();
    else if (deed === "back") this.seek(this.currentTime - 10);
    else if (deed === "on") this.seek(this.currentTime + 10);
    else if (deed === "share") void this.share();
  }

  /** Copies the address of this moment. */
  async share() {
    const [address, time] = [this.addressHere, clock(this.currentTime)];
    const done = await copy(address);
    const words = done ? t("The link to {time} is copied.", { time }) : t("Copy it from here: {address}", { address });
    const line = /** @type {HTMLElement} */ (this.querySelector(".player-says"));
    line.textContent = words;
    line.hidden = false;
  }

  /** @param {Event} event */
  #turned(event) {
    const field = /** @type {HTMLInputElement} */ (event.target);
    if (field.matches(".deck-rate")) this.rate = Number(field.value);
    if (field.matches(".deck-loud")) {
      this.media.muted = false;
      this.media.volume = Number(field.value) / 100;
    }
  }

  #show() {
    const { media } = this;
    this.classList.toggle("is-playing", !media.paused);
    name(this.#part(".deck-play"), media.paused ? t("Play") : t("Pause"));
    const isSilent = media.muted || media.volume === 0;
    this.classList.toggle("is-silent", isSilent);
    name(this.#part(".deck-mute"), isSilent ? t("Sound on") : t("Sound off"));
    this.#part(".deck-now").textContent = clock(media.currentTime);
    this.#part(".deck-length").textContent = clock(this.length);
    const loud = /** @type {HTMLInputElement} */ (this.#part(".deck-loud"));
    loud.value = String(isSilent ? 0 : Math.round(media.volume * 100));
    const rate = /** @type {HTMLSelectElement} */ (this.#part(".deck-rate"));
    if (RATES.includes(media.defaultPlaybackRate)) rate.value = String(media.defaultPlaybackRate);
  }

  /** @param {boolean} isWaiting */
  #waits(isWaiting) {
    this.classList.toggle("is-waiting", isWaiting);
  }

  #failed() {
    this.#waits(false);
    const isCut = this.media.error?.code === MediaError.MEDIA_ERR_NETWORK;
    // What stands below says how long until it plays.
    if (!isCut && document.querySelector("media-preparing:not([data-state=failed])")) return;
    const line = this.#part(".player-says");
    line.textContent = isCut
      ? t("The connection broke off. Press play to go on.")
      : t("This browser can't play it. Get the file and play it with another program.");
    line.hidden = false;
  }

  #screen() {
    const isWhole = document.fullscreenElement === this;
    this.classList.toggle("is-whole", isWhole);
    name(this.#part(".deck-whole"), isWhole ? t("Leave the whole screen") : t("Whole screen"));
    this.#wake();
  }

  /** The controls are seen again for a moment. */
  #wake() {
    clearTimeout(this.#idle);
    this.classList.remove("is-idle");
    if (this.classList.contains("is-whole")) this.#idle = setTimeout(() => this.classList.toggle("is-idle", !this.media.paused), IDLE);
  }
}

/** @param {HTMLElement} button @param {string} words */
function name(button, words) {
  if (button.getAttribute("aria-label") === words) return;
  button.setAttribute("aria-label", words);
  button.title = words;
}

customElements.define("media-player", MediaPlayer);
