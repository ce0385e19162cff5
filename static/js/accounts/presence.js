/** Who of the listed people is here, kept true while one looks. */
import { live, on } from "../lib/live.js";
import { t } from "../lib/words.js";

/** The server watches at most this many for one person. */
const MOST = 100;

class AccountsPresence extends HTMLElement {
  #left = new AbortController();

  connectedCallback() {
    on("ready", () => this.#watch(), this.#left.signal);
    on("presence", (users) => this.#show(users), this.#left.signal);
    if (live.ready) void this.#watch();
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  async #watch() {
    const rows = [...this.querySelectorAll("[data-presence]")].slice(0, MOST);
    const users = rows.map((row) => Number(row.getAttribute("data-presence")));
    try {
      const reply = await live.socket.request("watch", { users });
      this.#show(reply.users ?? reply.presence ?? []);
    } catch {
      // What the server rendered stays, and the next `ready` asks again.
    }
  }

  /** @param {{user: number, state: string, text?: string}[]} users */
  #show(users) {
    for (const { user, state, text } of users) {
      const row = /** @type {HTMLElement | null} */ (this.querySelector(`[data-presence="${user}"]`));
      if (!row) continue;
      const here = state !== "offline";
      row.dataset.state = here ? "online" : "offline";
      const words = row.querySelector(".person-state");
      if (words) words.textContent = { online: t("here now"), away: t("away"), dnd: t("busy") }[state] ?? "";
      const status = row.querySelector(".person-status");
      if (status) status.textContent = here ? (text ?? "") : "";
    }
  }
}

customElements.define("accounts-presence", AccountsPresence);
