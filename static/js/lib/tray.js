/** What goes with the next message: small pictures, how far each has come, and what is wrong with those that can't go. */
import { previews, sizeInWords } from "./attachments.js";
import { say } from "./say.js";
import { again, cancel, shelve, start } from "./uploads.js";
import { t } from "./words.js";

/** @typedef {import("./uploads.js").Upload} Upload */

/** Files of one message; as in `src/rooms/attachment.rs`. */
const MOST = 10;

export class Tray {
  list = document.createElement("ul");
  wrong = document.createElement("p");
  /** @type {Map<Upload, HTMLLIElement>} */ #items = new Map();

  /**
   * @param {HTMLFormElement} form
   * @param {number} room
   * @param {number} bytesMax of one file
   */
  constructor(form, room, bytesMax) {
    this.form = form;
    this.room = room;
    this.bytesMax = bytesMax;
    this.list.className = "tray";
    this.list.setAttribute("aria-label", t("Files to send"));
    this.wrong.className = "wrong";
    this.wrong.setAttribute("role", "alert");
    this.form.prepend(this.list, this.wrong);
    this.#settle();
  }

  get isEmpty() {
    return this.#items.size === 0;
  }

  /** @returns {import("./attachments.js").Carried[]} those that can go; the refused ones stay to be seen */
  take() {
    const going = [...this.#items.keys()].filter((upload) => upload.state !== "failed");
    for (const upload of going) this.#remove(upload);
    this.#complain([]);
    shelve(going);
    return going.map(({ key, name, file, width, height, description }) => ({ key, name, size: file.size, width, height, description }));
  }

  /** @param {File[]} files */
  add(files) {
    /** @type {string[]} */
    const wrong = [];
    let left = MOST - this.#items.size;
    for (const file of files) {
      const why = this.#objection(file, left);
      if (why) wrong.push(why);
      else {
        left -= 1;
        this.#show(start(this.room, file, file.name));
      }
    }
    this.#complain([...new Set(wrong)]);
    this.#settle();
    if (this.#items.size > 0) say(this.#items.size === 1 ? t("1 file attached") : t("{count} files attached", { count: this.#items.size }));
    const box = this.form.querySelector("textarea");
    box?.focus({ preventScroll: true });
  }

  /** @param {File} file @param {number} left @returns {string} */
  #objection(file, left) {
    if (left <= 0) return t("A message carries at most 10 files.");
    if (file.size === 0) return t("{name} is empty.", { name: file.name });
    const [most, name] = [Math.floor(this.bytesMax / (1024 * 1024)), file.name];
    return file.size > this.bytesMax ? t("{name} is too large: a file can have {most} MiB at most.", { name, most }) : "";
  }

  /** @param {string[]} sentences */
  #complain(sentences) {
    this.wrong.textContent = sentences.join(" ");
    this.wrong.hidden = sentences.length === 0;
  }

  /** @param {Upload} upload */
  #show(upload) {
    const item = document.createElement("li");
    item.className = "tray-item";
    const picture = this.#face(upload, item);
    const bar = document.createElement("progress");
    bar.max = upload.file.size;
    bar.setAttribute("aria-label", t("Sending {name}", { name: upload.name }));
    const [name, says] = [document.createElement("span"), document.createElement("span")];
    name.className = "tray-name";
    name.textContent = name.title = upload.name;
    says.className = "tray-says";
    const retry = button("tray-retry", t("Try again"), () => again(upload));
    const remove = button("tray-remove", t("Remove {name}", { name: upload.name }), () => {
      cancel(upload);
      this.#remove(upload);
      this.form.querySelector("textarea")?.focus({ preventScroll: true });
    });
    retry.textContent = t("Try again");
    item.append(picture, name, says, bar, retry, remove);
    if (upload.file.type.startsWith("image/")) item.append(words(upload));
    const change = () => {
      item.dataset.state = upload.state;
      bar.value = upload.sent;
      bar.hidden = upload.state === "done" || upload.state === "failed";
      retry.hidden = upload.state !== "failed" || !upload.mayTryAgain;
      const percent = Math.floor((100 * upload.sent) / upload.file.size);
      if (upload.state === "failed") says.textContent = upload.error;
      else says.textContent = upload.state === "done" ? sizeInWords(upload.file.size) : t("{percent} % of {size}", { percent, size: sizeInWords(upload.file.size) });
      says.toggleAttribute("role", false);
      if (upload.state === "failed") says.setAttribute("role", "alert");
    };
    upload.addEventListener("change", change);
    change();
    this.#items.set(upload, item);
    this.list.append(item);
  }

  /** The picture itself, or a sheet of paper. @param {Upload} upload @param {HTMLElement} item */
  #face(upload, item) {
    if (!/^image\/(jpeg|png|gif|webp)$/.test(upload.file.type)) {
      const sheet = document.createElement("span");
      sheet.className = "tray-sheet";
      sheet.textContent = /\.([^.]{1,5})$/.exec(upload.name)?.[1].toUpperCase() ?? "…";
      sheet.setAttribute("aria-hidden", "true");
      return sheet;
    }
    const picture = new Image();
    const url = URL.createObjectURL(upload.file);
    previews.set(upload.key, url);
    picture.className = "tray-picture";
    picture.alt = "";
    picture.onload = () => upload.become({ width: picture.naturalWidth, height: picture.naturalHeight });
    picture.onerror = () => item.classList.add("is-unreadable");
    picture.src = url;
    return picture;
  }

  /** @param {Upload} upload */
  #remove(upload) {
    this.#items.get(upload)?.remove();
    this.#items.delete(upload);
    this.#settle();
  }

  #settle() {
    this.list.hidden = this.isEmpty;
    if (this.isEmpty) this.wrong.hidden = this.wrong.textContent === "";
  }
}

/** @param {string} name @param {string} words @param {() => void} run */
function button(name, words, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.title = words;
  made.setAttribute("aria-label", words);
  made.addEventListener("click", run);
  return made;
}

/** Where the sender says what is to be seen. @param {Upload} upload */
function words(upload) {
  const box = document.createElement("input");
  Object.assign(box, { className: "tray-words", maxLength: 500, placeholder: t("Describe it"), autocomplete: "off" });
  box.setAttribute("aria-label", t("What is to be seen in {name}", { name: upload.name }));
  box.addEventListener("input", () => { upload.description = box.value.trim(); });
  // Enter would send the message under somebody's hands.
  box.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  return box;
}
