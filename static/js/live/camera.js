/** On the panel of one's own stream: sends this browser's camera or screen into it. */
import { Broadcast, formOf } from "../lib/broadcast.js";
import { clock } from "../lib/moments.js";
import { t } from "../lib/words.js";

/** What is asked of a camera: enough to see a face, or a lab, and light enough for a phone. */
const CAMERA = { video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 }, facingMode: "environment" }, audio: true };
const SCREEN = { video: { frameRate: { ideal: 30 } }, audio: true };

class LiveCamera extends HTMLElement {
  #leaving = new AbortController();
  /** @type {Broadcast | null} */ #broadcast = null;
  /** When it began, by this clock, ms. */ #since = 0;
  #clock = 0;

  connectedCallback() {
    const { signal } = this.#leaving;
    this.state = /** @type {HTMLElement} */ (this.querySelector(".camera-state"));
    this.time = /** @type {HTMLElement} */ (this.querySelector(".camera-time"));
    this.addEventListener("click", (event) => this.#press(event), { signal });
    // Leaving the page ends it, so that is asked about.
    addEventListener("beforeunload", (event) => { if (this.#broadcast) event.preventDefault(); }, { signal });
    if (!navigator.mediaDevices?.getDisplayMedia) this.#button("screen").hidden = true;
    this.hidden = false;
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#broadcast?.stop();
  }

  /** @param {string} does @returns {HTMLButtonElement} */
  #button(does) {
    return /** @type {HTMLButtonElement} */ (this.querySelector(`[data-does=${does}]`));
  }

  /** @param {MouseEvent} event */
  #press(event) {
    const does = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest("[data-does]"))?.dataset.does : undefined;
    if (does === "stop") this.#broadcast?.stop();
    else if (does === "camera" || does === "screen") void this.#begin(does);
  }

  /** @param {"camera" | "screen"} what */
  async #begin(what) {
    if (this.#broadcast || this.hasAttribute("aria-busy")) return;
    // Browsers give cameras only to pages that nobody on the way could have changed.
    if (!navigator.mediaDevices) return this.#say(t("A browser gives its camera only to pages that come over HTTPS, or from the machine itself."));
    if (!formOf(true)) return this.#say(t("This browser can't record video in a form that others play. ffmpeg can send it, or another browser."));
    this.setAttribute("aria-busy", "true");
    this.#say(t("The browser asks whether this page may see it."));
    try {
      const stream = what === "screen" ? await navigator.mediaDevices.getDisplayMedia(SCREEN) : await camera();
      if (!this.isConnected) return stream.getTracks().forEach((track) => track.stop());
      this.#broadcast = new Broadcast(stream, `/live/${this.dataset.name}/push`, (state, why) => this.#tell(what, state, why));
      this.#show();
    } catch (error) {
      this.#say(refusal(/** @type {Error} */ (error)));
    } finally {
      this.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {"camera" | "screen"} what
   * @param {import("../lib/broadcast.js").State} state
   * @param {string} why
   */
  #tell(what, state, why) {
    this.classList.toggle("is-sending", state === "sending");
    if (state === "sending") {
      this.#since ||= Date.now();
      this.#say(what === "camera" ? t("Your camera is live") : t("Your screen is live"));
    } else if (state === "ended") {
      this.#broadcast = null;
      this.#since = 0;
      this.#show();
      this.#say(why ? t("It has ended. {why}", { why }) : t("It has ended."));
    } else {
      this.#say(state === "lost" || this.#since ? t("The connection is lost. It goes on as soon as it is back.") : t("Connecting"));
    }
  }

  /** The buttons for what can be done now, without taking the focus away from whoever is on one. */
  #show() {
    const sends = this.#broadcast !== null;
    const had = this.contains(document.activeElement);
    this.#button("stop").hidden = !sends;
    this.#button("camera").hidden = sends;
    this.#button("screen").hidden = sends || !navigator.mediaDevices?.getDisplayMedia;
    if (had) this.#button(sends ? "stop" : "camera").focus();
    clearInterval(this.#clock);
    this.#tick();
    if (sends) this.#clock = window.setInterval(() => this.#tick(), 1000);
  }

  #tick() {
    if (this.time) this.time.textContent = this.#since ? clock((Date.now() - this.#since) / 1000) : "";
  }

  /** @param {string} words */
  #say(words) {
    if (this.state) this.state.textContent = words;
  }
}

/** A camera with its microphone, or without where there is none. */
async function camera() {
  try {
    return await navigator.mediaDevices.getUserMedia(CAMERA);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "NotFoundError") throw error;
    return navigator.mediaDevices.getUserMedia({ ...CAMERA, audio: false });
  }
}

/** @param {Error} error @returns {string} */
function refusal(error) {
  switch (error.name) {
    case "NotAllowedError": return t("The browser doesn't let this page see it. Beside the address it can be allowed.");
    case "NotFoundError": return t("There is no camera on this device.");
    case "NotReadableError": return t("The camera can't be opened. Another program may have it.");
    default: return t("That didn't work: {why}", { why: error.message });
  }
}

customElements.define("live-camera", LiveCamera);
