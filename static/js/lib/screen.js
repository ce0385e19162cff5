/** Shows the pictures of a stream without flicker: each is decoded before it takes the last one's place, and a slow machine skips. */
export class Screen {
  /** @type {Blob | string | null} */ #next = null;
  #busy = false;
  #url = "";
  #closed = false;

  /** @param {HTMLElement} figure with an `img`, hidden while there is none */
  constructor(figure) {
    this.figure = figure;
    this.image = /** @type {HTMLImageElement} */ (figure.querySelector("img"));
  }

  /** @param {Blob} blob */
  show(blob) {
    this.#next = blob;
    void this.#turn();
  }

  /** @param {string} address */
  fetch(address) {
    if (this.#next === address || this.image.getAttribute("src") === address) return;
    this.#next = address;
    void this.#turn();
  }

  close() {
    this.#closed = true;
    URL.revokeObjectURL(this.#url);
  }

  async #turn() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#next !== null && !this.#closed) {
      const next = this.#next;
      this.#next = null;
      const url = typeof next === "string" ? next : URL.createObjectURL(next);
      const ready = new Image();
      ready.src = url;
      // What can't be decoded leaves the last good one standing.
      const good = await ready.decode().then(() => true, () => false);
      if (good && !this.#closed) this.#put(url, ready);
      else if (typeof next !== "string") URL.revokeObjectURL(url);
    }
    this.#busy = false;
  }

  /** @param {string} url @param {HTMLImageElement} ready */
  #put(url, ready) {
    const last = this.#url;
    Object.assign(this.image, { width: ready.naturalWidth, height: ready.naturalHeight });
    this.image.src = url;
    this.figure.hidden = false;
    this.#url = url.startsWith("blob:") ? url : "";
    if (last) setTimeout(() => URL.revokeObjectURL(last), 1000);
  }
}
