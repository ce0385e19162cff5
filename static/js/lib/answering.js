/** What the next message replies to: chosen at a message, shown above the box, sent with the words. */
import { t } from "./words.js";

export class Answering {
  /** @type {{seq: number, name: string, words: string} | null} */
  #to = null;

  /**
   * @param {HTMLFormElement} form
   * @param {HTMLTextAreaElement} box
   * @param {number} room
   * @param {AbortSignal} signal
   * @param {EventTarget} [around] where a reply is asked for that belongs to this box
   */
  constructor(form, box, room, signal, around = document) {
    this.form = form;
    this.box = box;
    around.addEventListener("reply-wanted", (event) => {
      const { detail } = /** @type {CustomEvent} */ (event);
      if (detail.room !== room) return;
      event.stopPropagation();
      this.#to = detail;
      this.#show();
      box.focus({ preventScroll: true });
    }, { signal });
    box.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#to || event.isComposing) return;
      event.preventDefault();
      event.stopPropagation();
      this.clear();
    }, { signal });
  }

  /** @returns {number | undefined} what is replied to, for the message that is sent now */
  take() {
    const seq = this.#to?.seq;
    this.clear();
    return seq;
  }

  clear() {
    this.#to = null;
    this.form.querySelector(".answering")?.remove();
  }

  #show() {
    this.form.querySelector(".answering")?.remove();
    const line = document.createElement("p");
    line.className = "answering";
    const words = document.createElement("span");
    words.textContent = t("Replying to {name}: {words}", { name: this.#to?.name ?? "", words: this.#to?.words ?? "" });
    const cancel = document.createElement("button");
    Object.assign(cancel, { type: "button", className: "button button-quiet", textContent: t("Cancel") });
    cancel.addEventListener("click", () => {
      this.clear();
      this.box.focus({ preventScroll: true });
    });
    line.append(words, cancel);
    this.form.prepend(line);
  }
}
