/** Adding to the library: files are chosen or dropped, and each shows how far it is. */
import { sizeInWords } from "../lib/attachments.js";
import { takeDrops } from "../lib/drop.js";
import { freshPage, takeOver } from "../lib/fresh.js";
import { say } from "../lib/say.js";
import { Transfer } from "../lib/transfer.js";
import { again, begin, begun, forget } from "../lib/transfers.js";
import { t } from "../lib/words.js";

/** Files at once. More than a folder of films was chosen by mistake. */
const MOST = 100;

class MediaUpload extends HTMLElement {
  #leaving = new AbortController();
  /** @type {Map<Transfer, HTMLLIElement>} */ #rows = new Map();
  /** Uploads whose file has to be chosen again, by address. @type {Map<string, HTMLLIElement>} */ #waiting = new Map();

  connectedCallback() {
    const { signal } = this.#leaving;
    this.#input.addEventListener("change", () => {
      const files = [...(this.#input.files ?? [])];
      this.#input.value = "";
      this.#add(files);
    }, { signal });
    takeDrops(this.closest("main") ?? this, signal, (files) => this.#add(files));
    void this.#recall();
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  get #input() {
    return /** @type {HTMLInputElement} */ (this.querySelector("input[type=file]"));
  }

  get #list() {
    return /** @type {HTMLUListElement} */ (this.querySelector(".upload-list"));
  }

  /** What an earlier page began: goes on by itself where the browser has kept the file. */
  async #recall() {
    for (const { upload, file } of await begun()) {
      if (file) this.#show(begin(file, this.#taken()));
      else this.#ask(upload);
    }
  }

  #taken() {
    return new Set([...this.#rows.keys()].filter(({ state }) => state !== "gone").map(({ url }) => url));
  }

  /** @param {File[]} files */
  #add(files) {
    for (const file of files.slice(0, MOST)) {
      const transfer = begin(file, this.#taken());
      this.#waiting.get(transfer.url)?.remove();
      this.#waiting.delete(transfer.url);
      this.#show(transfer);
    }
    if (files.length > MOST) say(t("Only the first {count} files were taken", { count: MOST }));
  }

  /** @param {import("../lib/transfers.js").Begun} upload */
  #ask(upload) {
    const { item, name, says, bar, buttons } = row(upload.name, upload.size);
    name.textContent = name.title = upload.name;
    bar.value = upload.offset;
    const share = Math.floor((100 * upload.offset) / upload.size);
    says.textContent = t("{percent} % have arrived. Choose the same file again, and it goes on from there.", { percent: share });
    buttons.append(button("upload-cancel", t("Cancel"), () => {
      void fetch(upload.url, { method: "DELETE", headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {});
      forget(upload.url);
      item.remove();
      this.#settle();
    }));
    this.#waiting.set(upload.url, item);
    this.#list.append(item);
    this.#settle();
  }

  /** @param {Transfer} transfer */
  #show(transfer) {
    const { item, name, says, bar, buttons } = row(transfer.name, transfer.file.size);
    const pause = button("upload-pause", t("Pause"), () => transfer.pause());
    const goOn = button("upload-go-on", t("Go on"), () => again(transfer));
    const retry = button("upload-retry", t("Try again"), () => again(transfer));
    const cancel = button("upload-cancel", t("Cancel"), () => {
      // What is over is only taken off the list.
      if (transfer.state !== "done" && transfer.state !== "failed") transfer.cancel();
      this.#rows.delete(transfer);
      item.remove();
      this.#settle();
    });
    buttons.append(pause, goOn, retry, cancel);
    let told = transfer.state;
    const change = () => {
      const { state } = transfer;
      item.dataset.state = state;
      bar.value = transfer.sent;
      bar.hidden = state === "failed" || state === "done";
      pause.hidden = state !== "sending" && state !== "resting" && state !== "waiting";
      goOn.hidden = state !== "paused";
      retry.hidden = state !== "failed";
      cancel.textContent = state === "done" || state === "failed" ? t("Remove") : t("Cancel");
      cancel.setAttribute("aria-label", `${cancel.textContent}: ${transfer.name}`);
      says.textContent = words(transfer);
      if (told !== state && state === "failed") says.setAttribute("role", "alert");
      if (told !== state && state === "done") this.#done(transfer, name);
      told = state;
    };
    transfer.addEventListener("change", change);
    change();
    this.#rows.set(transfer, item);
    this.#list.append(item);
    this.#settle();
  }

  /** @param {Transfer} transfer @param {HTMLElement} name */
  #done(transfer, name) {
    const link = document.createElement("a");
    link.href = `/media/${transfer.item}`;
    link.textContent = transfer.name;
    name.replaceChildren(link);
    say(t("{name} is in the library", { name: transfer.name }));
    void refresh();
  }

  #settle() {
    this.#list.hidden = this.#list.children.length === 0;
  }
}

/** @param {Transfer} transfer */
function words(transfer) {
  const { state, sent, file } = transfer;
  const size = sizeInWords(file.size);
  if (state === "done") return transfer.known ? t("It was in the library already.") : size;
  if (state === "failed") return transfer.error;
  const share = t("{percent} % of {size}", { percent: Math.floor((100 * sent) / Math.max(1, file.size)), size });
  if (state === "paused") return `${share} · ${t("paused")}`;
  if (state === "waiting") return `${share} · ${t("waiting")}`;
  if (state === "resting") return `${share} · ${t("the connection is lost; it goes on by itself")}`;
  const rate = transfer.rate > 0 ? t("{size} a second", { size: sizeInWords(Math.round(transfer.rate)) }) : "";
  return [share, rate, timeLeft(transfer.left)].filter(Boolean).join(" · ");
}

/** @param {number | undefined} seconds */
function timeLeft(seconds) {
  if (seconds === undefined || !Number.isFinite(seconds)) return "";
  if (seconds < 60) return t("{count} s left", { count: Math.max(1, Math.ceil(seconds)) });
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? t("{count} min left", { count: minutes }) : t("{hours} h {minutes} min left", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** @param {string} name @param {number} size */
function row(name, size) {
  const item = document.createElement("li");
  item.className = "upload-item";
  const title = document.createElement("span");
  title.className = "upload-name";
  title.textContent = title.title = name;
  const says = document.createElement("span");
  says.className = "upload-says";
  const bar = document.createElement("progress");
  bar.max = size;
  bar.setAttribute("aria-label", t("Sending {name}", { name }));
  const buttons = document.createElement("span");
  buttons.className = "upload-buttons";
  item.append(title, says, bar, buttons);
  return { item, name: title, says, bar, buttons };
}

/** @param {string} kind @param {string} label @param {() => void} run */
function button(kind, label, run) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `button button-quiet ${kind}`;
  made.textContent = label;
  made.addEventListener("click", run);
  return made;
}

/** Shows the shelf as it is now; the uploads beside it stay. */
async function refresh() {
  takeOver(await freshPage(), ".shelf, .empty", ".head-note");
}

customElements.define("media-upload", MediaUpload);
