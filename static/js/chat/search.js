/** Search while one types. Each answer is the server's own page; what was asked before it is not waited for any more. */
import { freshPage } from "../lib/fresh.js";
import { showTimes } from "../lib/time.js";

/** Letters come quicker than this while somebody types a word. */
const TYPING = 180;

class ChatSearch extends HTMLElement {
  #left = new AbortController();
  #asked = new AbortController();
  /** @type {any} */ #timer = null;
  form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
  box = /** @type {HTMLInputElement} */ (this.querySelector("input[name=q]"));
  #shown = this.box.value;

  connectedCallback() {
    const { signal } = this.#left;
    this.box.addEventListener("input", (event) => {
      if (/** @type {InputEvent} */ (event).isComposing) return;
      this.#later();
    }, { signal });
    this.box.addEventListener("compositionend", () => this.#later(), { signal });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(this.#timer);
      void this.#search(true);
    }, { signal });
    // ↓ goes from the box to the first message that was found, and on from there.
    this.addEventListener("keydown", (event) => this.#walk(event), { signal });
    if (this.box.autofocus || this.box.value) this.box.setSelectionRange(this.box.value.length, this.box.value.length);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#asked.abort();
    this.#left.abort();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#search(false), TYPING);
  }

  /** @param {boolean} again even if nothing else is asked for */
  async #search(again) {
    const query = this.box.value;
    if (query === this.#shown && !again) return;
    this.#asked.abort();
    const asked = this.#asked = new AbortController();
    const address = query.trim() ? `/search?q=${encodeURIComponent(query)}` : "/search";
    const found = await read(address, asked.signal);
    if (asked.signal.aborted) return;
    // Without an answer the form still goes the long way.
    if (!found) { if (again) location.assign(address); return; }
    this.#shown = query;
    history.replaceState(history.state, "", address);
    const wrong = found.querySelector(".search-wrong");
    this.box.toggleAttribute("aria-invalid", wrong !== null);
    if (wrong) this.box.setAttribute("aria-invalid", "true");
    showTimes(found);
    this.querySelector(".search-found")?.replaceWith(found);
    // A status speaks only when its words come after it has come.
    const status = found.querySelector("[role=status]");
    const words = status?.textContent ?? "";
    if (status) { status.textContent = ""; requestAnimationFrame(() => { status.textContent = words; }); }
  }

  /** @param {KeyboardEvent} event */
  #walk(event) {
    const down = event.key === "ArrowDown";
    if ((!down && event.key !== "ArrowUp") || event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const stops = /** @type {HTMLElement[]} */ ([this.box, ...this.querySelectorAll(".hit")]);
    const at = stops.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = at < 0 ? null : stops[at + (down ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}

/** @param {string} address @param {AbortSignal} signal @returns {Promise<HTMLElement | null>} */
async function read(address, signal) {
  const found = (await freshPage(address, signal))?.querySelector(".search-found");
  return found ? document.adoptNode(/** @type {HTMLElement} */ (found)) : null;
}

customElements.define("chat-search", ChatSearch);
