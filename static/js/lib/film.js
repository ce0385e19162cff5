/** A stream's video in its panel: shown as soon as some comes, without sound until somebody wants it. */
import { LiveVideo } from "./fragments.js";
import { t } from "./words.js";

export class Film {
  /** @param {HTMLElement} panel @param {AbortSignal} signal */
  constructor(panel, signal) {
    const part = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (panel.querySelector(selector));
    this.figure = part(".panel-picture");
    this.video = /** @type {HTMLVideoElement} */ (part(".panel-picture video"));
    this.sound = part("[data-does=sound]");
    this.refused = part(".panel-refused");
    this.player = new LiveVideo(this.video, (mime) => this.#refuse(mime), signal);
    this.sound.addEventListener("click", () => this.#switch(), { signal });
  }

  /** @param {import("./feed.js").VideoPart} part */
  take({ part, mime, bytes, key = false, start = 0 }) {
    if (part === "fragment") return this.player.add({ bytes, key, start });
    this.refused.hidden = true;
    this.figure.hidden = false;
    this.figure.classList.add("is-film");
    this.sound.hidden = !/mp4a|opus/.test(mime);
    return this.player.begin({ mime, bytes });
  }

  pause() {
    this.player.pause();
  }

  follow() {
    this.player.follow();
  }

  #switch() {
    const { video } = this;
    video.muted = !video.muted;
    this.sound.setAttribute("aria-pressed", String(!video.muted));
  }

  /** @param {string} mime */
  #refuse(mime) {
    this.figure.hidden = true;
    this.refused.hidden = false;
    this.refused.textContent = t("This browser doesn't play this video: {mime}", { mime });
  }
}
