/** What the page that a message leads to says of itself: the server's own markup, filled. It comes when the first one does. */

/**
 * @typedef {{url: string, title: string, description?: string, site: string,
 *   picture?: {url: string, width: number, height: number, description?: string}}} Preview
 */

/**
 * @param {Element} article
 * @param {Preview | undefined} preview nothing when there is none, or none any more
 */
export function showPreview(article, preview) {
  const there = article.querySelector(".link-preview");
  if (!preview) return there?.remove();
  const card = there ?? article.querySelector(".attachments")?.insertAdjacentElement("afterend", sample());
  if (card) fill(/** @type {HTMLAnchorElement} */ (card), preview);
}

function sample() {
  const template = /** @type {HTMLTemplateElement} */ (document.querySelector(".attachment-samples"));
  return /** @type {Element} */ (template.content.querySelector(".link-preview")?.cloneNode(true));
}

/** As in `src/rooms/preview.rs`. @param {Preview["picture"]} picture */
const isWide = (picture) => picture !== undefined && picture.width >= 320 && picture.width * 5 > picture.height * 6;

/** @param {HTMLAnchorElement} card @param {Preview} preview */
function fill(card, { url, title, description = "", site, picture }) {
  card.classList.toggle("is-wide", isWide(picture));
  card.setAttribute("href", url);
  say(card, ".link-site", site);
  say(card, ".link-title", title);
  say(card, ".link-words", description);
  const image = /** @type {HTMLImageElement} */ (card.querySelector("img"));
  image.hidden = !picture;
  if (!picture) return image.removeAttribute("src");
  image.width = picture.width;
  image.height = picture.height;
  image.alt = picture.description ?? "";
  if (image.getAttribute("src") !== picture.url) image.src = picture.url;
}

/** @param {Element} card @param {string} part @param {string} words */
function say(card, part, words) {
  const element = /** @type {HTMLElement} */ (card.querySelector(part));
  element.hidden = !words;
  if (element.textContent !== words) element.textContent = words;
}
