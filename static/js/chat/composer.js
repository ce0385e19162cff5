/** Where one writes: Enter sends, Shift+Enter breaks the line, and the words are kept until they are stored. */
import { Answering } from "../lib/answering.js";
import { Draft, tidy, tooLong } from "../lib/draft.js";
import { live, on } from "../lib/live.js";
import { callsEverybody } from "../lib/token.js";
import { t } from "../lib/words.js";

/** Others learn that one is typing at most this often; the server lets it expire after 5 s. */
const TYPING_EVERY = 3000;
const TYPING_LASTS = 5000;
/** Who calls more people than this is asked whether they mean it. */
const MANY = 20;
/** How long a word about a command stays. */
const NOTED = 6000;

class ChatComposer extends HTMLElement {
  #left = new AbortController();
  room = Number(this.dataset.room);
  form = /** @type {HTMLFormElement} */ (this.querySelector("form"));
  box = /** @type {HTMLTextAreaElement} */ (this.querySelector("textarea"));
  /** The other one of a private conversation. */
  peer = this.dataset.peer ?? "";
  draft = new Draft(live.user, this.room || `dm:${this.peer}`);
  answering = new Answering(this.form, this.box, this.room, this.#left.signal);
  #isBeginning = false;
  /** What takes files, once it is there. @type {import("../lib/attach.js").Attacher | null} */ files = null;
  #toldTyping = 0;
  /** @type {Map<number, any>} who is typing, with the timer that ends it */
  #typing = new Map();
  /** The list of names, once it is there. @type {Promise<void> | null} */ #offers = null;
  /** @type {any} */ #noted = null;

  connectedCallback() {
    const { signal } = this.#left;
    void import("../lib/attach.js").then(({ Attacher }) => { this.files = new Attacher(this.form, this.room, signal); }, () => {});
    if (!this.box.value) this.box.value = this.draft.read();
    this.box.required = false;
    this.form.addEventListener("submit", (event) => this.#submit(event), { signal });
    this.box.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.box.addEventListener("input", () => this.#input(), { signal });
    this.querySelector(".composer-emoji")?.addEventListener("click", (event) => void this.#emoji(/** @type {HTMLElement} */ (event.currentTarget)), { signal });
    on("room", (room) => {
      // The other one began it in this moment.
      if (!this.room && !this.#isBeginning && room.peer_username === this.peer) location.reload();
    }, signal);
    on("typing", (frame) => { if (frame.room === this.room) this.#somebodyTypes(frame.user); }, signal);
    on("message", (message) => { if (message.room === this.room) this.#stopped(message.user); }, signal);
    if (matchMedia("(hover: hover)").matches && !location.hash && this.dataset.quiet === undefined) this.box.focus({ preventScroll: true });
  }

  disconnectedCallback() {
    this.#left.abort();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // While an input method composes, Enter chooses a character; Safari says so only by the code 229.
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return;
    if (event.key === "ArrowUp" && !this.box.value && !(event.shiftKey || event.altKey || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      document.dispatchEvent(new CustomEvent("edit-wanted"));
      return;
    }
    if (event.key === "Escape" && this.querySelector(".composer-asks")) {
      this.#ask("");
      event.preventDefault();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #input() {
    this.draft.keep(this.box.value);
    this.#complain("");
    this.#ask("");
    if (/[@#:/]/.test(this.box.value)) void this.#offer();
    if (!this.room || !this.box.value || Date.now() - this.#toldTyping < TYPING_EVERY) return;
    this.#toldTyping = Date.now();
    live.socket.tell("typing", { room: this.room });
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const text = tidy(this.box.value);
    if (!text && this.files?.isEmpty !== false) return;
    const wrong = tooLong(text);
    this.#complain(wrong);
    if (wrong) return;
    if (!this.room) void this.#begin(text);
    else if (text.startsWith("/")) void this.#command(text);
    else this.#send(text, text);
  }

  /** Names are offered from the first sign on that can begin one. */
  async #offer() {
    this.#offers ??= import("../lib/offers.js").then(({ Offers }) => {
      new Offers(this.box, { room: this.room, signal: this.#left.signal }).look();
    });
    // Without a connection it is tried again with the next letter.
    await this.#offers.catch(() => { this.#offers = null; });
  }

  /** @param {HTMLElement} button */
  async #emoji(button) {
    try {
      const [{ pickEmoji }, { insert }] = await Promise.all([import("../lib/picker.js"), import("../lib/offers.js")]);
      pickEmoji(button, (char) => insert(this.box, char));
    } catch {
      this.#complain(t("The emoji could not be brought. You are offline."));
    }
  }

  /** @param {string} text that begins with a slash */
  async #command(text) {
    try {
      const { run } = await import("../lib/slash.js");
      const { say, note, wrong } = await run(text, this.room);
      this.#complain(wrong ?? "");
      if (wrong) return;
      if (say) this.#send(say, text);
      else this.#clear(text);
      if (note) this.#note(note);
    } catch {
      this.#complain(t("You are offline. Commands work again when you are back."));
    }
  }

  /**
   * @param {string} text
   * @param {string} written what stands in the box for it
   * @param {boolean} [isMeant] that many people are called
   */
  #send(text, written, isMeant = false) {
    const people = live.rooms.get(this.room)?.members ?? 0;
    if (!isMeant && people > MANY && callsEverybody(text)) {
      this.#ask(t("This calls {count} people.", { count: people }), () => this.#send(text, written, true));
      return;
    }
    this.#ask("");
    this.#clear(written);
    live.write(this.room, text, { reply_to: this.answering.take(), files: this.files?.take() });
    this.box.focus({ preventScroll: true });
  }

  /** @param {string} written what was sent; what was typed since then stays */
  #clear(written) {
    if (tidy(this.box.value) !== written) return;
    this.box.value = "";
    this.draft.keep("");
    this.#toldTyping = 0;
  }

  /**
   * Asks in a line over the box whether it is meant; without words, asks nothing any more.
   * @param {string} words
   * @param {() => void} [yes]
   */
  #ask(words, yes) {
    this.querySelector(".composer-asks")?.remove();
    if (!words) return;
    const line = document.createElement("div");
    line.className = "composer-asks";
    const question = document.createElement("p");
    question.setAttribute("role", "alert");
    question.textContent = words;
    const send = button("button", t("Send it to all of them"), () => yes?.());
    const wait = button("button button-quiet", t("Not yet"), () => { this.#ask(""); this.box.focus(); });
    line.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      wait.click();
    });
    line.append(question, send, wait);
    this.form.prepend(line);
    send.focus();
  }

  /** A quiet word where one also reads who is typing. @param {string} words */
  #note(words) {
    let line = this.querySelector(".composer-note");
    if (!line) {
      line = document.createElement("p");
      line.className = "fine composer-note";
      line.setAttribute("role", "status");
      this.form.append(line);
    }
    line.textContent = words;
    clearTimeout(this.#noted);
    this.#noted = setTimeout(() => { if (line) line.textContent = ""; }, NOTED);
  }

  /** The first message of a private conversation makes its room, and then there is something to show. @param {string} text */
  async #begin(text) {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    const { begin } = await import("../lib/begin.js").catch(() => ({ begin: null }));
    const wrong = begin ? await begin(this.peer, text) : t("You are offline. Your words stay here until you send them.");
    this.#isBeginning = false;
    this.#complain(wrong);
    if (wrong) return;
    this.draft.keep("");
    location.reload();
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

/** @param {string} className @param {string} words @param {() => void} pressed */
function button(className, words, pressed) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", className, textContent: words });
  made.addEventListener("click", pressed);
  return made;
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
