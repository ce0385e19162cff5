/** What one says of oneself at the moment: a state, and a few words. */
import { stateInWords } from "../lib/company.js";
import { live } from "../lib/live.js";
import { said, t } from "../lib/words.js";

const STATES = ["online", "away", "dnd"];
/** Characters of what somebody says; the server's own limit. */
const MOST = 100;

class SiteStatus extends HTMLElement {
  form = document.createElement("form");
  text = document.createElement("input");
  wrong = document.createElement("p");

  connectedCallback() {
    if (this.hasAttribute("popover")) return;
    this.popover = "auto";
    this.className = "status-panel";
    this.setAttribute("role", "dialog");
    this.setAttribute("aria-label", t("Your status"));
    const states = document.createElement("fieldset");
    states.className = "states";
    const legend = document.createElement("legend");
    legend.className = "unseen";
    legend.textContent = t("Your state");
    states.append(legend, ...STATES.map(choice));
    Object.assign(this.text, { name: "text", maxLength: MOST, autocomplete: "off", placeholder: t("What you are doing") });
    this.text.setAttribute("aria-label", t("What you are doing"));
    this.wrong.className = "wrong";
    this.wrong.setAttribute("role", "alert");
    this.wrong.hidden = true;
    const button = document.createElement("button");
    button.className = "button";
    button.textContent = t("Save");
    const row = document.createElement("div");
    row.className = "form-row field";
    row.append(this.text, button);
    this.form.className = "form";
    this.form.append(states, row, this.wrong);
    this.form.addEventListener("submit", (event) => void this.#save(event));
    this.append(this.form);
  }

  /** @param {HTMLElement} button */
  toggle(button) {
    if (this.matches(":popover-open")) return this.hidePopover();
    const { state, text } = live.ready?.user.status ?? { state: "online", text: "" };
    const current = /** @type {HTMLInputElement} */ (this.querySelector(`[value="${state}"]`));
    current.checked = true;
    this.text.value = text;
    this.wrong.hidden = true;
    const place = button.getBoundingClientRect();
    this.style.setProperty("--card-bottom", `${document.documentElement.clientHeight - place.top + 6}px`);
    this.style.setProperty("--card-left", `${Math.max(8, place.left - 8)}px`);
    this.showPopover();
    current.focus();
  }

  /** @param {SubmitEvent} event */
  async #save(event) {
    event.preventDefault();
    const status = { state: String(new FormData(this.form).get("state")), text: this.text.value.trim() };
    try {
      await live.socket.request("status", status);
      if (live.ready) live.ready.user.status = status;
      // The server tells it to all of the person's windows, this one too.
      this.hidePopover();
    } catch (error) {
      this.wrong.textContent = said(/** @type {Error} */ (error).message) || t("That did not get through. Try again when you are connected.");
      this.wrong.hidden = false;
    }
  }
}

/** @param {string} state */
function choice(state) {
  const label = document.createElement("label");
  label.className = "state";
  const field = document.createElement("input");
  Object.assign(field, { type: "radio", name: "state", value: state });
  const dot = document.createElement("span");
  dot.className = "state-dot";
  dot.dataset.state = state;
  label.append(field, dot, stateInWords(state));
  return label;
}

customElements.define("site-status", SiteStatus);
