/** The sheet of keys: what exists, and nothing else. */
import { isApple } from "../lib/keys.js";
import { t } from "../lib/words.js";

/** Whether single letters do something; somebody who dictates may not want them to. */
const SINGLE = "hubbub-single-keys";

class SiteKeysheet extends HTMLElement {
  dialog = document.createElement("dialog");

  connectedCallback() {
    this.dialog.className = "keysheet";
    this.dialog.setAttribute("aria-labelledby", "keysheet-head");
    const head = document.createElement("h2");
    head.id = "keysheet-head";
    head.textContent = t("Keys");
    const close = document.createElement("button");
    Object.assign(close, { type: "button", className: "button button-quiet", textContent: t("Close") });
    close.addEventListener("click", () => this.dialog.close());
    this.dialog.append(head, makeList(), makeChoice(), close);
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close(); });
    this.append(this.dialog);
  }

  open() {
    if (!this.dialog.open) this.dialog.showModal();
  }
}

function makeList() {
  const command = isApple ? "⌘" : "Ctrl";
  const alt = isApple ? "⌥" : "Alt";
  /** @type {[string[], string][]} */
  const keys = [
    [["Enter"], t("Send")],
    [["Shift", "Enter"], t("New line")],
    [["@ # :"], t("Name a person, a channel, an emoji")],
    [["/"], t("A command, at the beginning of a message")],
    [[command, "Enter"], t("Post a note on the board")],
    [[command, "K"], t("Go anywhere")],
    [[alt, "↑ ↓"], t("Room before, next room")],
    [[alt, "Shift", "↑ ↓"], t("The same, to those with something new")],
    [["Esc"], t("Mark the room as read")],
    [["↑ ↓"], t("From message to message, once the list has the focus")],
    [["R"], t("On a message: reply")],
    [["T"], t("On a message: open the thread")],
    [["+"], t("On a message: react")],
    [["E"], t("On a message: edit")],
    [["P"], t("On a message: pin or unpin")],
    [["L"], t("On a message: copy the link")],
    [["C"], t("On a message: copy the text")],
    [["D"], t("On a message: delete")],
    [["/"], t("Find")],
    [["?"], t("This list")],
  ];
  const list = document.createElement("dl");
  if (document.querySelector("media-player")) keys.unshift(...playerKeys());
  if (document.querySelector(".composer-moment:not([hidden])")) keys.push([[alt, "T"], t("The present moment into the message")]);
  for (const [names, words] of keys) {
    const term = document.createElement("dt");
    for (const name of names) {
      const key = document.createElement("kbd");
      key.textContent = name;
      term.append(key, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = words;
    list.append(term, meaning);
  }
  return list;
}

/** @returns {[string[], string][]} */
function playerKeys() {
  return [
    [["K"], t("Play or pause, as the space bar does")],
    [["J", "L"], t("Ten seconds back, ten seconds on")],
    [["← →"], t("Five seconds back, five seconds on")],
    [["0", "9"], t("To the beginning, to nine tenths")],
    [["< >"], t("Slower, faster")],
    [["↑ ↓"], t("Louder, softer, while the player has the focus")],
    [["M"], t("Sound off or on")],
    [["C"], t("Captions on or off")],
    [["F"], t("Whole screen")],
    [["P"], t("Small window over other programs")],
  ];
}

function makeChoice() {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  try {
    box.checked = localStorage.getItem(SINGLE) !== "off";
    box.addEventListener("change", () => localStorage.setItem(SINGLE, box.checked ? "on" : "off"));
  } catch {
    box.disabled = true;
  }
  label.append(box, " ", t("Use single keys such as / and ? by themselves"));
  return label;
}

customElements.define("site-keysheet", SiteKeysheet);
