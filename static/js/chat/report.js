/** Reporting a message: why, in a few words, to those who look after the place. */
import { say } from "../lib/say.js";
import { said, t } from "../lib/words.js";

/** Characters of a reason; the server's own limit. */
const MOST = 500;

class ChatReport extends HTMLElement {
  dialog = document.createElement("dialog");
  form = document.createElement("form");
  reason = document.createElement("textarea");
  wrong = document.createElement("p");
  room = 0;
  seq = 0;

  connectedCallback() {
    const title = document.createElement("h2");
    title.id = "report-title";
    title.textContent = t("Report this message");
    const words = document.createElement("p");
    words.className = "fine";
    words.textContent = t("A copy of it goes to those who look after this place. Its author isn't told who reported it.");
    const label = document.createElement("label");
    label.htmlFor = "report-reason";
    label.textContent = t("What is wrong with it");
    Object.assign(this.reason, { id: "report-reason", maxLength: MOST, rows: 3, required: true });
    this.wrong.className = "wrong";
    this.wrong.setAttribute("role", "alert");
    this.wrong.hidden = true;
    const field = document.createElement("div");
    field.className = "field";
    field.append(label, this.reason, this.wrong);
    this.form.className = "form";
    this.form.append(title, words, field, this.#buttons());
    this.form.addEventListener("submit", (event) => void this.#send(event));
    this.dialog.className = "report-dialog";
    this.dialog.setAttribute("aria-labelledby", "report-title");
    this.dialog.append(this.form);
    this.dialog.addEventListener("close", () => this.remove());
    this.append(this.dialog);
  }

  /** @param {number} room @param {number} seq */
  open(room, seq) {
    Object.assign(this, { room, seq });
    this.dialog.showModal();
    this.reason.focus();
  }

  #buttons() {
    const buttons = document.createElement("div");
    buttons.className = "form-buttons";
    const send = document.createElement("button");
    send.className = "button";
    send.textContent = t("Report");
    const cancel = document.createElement("button");
    cancel.type = "button";
    cancel.className = "button button-quiet";
    cancel.textContent = t("Cancel");
    cancel.addEventListener("click", () => this.dialog.close());
    buttons.append(send, cancel);
    return buttons;
  }

  /** @param {SubmitEvent} event */
  async #send(event) {
    event.preventDefault();
    const words = await post(this.room, this.seq, this.reason.value);
    this.wrong.hidden = words === "";
    this.wrong.textContent = words;
    if (words) return this.reason.focus();
    this.dialog.close();
    say(t("Reported. Thank you."));
  }
}

/**
 * @param {number} room
 * @param {number} seq
 * @param {string} reason
 * @returns {Promise<string>} what went wrong, or nothing
 */
async function post(room, seq, reason) {
  try {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`/api/v1/rooms/${room}/messages/${seq}/report`, { method: "POST", headers, body: JSON.stringify({ reason }) });
    return answer.ok ? "" : said((await answer.json()).detail);
  } catch {
    return t("That did not get through. Try again when you are connected.");
  }
}

customElements.define("chat-report", ChatReport);

/** @param {number} room @param {number} seq */
export function openReport(room, seq) {
  const report = /** @type {ChatReport} */ (document.createElement("chat-report"));
  document.body.append(report);
  report.open(room, seq);
}
