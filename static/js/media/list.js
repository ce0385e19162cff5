/** A list plays on by itself, and is put into another order by dragging; the buttons beside each item do the same. */
import { say } from "../lib/say.js";
import { t } from "../lib/words.js";

/** In the address of a page that begins because the one before it ended. */
const ON = "#on";

class MediaList extends HTMLElement {
  #left = new AbortController();
  /** @type {HTMLElement | null} */ #dragged = null;

  connectedCallback() {
    const { signal } = this.#left;
    this.addEventListener("media-ended", () => this.#goOn(), { signal });
    this.addEventListener("dragstart", (event) => this.#lift(event), { signal });
    this.addEventListener("dragover", (event) => this.#over(event), { signal });
    this.addEventListener("drop", (event) => { if (this.#dragged) event.preventDefault(); }, { signal });
    this.addEventListener("dragend", () => void this.#settle(), { signal });
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
    item.classList.add("is-lifted");
    if (event.dataTransfer) {
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", item.textContent?.trim() ?? "");
    }
  }

  /** @param {DragEvent} event */
  #over(event) {
    const item = event.target instanceof Element ? event.target.closest(".list-item") : null;
    if (!this.#dragged || !item || item.parentElement !== this.#dragged.parentElement) return;
    event.preventDefault();
    if (item === this.#dragged) return;
    const place = item.getBoundingClientRect();
    if (event.clientY < place.top + place.height / 2) item.before(this.#dragged);
    else item.after(this.#dragged);
  }

  async #settle() {
    const item = this.#dragged;
    this.#dragged = null;
    if (!item) return;
    item.classList.remove("is-lifted");
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
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of [".list-items", ".list-next"]) {
      const [old, now] = [this.querySelector(part), fresh.querySelector(part)];
      if (old && now) old.replaceWith(document.adoptNode(now));
    }
    say(t("The order is kept."));
  }
}

customElements.define("media-list", MediaList);
