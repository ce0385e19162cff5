/** Where one writes: Enter sends, Shift+Enter breaks the line, and the words are kept until they are stored. */
import { Draft, tidy, tooLong } from "../lib/draft.js";
import { live, on } from "../lib/live.js";
import { t } from "../lib/words.js";

/** Others learn that one is typing at most this often; the server lets it expire after 5 s. */
const TYPING_EVERY = 3000;
const TYPING_LASTS = 5000;

class ChatComposer extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
  box = /** @type {HTMLTextAreaElement} */ (this.querySelector("textarea"));
  draft = new Draft(live.user, this.room);
  #toldTyping = 0;
  /** @type {Map<number, any>} who is typing, with the timer that ends it */
  #typing = new Map();

  connectedCallback() {
    const { signal } = this.#left;
    if (!this.box.value) this.box.value = this.draft.read();
    this.box.required = false;
    this.form.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.box.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.box.addEventListener("input", () => this.#input(), { signal });
    on("typing", (frame) => { if (frame.room === this.room) this.#somebodyTypes(frame.user); }, signal);
    on("message", (message) => { if (message.room === this.room) this.#stopped(message.user); }, signal);
    if (matchMedia("(hover: hover)").matches && !location.hash) this.box.focus({ preventScroll: true });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes, Enter chooses a character; Safari says so only by the code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #input() {
    this.draft.keep(this.box.value);
    this.#complain("");
    if (!this.box.value || Date.now() - this.#toldTyping < TYPING_EVERY) return;
    this.#toldTyping = Date.now();
    live.socket.tell("typing", { room: this.room });
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const text = tidy(this.box.value);
    if (!text) return;
    const wrong = tooLong(text);
    this.#complain(wrong);
    if (wrong) return;
    this.box.value = "";
    this.draft.keep("");
    this.#toldTyping = 0;
    live.write(this.room, text);
    this.box.focus({ preventScroll: true });
  }

  /** @param {string} words */
  #complain(words) {
    let line = this.form.querySelector(".wrong");
    if (!words) {
      line?.remove();
      this.box.removeAttribute("aria-invalid");
      return;
    }
    if (!line) {
      line = document.createElement("p");
      line.className = "wrong";
      line.setAttribute("role", "alert");
      this.form.prepend(line);
    }
    line.textContent = words;
    this.box.setAttribute("aria-invalid", "true");
  }

  /** @param {number} user */
  #somebodyTypes(user) {
    if (user === live.user) return;
    clearTimeout(this.#typing.get(user));
    this.#typing.set(user, setTimeout(() => this.#stopped(user), TYPING_LASTS));
    this.#showTyping();
  }

  /** @param {number} user */
  #stopped(user) {
    if (!this.#typing.has(user)) return;
    clearTimeout(this.#typing.get(user));
    this.#typing.delete(user);
    this.#showTyping();
  }

  #showTyping() {
    const line = this.querySelector(".typing");
    const names = [...this.#typing.keys()].map(nameOf);
    if (line) line.textContent = sentence(names);
  }
}

/** @param {number} user @returns {string} the name they last wrote under, as far as the page knows */
function nameOf(user) {
  const heads = document.querySelectorAll(`.message[data-user="${user}"] .message-head`);
  const head = heads[heads.length - 1];
  const name = head?.querySelector(".message-name")?.textContent || t("Somebody");
  return head?.querySelector(".guest:not([hidden])") ? t("{name} (guest)", { name }) : name;
}

/** @param {string[]} names @returns {string} */
function sentence(names) {
  if (names.length === 0) return "";
  if (names.length === 1) return t("{name} is typing", { name: names[0] });
  if (names.length > 2) return t("Several people are typing");
  return t("{name} and {other} are typing", { name: names[0], other: names[1] });
}

customElements.define("chat-composer", ChatComposer);
