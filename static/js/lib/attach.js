/** The ways of files into a message: the button, a paste, a drop. What holds them is loaded with the first one. */
import { takeDrops } from "./drop.js";

export class Attacher {
  /** @type {import("./tray.js").Tray | null} */ #tray = null;
  #bytesMax = 0;

  /**
   * @param {HTMLFormElement} form
   * @param {number} room
   * @param {AbortSignal} signal
   */
  constructor(form, room, signal) {
    this.form = form;
    this.room = room;
    this.#bytesMax = Number(form.dataset.bytesMax ?? 0);
    if (!this.#bytesMax) return;
    const input = /** @type {HTMLInputElement | null} */ (form.querySelector("input[type=file]"));
    input?.addEventListener("change", () => {
      const chosen = [...(input.files ?? [])];
      // The form itself must not send them a second time.
      input.value = "";
      void this.#add(chosen);
    }, { signal });
    document.addEventListener("paste", (event) => this.#paste(event), { signal });
    takeDrops(form.closest("main") ?? form, signal, (files) => void this.#add(files));
  }

  /** The files that go with the message, and an empty place for the next ones. @returns {import("./attachments.js").Carried[]} */
  take() {
    return this.#tray?.take() ?? [];
  }

  /** Whether something is there to be sent. */
  get isEmpty() {
    return this.#tray?.isEmpty ?? true;
  }

  /** @param {File[]} files */
  async #add(files) {
    if (files.length === 0) return;
    const { Tray } = await import("./tray.js");
    this.#tray ??= new Tray(this.form, this.room, this.#bytesMax);
    this.#tray.add(files);
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    const target = /** @type {Element | null} */ (event.target);
    const elsewhere = target?.closest("input, textarea, [contenteditable]") && !this.form.contains(target);
    // A table's cells come as words and as a picture of them: the words are meant.
    if (files.length === 0 || elsewhere || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    void this.#add(files);
  }
}
