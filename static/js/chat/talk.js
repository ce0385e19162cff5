/**
 * The conversation beside a thing. The thing comes first: what the conversation is made of is brought when the page stands.
 */
import { live } from "../lib/live.js";
import { RequestError } from "../lib/socket.js";
import { said, t } from "../lib/words.js";

class ChatTalk extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);

  connectedCallback() {
    const { signal } = this.#left;
    void this.#bring();
    this.addEventListener("submit", (event) => {
      if (!(event.target instanceof HTMLFormElement) || !event.target.matches(".composer-join")) return;
      event.preventDefault();
      void this.#join(event.target);
    }, { signal });
    document.addEventListener("talk-joined", () => this.#open(), { signal });
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

  /** Without a new page, which would stop what plays. @param {HTMLFormElement} form */
  async #join(form) {
    try {
      await live.socket.request("join", { room: this.room });
      this.#open();
      this.querySelector("textarea")?.focus({ preventScroll: true });
    } catch (error) {
      const isRefused = error instanceof RequestError && error.code !== "offline";
      const line = form.querySelector("p");
      if (line) line.textContent = isRefused ? said(error.message) : t("The talk could not be joined. You are offline.");
    }
  }

  /** The person is in it now. */
  #open() {
    this.querySelector(".composer-join")?.remove();
    this.querySelector("chat-composer")?.removeAttribute("hidden");
    const timeline = /** @type {any} */ (this.querySelector("chat-timeline"));
    timeline?.setAttribute("data-joined", "");
    // What was said between the page and this moment.
    void timeline?.catchUp?.run();
  }
}

customElements.define("chat-talk", ChatTalk);
