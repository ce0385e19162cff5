/** Who of the listed people is here, kept true while one looks: states, names, and who is new. */
import { Company } from "../lib/company.js";
import { freshPage, takeOver } from "../lib/fresh.js";
import { on } from "../lib/live.js";
import { initials } from "../lib/person.js";
import { showTime } from "../lib/time.js";
import { t } from "../lib/words.js";

/** How often it is asked whether somebody new has come, while the page is looked at. In milliseconds. */
const EVERY = 30_000;

class AccountsPresence extends HTMLElement {
  #left = new AbortController();
  /** @type {Company | null} */ #company = null;

  connectedCallback() {
    const { signal } = this.#left;
    this.#company = new Company((users) => this.#show(users), signal);
    this.#watch();
    on("profile", (profile) => this.#rename(profile), signal);
    on("ready", () => void this.#refresh(), signal);
    const timer = setInterval(() => void this.#refresh(), EVERY);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  #watch() {
    this.#company?.watch([...this.querySelectorAll("[data-presence]")].map((row) => Number(row.getAttribute("data-presence"))));
  }

  /** Takes the list as the server has it now, if somebody was added or has gone. */
  async #refresh() {
    if (document.visibilityState !== "visible" || this.contains(document.activeElement)) return;
    const page = await freshPage(location.href, this.#left.signal);
    const fresh = page?.querySelector("accounts-presence ul");
    const list = this.querySelector("ul");
    // Without an answer what is shown stays; the next time asks again.
    if (!fresh || !list || who(fresh) === who(list)) return;
    takeOver(page, "accounts-presence ul");
    for (const time of this.querySelectorAll("time")) showTime(time);
    this.#watch();
  }

  /** @param {{user: number, name: string, guest: boolean}} profile */
  #rename({ user, name, guest }) {
    const row = this.#row(user);
    const shown = row?.querySelector(".person-name");
    if (!row || !shown) return;
    shown.textContent = name;
    row.querySelector(".face")?.firstChild?.replaceWith(initials(name));
    if (!guest) row.querySelector(".guest")?.remove();
  }

  /** @param {number} user @returns {HTMLElement | null} */
  #row(user) {
    return this.querySelector(`[data-presence="${user}"]`);
  }

  /** @param {import("../lib/company.js").Presence[]} users */
  #show(users) {
    for (const { user, state, text } of users) {
      const row = this.#row(user);
      if (!row) continue;
      const isNews = row.dataset.state !== state;
      row.dataset.state = state;
      const status = row.querySelector(".person-status");
      if (status) status.textContent = state === "offline" ? "" : (text ?? "");
      const words = row.querySelector(".person-state");
      if (!words || !isNews) continue;
      if (state === "offline") words.replaceChildren(justNow());
      else words.textContent = { online: t("here now"), away: t("away"), dnd: t("busy") }[state] ?? "";
    }
  }
}

/** @returns {HTMLTimeElement} this moment, as when somebody was last here */
function justNow() {
  const time = document.createElement("time");
  time.dateTime = new Date().toISOString();
  time.dataset.show = "ago";
  showTime(time);
  return time;
}

/** @param {Element} list */
function who(list) {
  return [...list.querySelectorAll("[data-presence]")].map((row) => row.getAttribute("data-presence")).join();
}

customElements.define("accounts-presence", AccountsPresence);
