/** The form to leave a note; with a script it posts without leaving the page. */
import { Draft, tidy, tooLong } from "../lib/draft.js";
import { live } from "../lib/live.js";

class BoardComposer extends HTMLElement {
  #left = new AbortController();

  connectedCallback() {
    const { signal } = this.#left;
    const wall = document.querySelector("board-wall");
    const form = this.querySelector("form");
    // An older part of the board can't show the new note: the form then goes its own way.
    if (!wall || !form || wall.hasAttribute("data-newer")) return;
    this.room = Number(wall.getAttribute("data-room"));
    this.text = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("text"));
    this.heading = /** @type {HTMLInputElement} */ (form.elements.namedItem("title"));
    this.draft = new Draft(live.user, this.room);
    if (!this.text.value) this.text.value = this.draft.read();
    this.text.addEventListener("input", () => this.#input(), { signal });
    this.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) form.requestSubmit();
    }, { signal });
    form.addEventListener("submit", (event) => this.#submit(event), { signal });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #input() {
    this.text.setCustomValidity("");
    this.draft.keep(this.text.value);
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const text = tidy(this.text.value);
    const wrong = text ? tooLong(text) : "Write something first.";
    this.text.setCustomValidity(wrong);
    if (!this.text.reportValidity()) return;
    live.write(this.room, text, this.heading.value.trim());
    this.text.value = "";
    this.heading.value = "";
    this.draft.keep("");
    for (const line of this.querySelectorAll(".wrong")) line.remove();
  }
}

customElements.define("board-composer", BoardComposer);
