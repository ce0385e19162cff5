/** A list plays on by itself, and is put into another order by dragging; the buttons beside each item do the same. */
import { freshPage, takeOver } from "../lib/fresh.js";
import { say } from "../lib/say.js";
import { t } from "../lib/words.js";

/** In the address of a page that begins because the one before it ended. */
const ON = "#on";

class MediaList extends HTMLElement {
  #left = new AbortController();
  /** @type {HTMLElement | null} */ #dragged = null;
  /** As it was before the hand came. @type {Element[]} */ #order = [];

  connectedCallback() {
    const { signal } = this.#left;
    this.addEventListener("media-ended", () => this.#goOn(), { signal });
    this.addEventListener("dragstart", (event) => this.#lift(event), { signal });
    this.addEventListener("dragover", (event) => this.#over(event), { signal });
    this.addEventListener("drop", (event) => this.#drop(event), { signal });
    this.addEventListener("dragend", () => this.#putBack(), { signal });
    if (location.hash === ON) void this.#begin();
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  /** The next item is a page of its own; a browser lets it play, since somebody has pressed play here before. */
  #goOn() {
    const next = /** @type {HTMLAnchorElement | null} */ (this.querySelector("a[rel=next]"));
    if (next) location.assign(next.href + ON);
  }

  async #begin() {
    history.replaceState(history.state, "", location.pathname + location.search);
    await customElements.whenDefined("media-player");
    const player = /** @type {import("./player.js").MediaPlayer | null} */ (this.querySelector("media-player"));
    if (!player) return;
    player.seek(0);
    player.play().catch(() => say(t("Press play to go on.")));
  }

  /** @param {DragEvent} event */
  #lift(event) {
    const item = event.target instanceof Element ? event.target.closest(".list-item") : null;
    if (!(item instanceof HTMLElement) || !item.draggable) return;
    this.#dragged = item;
    this.#order = [...item.parentElement?.children ?? []];
    item.classList.add("is-lifted");
    if (event.dataTransfer) {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", item.textContent?.trim() ?? "");
    }
  }

  /** @param {DragEvent} event */
  #over(event) {
    const target = event.target instanceof Element ? event.target : null;
    if (!this.#dragged || !this.#dragged.parentElement?.contains(target)) return;
    event.preventDefault();
    const item = target?.closest(".list-item");
    if (!item || item === this.#dragged) return;
    const place = item.getBoundingClientRect();
    if (event.clientY < place.top + place.height / 2) item.before(this.#dragged);
    else item.after(this.#dragged);
  }

  /** @param {DragEvent} event */
  #drop(event) {
    const item = this.#dragged;
    if (!item?.parentElement?.contains(/** @type {Node} */ (event.target))) return;
    event.preventDefault();
    this.#dragged = null;
    item.classList.remove("is-lifted");
    if (this.#order.some((one, index) => one !== item.parentElement?.children[index])) void this.#settle();
  }

  /** It was let go somewhere else, or Escape was pressed: nothing was meant. */
  #putBack() {
    const item = this.#dragged;
    if (!item) return;
    this.#dragged = null;
    item.classList.remove("is-lifted");
    item.parentElement?.append(...this.#order);
  }

  async #settle() {
    const items = [...this.querySelectorAll(".list-item")].map((one) => Number(/** @type {HTMLElement} */ (one).dataset.item));
    const answer = await fetch(`/api/v1/media/lists/${this.dataset.list}/order`, {
      method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ items }),
    }).catch(() => null);
    // What comes next and which buttons are at an end is the server's to say.
    if (answer?.ok) await this.#refresh();
    else location.reload();
  }

  /** Takes over from a fresh page what the order changes, without a break in what plays. */
  async #refresh() {
    takeOver(await freshPage(), ".list-items", ".list-next");
    say(t("The order is kept."));
  }
}

customElements.define("media-list", MediaList);
