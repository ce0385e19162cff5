/** Pictures and files of a message: the server's own markup, filled. */
import { live } from "./live.js";
import { t } from "./words.js";

/**
 * @typedef {{id?: number, name: string, size: number, width?: number, height?: number, url: string, thumbnail?: string,
 *   animated?: boolean, description?: string}} Attachment
 * @typedef {{key: string, name: string, size: number, width?: number, height?: number, description?: string, id?: number}} Carried
 */

/** Pictures that this page has itself: addresses by the key of the upload. @type {Map<string, string>} */
export const previews = new Map();

/**
 * What is on its way, as it will look.
 * @param {Carried[] | undefined} files
 * @returns {Attachment[]}
 */
const ahead = (files) => (files ?? []).map((file) => ({ ...file, url: previews.get(file.key) ?? "" }));

/**
 * @param {Element} article
 * @param {{attachments?: Attachment[], files?: Carried[], deleted?: boolean}} message
 */
export function showFiles(article, message) {
  const list = message.deleted ? [] : message.attachments ?? ahead(message.files);
  const place = article.querySelector(".attachments");
  if (!place) return;
  show(place.querySelector(".pictures"), "picture", list.filter((one) => one.width), fillPicture);
  show(place.querySelector(".files"), "file", list.filter((one) => !one.width), fillFile);
}

/**
 * @param {Element | null} list
 * @param {string} kind
 * @param {Attachment[]} wanted
 * @param {(item: Element, one: Attachment) => void} fill
 */
function show(list, kind, wanted, fill) {
  if (!list) return;
  const items = [...list.children];
  wanted.forEach((one, index) => fill(items[index] ?? list.appendChild(sample(kind)), one));
  for (const item of items.slice(wanted.length)) item.remove();
  list.toggleAttribute("hidden", wanted.length === 0);
}

/** @param {string} kind */
function sample(kind) {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(".attachment-samples"));
  return /** @type {Element} */ (template.content.querySelector(`.${kind}`)?.cloneNode(true));
}

/** How wide for its height, in tenths; as in `src/rooms/attachment.rs`. @param {number} width @param {number} height */
export const shape = (width, height) => Math.min(30, Math.max(4, Math.floor((width * 10) / height)));

/** @param {Element} item @param {Attachment} one */
function fillPicture(item, one) {
  const { width = 1, height = 1 } = one;
  item.className = `picture shape-${shape(width, height)}`;
  item.classList.toggle("tiny", Math.max(width, height) <= 160);
  item.classList.toggle("moves", one.animated === true);
  const picture = /** @type {HTMLImageElement} */ (item.querySelector("img"));
  const link = item.querySelector("a");
  if (one.url) link?.setAttribute("href", one.url);
  picture.width = width;
  picture.height = height;
  picture.alt = one.description || one.name;
  const source = one.thumbnail ?? one.url;
  // One's own picture stays as it is: the same one from the server would only flicker.
  if (picture.src.startsWith("blob:")) return;
  if (!source) picture.removeAttribute("src");
  else if (picture.getAttribute("src") !== source) picture.src = source;
}

/** @param {Element} item @param {Attachment} one */
function fillFile(item, one) {
  const link = /** @type {HTMLAnchorElement} */ (item.querySelector("a"));
  if (one.url) link.href = one.url;
  link.download = one.name;
  /** @type {Element} */ (item.querySelector(".file-name")).textContent = one.name;
  /** @type {Element} */ (item.querySelector(".file-size")).textContent = sizeInWords(one.size);
}

/** @param {number} bytes @returns {string} as people read it: `512 bytes`, `3.2 MB` */
export function sizeInWords(bytes) {
  if (bytes < 1000) return t("{count} bytes", { count: bytes });
  let [value, unit] = [bytes / 1000, 0];
  for (; value >= 999.5 && unit < 3; unit++) value /= 1000;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ${["kB", "MB", "GB", "TB"][unit]}`;
}

// How far the files of what is not stored yet have come.
live.addEventListener("progress", (event) => {
  const { entry, share } = /** @type {CustomEvent} */ (event).detail;
  const state = document.querySelector(`[data-state=pending][data-nonce="${CSS.escape(entry.nonce)}"] .message-state`);
  if (!state) return;
  let bar = state.querySelector("progress");
  if (!bar) {
    bar = document.createElement("progress");
    bar.setAttribute("aria-label", t("Sending"));
    state.prepend(bar);
  }
  bar.value = share;
});
