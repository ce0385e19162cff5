/** Opens and closes what stands beside a conversation, keeps it in the address and the focus where it belongs. */
import { live, on } from "./live.js";
import { addressWith } from "./place.js";
import { VIEWS, readDetails } from "./views.js";
import { t } from "./words.js";

/** As in `details.css`: there the pane takes the whole screen. */
const PHONE = matchMedia("(max-width: 700px)");
/** What a pane over the whole screen keeps from the eyes, and so from the keyboard. */
const BEHIND = ".skip, .head, .rail, .banner, chat-timeline, .composer";

export class Pane {
  /** Ends the open view. */
  #view = new AbortController();
  /** Where the person was when it opened. @type {HTMLElement | null} */
  #from = null;

  /**
   * @param {HTMLElement} pane `<chat-details>`
   * @param {HTMLElement[]} controls that open it
   * @param {AbortSignal} signal
   */
  constructor(pane, controls, signal) {
    this.pane = pane;
    this.controls = controls;
    this.room = Number(pane.dataset.room);
    this.heading = /** @type {HTMLElement} */ (pane.querySelector("#details-title"));
    this.body = /** @type {HTMLElement} */ (pane.querySelector(".details-body"));
    addEventListener("keydown", (event) => this.#key(event), { signal, capture: true });
    PHONE.addEventListener("change", () => this.#cover(), { signal });
    pane.querySelector(".details-close")?.addEventListener("click", (event) => {
      event.preventDefault();
      this.#close();
    }, { signal });
    signal.addEventListener("abort", () => this.#view.abort());
    void this.#equip(signal);
  }

  /** What stands below every list. @param {AbortSignal} signal */
  async #equip(signal) {
    const [{ followLevel }, { leadToDay }] = await Promise.all([import("./level.js"), import("./day.js")]);
    followLevel(this.pane.querySelector(".details-level"), this.room, signal);
    leadToDay(this.pane.querySelector(".details-day"), signal);
  }

  /** @param {{view: string, argument: string}} wanted opens it, or closes it when it is open */
  toggle(wanted) {
    if (!this.pane.hidden && this.pane.dataset.view === wanted.view) this.#close();
    else this.open(wanted);
  }

  /** @param {{view: string, argument: string}} wanted */
  open({ view, argument }) {
    if (!Object.hasOwn(VIEWS, view)) return;
    const address = addressWith({ details: argument ? `${view}.${argument}` : view, members_after: null, here: null });
    if (this.pane.hidden) {
      this.#from = /** @type {HTMLElement | null} */ (document.activeElement);
      // Going back closes it, which on a phone is what one does with a pane.
      history.pushState({ ...history.state, details: true }, "", address + location.hash);
    } else {
      history.replaceState(history.state, "", address + location.hash);
    }
    this.#show(view, argument);
    this.heading.focus({ preventScroll: true });
  }

  /** Shows what the address says, after going back or on. */
  follow() {
    const open = readDetails(new URLSearchParams(location.search).get("details"));
    if (!open) return this.#hide();
    if (this.pane.hidden) this.#from = /** @type {HTMLElement | null} */ (document.activeElement);
    this.#show(open.view, open.argument);
  }

  #close() {
    // What was opened here is left by going back, so that going back afterwards doesn't open it again.
    if (history.state?.details) return history.back();
    history.replaceState(history.state, "", addressWith({ details: null, members_after: null, here: null }) + location.hash);
    this.#hide();
  }

  #hide() {
    if (this.pane.hidden) return;
    this.#view.abort();
    const hadFocus = this.pane.contains(document.activeElement) || document.activeElement === document.body;
    this.pane.setAttribute("hidden", "");
    delete this.pane.dataset.view;
    this.#tell();
    if (!hadFocus) return;
    const from = this.#from?.isConnected && this.#from !== document.body ? this.#from : this.controls[0];
    from?.focus({ preventScroll: true });
  }

  /**
   * @param {string} name
   * @param {string} argument
   */
  async #show(name, argument) {
    const isRendered = !this.pane.hidden && this.pane.dataset.view === name && this.pane.dataset.argument === undefined;
    if (!this.pane.hidden && this.pane.dataset.view === name && this.pane.dataset.argument === argument) return;
    this.#view.abort();
    const view = (this.#view = new AbortController());
    if (!isRendered) this.body.replaceChildren();
    this.pane.removeAttribute("hidden");
    this.pane.dataset.view = name;
    this.pane.dataset.argument = argument;
    this.body.setAttribute("aria-busy", "true");
    this.#tell();
    try {
      const { title, show } = await VIEWS[name]();
      if (view.signal.aborted) return;
      this.heading.textContent = title(argument);
      await show({ body: this.body, room: this.room, argument, signal: view.signal });
    } catch {
      if (view.signal.aborted) return;
      // Before the first `ready` nothing has failed, it is only early.
      if (live.ready) this.#failed(name, argument);
      on("ready", () => this.#again(name, argument), view.signal);
      if (!live.ready) return;
    }
    if (!view.signal.aborted) this.body.removeAttribute("aria-busy");
  }

  /**
   * @param {string} name
   * @param {string} argument
   */
  #failed(name, argument) {
    const words = document.createElement("p");
    words.textContent = t("This could not be read. What was written is safe.");
    const again = document.createElement("button");
    Object.assign(again, { type: "button", className: "button button-quiet", textContent: t("Try again") });
    again.addEventListener("click", () => {
      this.heading.focus({ preventScroll: true });
      this.#again(name, argument);
    });
    const place = document.createElement("div");
    place.className = "details-words";
    place.setAttribute("role", "alert");
    place.append(words, again);
    this.body.replaceChildren(place);
  }

  /**
   * @param {string} name
   * @param {string} argument
   */
  #again(name, argument) {
    delete this.pane.dataset.argument;
    this.body.replaceChildren();
    void this.#show(name, argument);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || this.pane.hidden) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    // A question or a list in here is left first.
    if (document.activeElement?.closest(".member-sure, people-field input[aria-expanded=true]")) return;
    if (!PHONE.matches && !this.pane.contains(document.activeElement)) return;
    event.preventDefault();
    this.#close();
  }

  /** Says to the controls, and to what is behind, whether it is open. */
  #tell() {
    for (const control of this.controls) {
      control.setAttribute("aria-expanded", String(!this.pane.hidden && control.dataset.details === this.pane.dataset.view));
    }
    this.#cover();
  }

  #cover() {
    for (const element of document.querySelectorAll(BEHIND)) element.toggleAttribute("inert", !this.pane.hidden && PHONE.matches);
  }
}
