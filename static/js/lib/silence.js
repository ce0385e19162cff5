/** A player that plays on without sound: where the browser wants a gesture first, and while another tab is heard. */
import { choose } from "./choices.js";

export class Silence {
  isOn = false;

  /**
   * @param {HTMLMediaElement} media
   * @param {() => void} changed
   */
  constructor(media, changed) {
    this.media = media;
    this.changed = changed;
  }

  /** @param {AbortSignal} signal */
  listen(signal) {
    this.media.addEventListener("sound-taken", (event) => {
      // What is heard in another tab is no wish to stop everybody here.
      event.preventDefault();
      this.begin();
    }, { signal });
    this.media.addEventListener("volumechange", () => { if (this.isOn && !this.media.muted) this.end(); }, { signal });
  }

  begin() {
    const { volume } = this.media;
    this.isOn = true;
    this.media.muted = true;
    // It isn't the person's wish, so it isn't remembered as one.
    setTimeout(() => choose("volume", String(volume)), 100);
    this.changed();
  }

  end() {
    this.isOn = false;
    this.media.muted = false;
    this.changed();
  }
}
