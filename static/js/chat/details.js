/** What stands beside a conversation on demand: its controls in the head, and the count of members there. */
import { membersInWords } from "../lib/details.js";
import { live, on } from "../lib/live.js";

class ChatDetails extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  controls = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("a[data-details]")]);
  /** Brought when it is needed for the first time. @type {Promise<import("../lib/pane.js").Pane> | null} */
  #pane = null;

  connectedCallback() {
    const { signal } = this.#left;
    document.addEventListener("details-wanted", (event) => {
      void this.#bring().then((pane) => pane.open(/** @type {CustomEvent} */ (event).detail));
    }, { signal });
    addEventListener("popstate", () => this.#follow(), { signal });
    for (const control of this.controls) this.#equip(control, signal);
    on("room", (room) => { if (room.id === this.room) this.#count(room.members); }, signal);
    on("ready", () => this.#count(live.rooms.get(this.room)?.members), signal);
    if (live.ready) this.#count(live.rooms.get(this.room)?.members);
    this.#follow();
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #bring() {
    // It stands in the pane's foot, where there is one.
    if (!this.#pane && this.querySelector("people-field")) void import("./people-field.js");
    this.#pane ??= import("../lib/pane.js").then(({ Pane }) => new Pane(this, this.controls, this.#left.signal));
    return this.#pane;
  }

  /** Shows what the address says. */
  #follow() {
    if (this.#pane || new URLSearchParams(location.search).has("details")) void this.#bring().then((pane) => pane.follow());
  }

  /**
   * A link without a script, a button with one.
   * @param {HTMLElement} control
   * @param {AbortSignal} signal
   */
  #equip(control, signal) {
    const wanted = { view: control.dataset.details ?? "", argument: "" };
    control.setAttribute("role", "button");
    control.setAttribute("aria-controls", this.id);
    control.setAttribute("aria-expanded", "false");
    const press = (/** @type {Event} */ event) => {
      event.preventDefault();
      void this.#bring().then((pane) => pane.toggle(wanted));
    };
    control.addEventListener("click", (event) => {
      // In a new tab or window it is a link like any other.
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) press(event);
    }, { signal });
    control.addEventListener("keydown", (event) => { if (event.key === " ") press(event); }, { signal });
  }

  /** @param {number | undefined} members */
  #count(members) {
    if (members === undefined) return;
    for (const [place, words] of [[".head-members-count", String(members)], [".head-members-words", membersInWords(members)]]) {
      const element = document.querySelector(place);
      if (element && element.textContent !== words) element.textContent = words;
    }
  }
}

customElements.define("chat-details", ChatDetails);
