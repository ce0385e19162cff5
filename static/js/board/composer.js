/** The form to leave a note; with a script it posts without leaving the page. */
import { Draft, tidy, tooLong } from "../lib/draft.js";
import { live } from "../lib/live.js";
import { t } from "../lib/words.js";

class BoardComposer extends HTMLElement {
  #left = new AbortController();
  wall = document.querySelector("board-wall");
  room = Number(this.wall?.getAttribute("data-room"));
  form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
  text = /** @type {HTMLTextAreaElement} */ (this.form.elements.namedItem("text"));
  heading = /** @type {HTMLInputElement} */ (this.form.elements.namedItem("title"));
  draft = new Draft(live.user, this.room);
  /** @type {import("../lib/attach.js").Attacher | null} */ files = null;
  /** @type {Promise<void> | null} */ #offers = null;

  connectedCallback() {
    const { signal } = this.#left;
    // An older part of the board can't show the new note: the form then goes its own way.
    if (!this.wall || this.wall.hasAttribute("data-newer")) return;
    void import("../lib/attach.js").then(({ Attacher }) => { this.files = new Attacher(this.form, this.room, signal); }, () => {});
    if (!this.text.value) this.text.value = this.draft.read();
    this.text.addEventListener("input", () => this.#input(), { signal });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing && event.keyCode !== 229) this.form.requestSubmit();
    }, { signal });
    this.form.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #input() {
    this.text.setCustomValidity("");
    this.draft.keep(this.text.value);
    if (!/[@#:]/.test(this.text.value)) return;
    this.#offers ??= import("../lib/offers.js").then(({ Offers }) => {
      new Offers(this.text, { room: this.room, signal: this.#left.signal }).look();
    });
    this.#offers.catch(() => { this.#offers = null; });
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const text = tidy(this.text.value);
    const wrong = text || this.files?.isEmpty === false ? tooLong(text) : t("Write something first.");
    this.text.setCustomValidity(wrong);
    if (!this.text.reportValidity()) return;
    live.write(this.room, text, { title: this.heading.value.trim(), files: this.files?.take() });
    this.text.value = "";
    this.heading.value = "";
    this.draft.keep("");
    for (const line of this.querySelectorAll(".wrong")) line.remove();
  }
}

customElements.define("board-composer", BoardComposer);
