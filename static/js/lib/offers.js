/**
 * Offers names while somebody writes: a list over the box, walked by the arrows, taken by Enter, Tab or a touch. The focus stays
 * in the box, and while an input method composes, every key is the input method's.
 */
import { offersFor } from "./offered.js";
import { initials, paint } from "./person.js";
import { say } from "./say.js";
import { tokenAt } from "./token.js";
import { t } from "./words.js";

/** @typedef {import("./offered.js").Offer} Offer */
/** @typedef {import("./token.js").Token} Token */

/** Letters come quicker than this while somebody types a name they know. */
const TYPING = 80;

let lists = 0;

export class Offers {
  #list = document.createElement("ul");
  /** @type {Offer[]} */ #shown = [];
  #chosen = 0;
  /** @type {Token | null} */ #token = null;
  /** What was closed by Esc stays closed until something else is named. */
  #refused = -1;
  /** @type {any} */ #timer = null;
  #asked = 0;

  /**
   * @param {HTMLTextAreaElement} box
   * @param {{room: number, signal: AbortSignal}} place
   */
  constructor(box, { room, signal }) {
    this.box = box;
    this.room = room;
    lists += 1;
    Object.assign(this.#list, { id: `offers-${lists}`, className: "offers", role: "listbox", hidden: true, tabIndex: 0 });
    this.#list.setAttribute("aria-label", t("Suggestions"));
    (box.closest(".note-fields") ?? box.closest("form"))?.append(this.#list);
    const says = { "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": this.#list.id };
    for (const [name, value] of Object.entries(says)) box.setAttribute(name, value);
    box.addEventListener("input", (event) => this.#input(/** @type {InputEvent} */ (event)), { signal });
    // Before the box's own keys: Enter here takes a name and sends nothing.
    box.addEventListener("keydown", (event) => this.#key(event), { signal, capture: true });
    box.addEventListener("compositionstart", () => this.close(), { signal });
    box.addEventListener("compositionend", () => this.look(), { signal });
    box.addEventListener("blur", () => this.close(), { signal });
    box.addEventListener("click", () => this.look(), { signal });
    // A press mustn't take the focus out of the box.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault(), { signal });
    this.#list.addEventListener("click", (event) => this.#take(this.#indexOf(event.target)), { signal });
    this.#list.addEventListener("pointermove", (event) => this.#choose(this.#indexOf(event.target)), { signal });
  }

  /** @param {InputEvent} event */
  #input(event) {
    if (event.isComposing) return this.close();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), this.#list.hidden ? 0 : TYPING);
  }

  /** Offers what fits where the caret stands. */
  look() {
    const { selectionStart, selectionEnd, value } = this.box;
    const token = selectionStart === selectionEnd ? tokenAt(value, selectionStart) : null;
    if (!token || document.activeElement !== this.box) {
      this.#refused = -1;
      return this.close();
    }
    if (token.start === this.#refused) return;
    this.#refused = -1;
    this.#token = token;
    const asked = ++this.#asked;
    void offersFor(token, this.room, (offers) => { if (asked === this.#asked) this.#show(offers); });
  }

  close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#token = null;
    this.#shown = [];
    this.#list.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
  }

  /** What arrives later mustn't move the choice that somebody has made already. @param {Offer[]} offers */
  #show(offers) {
    const chosen = this.#chosen > 0 ? this.#shown[this.#chosen]?.insert : undefined;
    const wasOpen = !this.#list.hidden;
    this.#shown = offers;
    if (offers.length === 0) {
      this.#list.hidden = true;
      this.box.removeAttribute("aria-activedescendant");
      return;
    }
    this.#list.replaceChildren(...offers.map((offer, index) => this.#make(offer, index)));
    this.#list.hidden = false;
    this.#choose(Math.max(0, offers.findIndex(({ insert }) => insert === chosen)));
    if (!wasOpen) say(offers.length === 1 ? t("1 suggestion") : t("{count} suggestions", { count: offers.length }));
  }

  /** @param {Offer} offer @param {number} index */
  #make({ name, hint, sign, user }, index) {
    const option = document.createElement("li");
    option.id = `${this.#list.id}-${index}`;
    option.className = "offer";
    option.setAttribute("role", "option");
    const mark = document.createElement("span");
    mark.setAttribute("aria-hidden", "true");
    if (user === undefined) Object.assign(mark, { className: "offer-sign", textContent: sign ?? "" });
    else Object.assign(mark, { className: "face", textContent: initials(name) });
    if (user !== undefined) paint(mark, user);
    option.append(mark, words("offer-name", name), " ", words("offer-hint", hint));
    return option;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229 || this.#list.hidden || event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#shown.length - 1;
    if (event.key === "ArrowDown") this.#choose(this.#chosen >= last ? 0 : this.#chosen + 1);
    else if (event.key === "ArrowUp") this.#choose(this.#chosen <= 0 ? last : this.#chosen - 1);
    else if (event.key === "Escape") {
      this.#refused = this.#token?.start ?? -1;
      this.close();
    } else if ((event.key === "Tab" || event.key === "Enter") && !event.shiftKey && !this.#isWritten(event.key)) this.#take(this.#chosen);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Who has written the whole of a name and presses Enter wants to send. @param {string} key */
  #isWritten(key) {
    const offer = this.#shown[this.#chosen];
    const token = this.#token;
    if (key !== "Enter" || !offer || !token) return false;
    const written = this.box.value.slice(token.start, this.box.selectionStart);
    return written.toLowerCase() === offer.insert.trim().toLowerCase();
  }

  /** @param {number} index */
  #choose(index) {
    if (index < 0) return;
    this.#chosen = index;
    [...this.#list.children].forEach((option, at) => {
      option.setAttribute("aria-selected", String(at === index));
      if (at !== index) return;
      this.box.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {number} index */
  #take(index) {
    const offer = this.#shown[index];
    const token = this.#token;
    if (!offer || !token) return;
    this.close();
    this.box.focus({ preventScroll: true });
    this.box.setSelectionRange(token.start, this.box.selectionEnd);
    insert(this.box, offer.insert);
    offer.taken?.();
  }

  /** @param {EventTarget | null} target @returns {number} */
  #indexOf(target) {
    const option = target instanceof Element ? target.closest("[role=option]") : null;
    return option ? [...this.#list.children].indexOf(option) : -1;
  }
}

/**
 * Writes over what is selected, as if it had been typed: it can be undone, and whoever listens learns of it.
 * @param {HTMLTextAreaElement} box
 * @param {string} text
 */
export function insert(box, text) {
  const after = box.value[box.selectionEnd];
  // One space is enough.
  const words = text.endsWith(" ") && after === " " ? text.slice(0, -1) : text;
  box.focus({ preventScroll: true });
  if (document.execCommand("insertText", false, words)) return;
  box.setRangeText(words, box.selectionStart, box.selectionEnd, "end");
  box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: words }));
}

/** @param {string} name @param {string} text */
function words(name, text) {
  const span = document.createElement("span");
  span.className = name;
  span.textContent = text;
  return span;
}
