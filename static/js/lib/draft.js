/** What is being written, kept per person and room until it is sent. */
import { t } from "./words.js";

export class Draft {
  /**
   * @param {number} user
   * @param {number | string} room
   */
  constructor(user, room) {
    this.key = `hubbub-draft:${user}:${room}`;
  }

  /** @returns {string} */
  read() {
    try {
      return localStorage.getItem(this.key) ?? "";
    } catch {
      return "";
    }
  }

  /** @param {string} text */
  keep(text) {
    try {
      if (text) localStorage.setItem(this.key, text);
      else localStorage.removeItem(this.key);
    } catch {
      // Full or forbidden: the text is still in its box.
    }
  }
}

/** The contract's limit, in characters as a reader counts them: code points. */
const LONGEST = 4000;

/**
 * What is wrong with a text, before it is sent.
 * @param {string} text
 * @returns {string} a sentence, or nothing
 */
export function tooLong(text) {
  const over = Array.from(text).length - LONGEST;
  if (over <= 0) return "";
  if (over === 1) return t("That is one character too long. Send it in two parts.");
  return t("That is {count} characters too long. Send it in two parts.", { count: over });
}

/**
 * The text as it is sent: no empty lines around it, one kind of line end.
 * @param {string} text
 * @returns {string}
 */
export function tidy(text) {
  return text.replace(/\r\n?/g, "\n").replace(/^(?:[ \t]*\n)+/, "").trimEnd();
}
