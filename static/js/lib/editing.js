/** Other words for one's message, typed in its own place: Enter saves, Esc leaves it as it was. */
import { tidy, tooLong } from "./draft.js";
import { ask } from "./deeds.js";
import { messageOf } from "./adorn.js";
import { t } from "./words.js";

/** @typedef {import("./deeds.js").Place} Place */

/**
 * @param {HTMLElement} article
 * @param {Place} place
 */
export async function edit(article, place) {
  const there = /** @type {HTMLTextAreaElement | null} */ (article.querySelector(".edit-form textarea"));
  if (there) return there.focus();
  const from = document.activeElement;
  const message = await messageOf(article, place.room);
  if (!message || article.querySelector(".edit-form")) return;
  const form = makeForm(message.text ?? "");
  const box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  article.classList.add("is-edited");
  article.querySelector(".message-text")?.after(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void save(article, place, message.text ?? "", form, from);
  });
  form.addEventListener("keydown", (event) => key(event, article, form, from));
  form.querySelector("[type=button]")?.addEventListener("click", () => leave(article, form, from));
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  article.scrollIntoView({ block: "nearest" });
}

/** @param {string} text @returns {HTMLFormElement} */
function makeForm(text) {
  const form = document.createElement("form");
  form.className = "edit-form";
  const box = document.createElement("textarea");
  box.value = text;
  box.rows = 1;
  box.setAttribute("aria-label", t("Edit this message"));
  const foot = document.createElement("p");
  foot.className = "edit-foot";
  const [save, cancel] = [document.createElement("button"), document.createElement("button")];
  Object.assign(save, { type: "submit", className: "button", textContent: t("Save") });
  Object.assign(cancel, { type: "button", className: "button button-quiet", textContent: t("Cancel") });
  foot.append(save, cancel);
  form.append(box, foot);
  return form;
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement} article
 * @param {HTMLFormElement} form
 * @param {Element | null} from
 */
function key(event, article, form, from) {
  event.stopPropagation();
  // While an input method composes, Enter chooses a character; Safari says so only by the code 229.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Escape") {
    event.preventDefault();
    leave(article, form, from);
  } else if (event.key === "Enter" && !event.shiftKey && event.target instanceof HTMLTextAreaElement) {
    event.preventDefault();
    form.requestSubmit();
  }
}

/**
 * @param {HTMLElement} article
 * @param {Place} place
 * @param {string} before
 * @param {HTMLFormElement} form
 * @param {Element | null} from
 */
async function save(article, place, before, form, from) {
  const box = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const text = tidy(box.value);
  if (text === before) return leave(article, form, from);
  const wrong = text ? tooLong(text) : t("Write something, or delete the message.");
  if (wrong) return complain(form, wrong);
  box.readOnly = true;
  const answer = await ask("edit", { room: place.room, seq: Number(article.dataset.seq), text });
  box.readOnly = false;
  // What was typed stays where it is until the server has it.
  if (answer) leave(article, form, from);
  else complain(form, t("That was not saved. Try again."));
}

/** @param {HTMLFormElement} form @param {string} words */
function complain(form, words) {
  const line = form.querySelector(".wrong") ?? document.createElement("p");
  line.className = "wrong";
  line.setAttribute("role", "alert");
  line.textContent = words;
  form.append(line);
}

/**
 * @param {HTMLElement} article
 * @param {HTMLFormElement} form
 * @param {Element | null} from where the person was
 */
function leave(article, form, from) {
  form.remove();
  article.classList.remove("is-edited");
  const there = from instanceof HTMLElement && from.isConnected && from !== document.body && from.offsetParent ? from : article;
  if (there === article) article.tabIndex = -1;
  there.focus({ preventScroll: true });
}
