/** The emoji picker: a search over a grid. The focus stays in the search, and the arrows walk the grid. */
import { loadEmoji, searchEmoji, use, used } from "./emoji.js";
import { t } from "./words.js";

/** @typedef {import("./emoji.js").Emoji} Emoji */
/** @typedef {import("./emoji.js").Group} Group */

/** Cells in a row; a phone has room for as many fingers. */
const ROW = 8;
const FOUND = 64;
const GAP = 4;

const names = () => /** @type {Record<string, string>} */ ({
  SmileysAndEmotion: t("Faces"),
  PeopleAndBody: t("People"),
  AnimalsAndNature: t("Animals and plants"),
  FoodAndDrink: t("Food and drink"),
  TravelAndPlaces: t("Travel and places"),
  Activities: t("Activities"),
  Objects: t("Things"),
  Symbols: t("Signs"),
  Flags: t("Flags"),
});

class Picker {
  panel = document.createElement("div");
  search = document.createElement("input");
  grid = document.createElement("div");
  foot = document.createElement("p");
  /** @type {HTMLElement[][]} */ #rows = [];
  /** @type {Group[]} */ #groups = [];
  /** @type {(char: string) => void} */ #pick = () => {};
  /** @type {HTMLElement | null} */ #chosen = null;
  /** @type {HTMLElement | null} */ #anchor = null;

  constructor() {
    Object.assign(this.panel, { className: "emoji", popover: "auto", id: "emoji" });
    this.panel.setAttribute("role", "dialog");
    this.panel.setAttribute("aria-label", t("Emoji"));
    Object.assign(this.search, { type: "text", className: "emoji-search", placeholder: t("Find an emoji"), autocomplete: "off", spellcheck: false });
    const says = { role: "combobox", "aria-label": t("Find an emoji"), "aria-expanded": "true", "aria-haspopup": "grid", "aria-controls": "emoji-grid", "aria-autocomplete": "list", enterkeyhint: "done" };
    for (const [name, value] of Object.entries(says)) this.search.setAttribute(name, value);
    Object.assign(this.grid, { className: "emoji-grid", id: "emoji-grid", role: "grid", tabIndex: -1 });
    this.grid.setAttribute("aria-label", t("Emoji"));
    this.foot.className = "emoji-foot";
    this.foot.setAttribute("role", "status");
    this.panel.append(this.search, this.grid, this.foot);
    this.search.addEventListener("input", () => this.#show());
    this.panel.addEventListener("keydown", (event) => this.#key(event));
    this.grid.addEventListener("pointerdown", (event) => event.preventDefault());
    this.grid.addEventListener("click", (event) => this.#take(this.#cell(event.target)));
    this.grid.addEventListener("pointerover", (event) => { if (event.pointerType === "mouse") this.#choose(this.#cell(event.target), false); });
    this.panel.addEventListener("toggle", (event) => { if (event.newState === "closed") this.#closed(); });
    document.body.append(this.panel);
  }

  /**
   * @param {HTMLElement} anchor
   * @param {(char: string) => void} pick
   */
  async open(anchor, pick) {
    this.#anchor = anchor;
    this.#pick = pick;
    this.search.value = "";
    anchor.setAttribute("aria-expanded", "true");
    this.#place(anchor);
    this.panel.showPopover();
    // On a phone the field would bring the keyboard, which takes the grid's place.
    (matchMedia("(hover: hover)").matches ? this.search : this.grid).focus({ preventScroll: true });
    this.#groups = await loadEmoji();
    this.#show();
  }

  /** Over its button, and inside the page. @param {HTMLElement} anchor */
  #place(anchor) {
    const { right } = anchor.getBoundingClientRect();
    const { top, bottom } = (anchor.closest(".composer-box") ?? anchor).getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const isLow = top > clientHeight / 2;
    this.panel.style.insetBlockEnd = isLow ? `${clientHeight - top + GAP}px` : "auto";
    this.panel.style.insetBlockStart = isLow ? "auto" : `${bottom + GAP}px`;
    this.panel.style.insetInlineStart = "auto";
    const width = Math.min(360, clientWidth - 16);
    this.panel.style.right = `${Math.min(Math.max(8, clientWidth - right), clientWidth - width - 8)}px`;
  }

  #show() {
    const query = this.search.value.trim();
    this.#rows = [];
    this.#chosen = null;
    const known = new Map(this.#groups.flatMap(({ emoji }) => emoji).map((emoji) => [emoji.char, emoji]));
    const recent = used().flatMap((char) => known.get(char) ?? []);
    const found = searchEmoji(this.#groups, query, FOUND);
    const shown = query
      ? [{ group: t("Found"), emoji: found }]
      : [{ group: t("Used lately"), emoji: recent }, ...this.#groups.map(({ group, emoji }) => ({ group: names()[group] ?? group, emoji }))];
    this.grid.replaceChildren(...shown.filter(({ emoji }) => emoji.length > 0).flatMap((group) => this.#makeGroup(group)));
    this.grid.scrollTop = 0;
    this.search.removeAttribute("aria-activedescendant");
    this.foot.textContent = this.#groups.length === 0 ? t("The emoji could not be brought. You are offline.") : query && found.length === 0 ? t("Nothing by that name. Try fewer letters.") : "";
    if (query) this.#choose(this.#rows[0]?.[0] ?? null);
  }

  /** @param {Group} group @returns {HTMLElement[]} */
  #makeGroup({ group, emoji }) {
    const head = document.createElement("div");
    Object.assign(head, { className: "emoji-head", textContent: group });
    head.setAttribute("aria-hidden", "true");
    const rows = document.createElement("div");
    rows.setAttribute("role", "rowgroup");
    rows.setAttribute("aria-label", group);
    for (let at = 0; at < emoji.length; at += ROW) {
      const row = document.createElement("div");
      Object.assign(row, { className: "emoji-row", role: "row" });
      const cells = emoji.slice(at, at + ROW).map((one, column) => makeCell(one, this.#rows.length, column));
      row.append(...cells);
      this.#rows.push(cells);
      rows.append(row);
    }
    return [head, rows];
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") this.#take(this.#chosen);
    else if (event.key === "Tab") this.#close();
    else if (event.key === "ArrowDown") this.#walk(1, 0);
    else if (event.key === "ArrowUp") this.#walk(-1, 0);
    // Without a choice, the arrows move the caret.
    else if (event.key === "ArrowRight" && this.#chosen) this.#walk(0, 1);
    else if (event.key === "ArrowLeft" && this.#chosen) this.#walk(0, -1);
    else return;
    event.preventDefault();
  }

  /** @param {number} down @param {number} right */
  #walk(down, right) {
    if (this.#rows.length === 0) return;
    if (!this.#chosen) return this.#choose(this.#rows[0][0]);
    const { row, column } = { row: Number(this.#chosen.dataset.row), column: Number(this.#chosen.dataset.column) };
    if (down) {
      const cells = this.#rows[row + down];
      if (cells) this.#choose(cells[Math.min(column, cells.length - 1)]);
      return;
    }
    this.#choose(this.#rows[row][column + right] ?? (right > 0 ? this.#rows[row + 1]?.[0] : this.#rows[row - 1]?.at(-1)) ?? this.#chosen);
  }

  /** @param {HTMLElement | null} cell @param {boolean} [scrolls] */
  #choose(cell, scrolls = true) {
    if (!cell || cell === this.#chosen) return;
    this.#chosen?.setAttribute("aria-selected", "false");
    this.#chosen = cell;
    cell.setAttribute("aria-selected", "true");
    this.search.setAttribute("aria-activedescendant", cell.id);
    this.foot.textContent = cell.dataset.says ?? "";
    if (scrolls) cell.scrollIntoView({ block: "nearest" });
  }

  /** @param {HTMLElement | null} cell */
  #take(cell) {
    const char = cell?.dataset.char;
    if (!char) return;
    use(char);
    this.#close();
    this.#pick(char);
  }

  #close() {
    this.panel.hidePopover();
  }

  #closed() {
    this.#anchor?.setAttribute("aria-expanded", "false");
    // Pressed elsewhere, the focus is where it was pressed.
    if (this.panel.contains(document.activeElement) || document.activeElement === document.body) this.#anchor?.focus({ preventScroll: true });
  }

  /** @param {EventTarget | null} target @returns {HTMLElement | null} */
  #cell(target) {
    return target instanceof Element ? target.closest(".emoji-cell") : null;
  }
}

/** @param {Emoji} emoji @param {number} row @param {number} column */
function makeCell({ char, name, codes }, row, column) {
  const cell = document.createElement("div");
  Object.assign(cell, { className: "emoji-cell", id: `emoji-${row}-${column}`, textContent: char, role: "gridcell" });
  cell.setAttribute("aria-label", name);
  cell.setAttribute("aria-selected", "false");
  Object.assign(cell.dataset, { char, row, column, says: codes.length > 0 ? `${name}  :${codes[0]}:` : name });
  return cell;
}

/** @type {Picker | null} */
let picker = null;

/**
 * Opens the picker beside `anchor`; `pick` gets what is taken.
 * @param {HTMLElement} anchor
 * @param {(char: string) => void} pick
 */
export function pickEmoji(anchor, pick) {
  picker ??= new Picker();
  void picker.open(anchor, pick);
}
