/**
 * The conversation beside a thing. The thing comes first: what the conversation is made of is brought when the page stands,
 * and whatever becomes of the talk, the thing's page stays.
 */
import { live, on } from "../lib/live.js";
import { RequestError } from "../lib/socket.js";
import { said, t } from "../lib/words.js";

class ChatTalk extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);

  connectedCallback() {
    const { signal } = this.#left;
    void this.#bring();
    this.addEventListener("submit", (event) => {
      const form = event.target;
      if (!(form instanceof HTMLFormElement)) return;
      if (form.matches(".composer-join")) void this.#join(form);
      else if (form.matches(`[action$="/${this.room}/leave"]`)) void this.#leave(form);
      else return;
      event.preventDefault();
    }, { signal });
    // From here, from another tab or device, or by somebody else's hand.
    on("room", (room) => { if (room.id === this.room) this.#turn(room.gone ? false : room.joined); }, signal);
    // What became of it while the connection was lost.
    on("ready", () => this.#isReady(), signal);
    if (live.ready) this.#isReady();
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  async #bring() {
    await import("./timeline.js");
    await Promise.all([import("./composer.js"), ...(live.user ? [import("./details.js")] : [])]);
    const { point } = await import("../lib/pointing.js");
    point(this, this.#left.signal);
  }

  #isReady() {
    // Of somebody with very many rooms not all are told.
    if (live.rooms.get(this.room)) this.#turn(true);
    else if (!live.ready?.more) this.#turn(false);
  }

  get #timeline() {
    return /** @type {any} */ (this.querySelector("chat-timeline"));
  }

  /** @param {boolean | undefined} isIn whether the person is in it now; nothing where that isn't said */
  #turn(isIn) {
    if (isIn === undefined || !this.#timeline || this.#timeline.hasAttribute("data-joined") === isIn) return;
    const hadFocus = this.contains(document.activeElement);
    for (const part of this.querySelectorAll("chat-composer, .details-level, .details-leave")) part.toggleAttribute("hidden", !isIn);
    this.querySelector(".composer-join")?.toggleAttribute("hidden", isIn);
    if (isIn) this.#open();
    else void this.#lose();
    // What had it is hidden now; a list that stands over the talk keeps it.
    if (hadFocus && !isIn && !this.querySelector("chat-details:not([hidden])")) /** @type {HTMLElement | null} */ (this.querySelector(".composer-join button"))?.focus({ preventScroll: true });
  }

  /** Without a new page, which would stop what plays. @param {HTMLFormElement} form */
  async #join(form) {
    try {
      await live.socket.request("join", { room: this.room });
      this.#turn(true);
      this.querySelector("textarea")?.focus({ preventScroll: true });
    } catch (error) {
      const isRefused = error instanceof RequestError && error.code !== "offline";
      const line = form.querySelector("p");
      if (line) line.textContent = isRefused ? said(error.message) : t("The talk could not be joined. You are offline.");
    }
  }

  /** The same way out. @param {HTMLFormElement} form */
  async #leave(form) {
    try {
      await live.socket.request("leave", { room: this.room });
      // Where the way back in is offered.
      /** @type {HTMLElement | null} */ (this.querySelector("chat-details:not([hidden]) .details-close"))?.click();
      this.#turn(false);
    } catch {
      form.submit();
    }
  }

  /** The person is in it now. */
  #open() {
    this.#timeline.setAttribute("data-joined", "");
    // What was said between the page and this moment.
    void this.#timeline.catchUp?.run();
  }

  /** The person isn't in it any more: it is offered again, where it can still be read. */
  async #lose() {
    this.#timeline.removeAttribute("data-joined");
    const answer = await fetch(`/api/v1/rooms/${this.room}`, { cache: "no-store" }).catch(() => null);
    if (answer?.status === 404) this.#close();
  }

  /** Nothing of it is for the person any more. */
  #close() {
    const [box, head, words] = ["div", "h3", "p"].map((tag) => document.createElement(tag));
    box.className = "empty";
    head.textContent = t("This talk is closed to you");
    words.textContent = t("It was deleted, or you were taken out of it. What you had begun to write is kept on this device.");
    box.append(head, words);
    this.querySelector(".content-talk")?.replaceChildren(box);
    for (const control of this.querySelectorAll(".beside-head a")) control.remove();
  }
}

customElements.define("chat-talk", ChatTalk);
