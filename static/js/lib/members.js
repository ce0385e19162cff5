/** The members of a room beside its conversation: those who are here first, kept true while one looks. */
import { equip, keepBelonging } from "./belonging.js";
import { Company, MOST_WATCHED, stateInWords } from "./company.js";
import { on } from "./live.js";
import { initials, paint } from "./person.js";
import { t } from "./words.js";

/** @typedef {{id: number, username?: string, display_name: string, guest?: boolean, state: string, text?: string, owner?: boolean}} Member */
/** @typedef {"here" | "others"} Part */

/** The server gives so many at once. */
const PAGE = 100;
/** This near to the end of the list, more is brought. In pixels. */
const NEAR_END = 400;
/** Scrolling has come to rest. In milliseconds. */
const REST = 250;

export const title = () => t("Members");

/** @param {import("./views.js").Place} place */
export async function show(place) {
  const list = new MemberList(place);
  await list.read();
  list.follow();
}

class MemberList {
  /** Where the next page of each part begins; nothing when all of it is there. @type {Record<Part, number | null>} */
  #next = { here: 0, others: 0 };
  #isReading = false;
  /** @type {any} until scrolling rests */ #resting = null;
  #wantsReading = false;

  /** @param {import("./views.js").Place} place */
  constructor({ body, room, signal }) {
    this.body = body;
    this.room = room;
    this.signal = signal;
    this.template = /** @type {HTMLTemplateElement} */ (document.getElementById("member-template"));
    this.company = new Company((users) => this.#learn(users), signal);
  }

  /** Reads as many as are shown, at least the first page, and puts them in their place: nobody is scrolled away from. */
  async read() {
    const shown = this.#rows().length;
    this.#next = { here: 0, others: 0 };
    /** @type {HTMLElement[]} */
    const rows = [];
    for (let part = this.#part(); part && (this.#next[part] === 0 || rows.length < shown); part = this.#part()) {
      rows.push(...(await this.#page(part, rows)));
    }
    if (this.signal.aborted) return;
    rows.sort((one, other) => nameIn(one).localeCompare(nameIn(other)));
    if (!this.#list("here")) this.body.replaceChildren(makePart("here"), makePart("others"));
    this.body.querySelector(":scope > .more")?.remove();
    for (const part of /** @type {Part[]} */ (["here", "others"])) this.#list(part).replaceChildren(...rows.filter((row) => partOf(row) === part));
    this.#settle();
    // Somebody may have come or gone while the list was on its way.
    this.company.refresh();
  }

  follow() {
    const { signal } = this;
    keepBelonging(this.body, this.room, signal);
    on("ready", () => void this.#again(), signal);
    on("crowd", ({ room, came, went }) => {
      if (room !== this.room) return;
      for (const user of went) this.#row(user)?.remove();
      // Just come, so they are here; the watch that follows corrects it.
      for (const { user, username, name, guest } of came) {
        if (!this.#row(user)) this.#insert(this.#make({ id: user, username, display_name: name, guest, state: "online" }), "here");
      }
      this.#settle();
    }, signal);
    on("room", ({ id, members }) => {
      // More came than are told by name, or somebody was missed: all that is shown is read again.
      if (id === this.room && this.#next.others === null && members !== undefined && members !== this.#rows().length) void this.#again();
    }, signal);
    this.body.addEventListener("scroll", () => {
      void this.#more();
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => { if (!signal.aborted) this.#watch(); }, REST);
    }, { signal, passive: true });
    // One page may be shorter than the pane.
    void this.#more();
  }

  /** Reads afresh, and once more if something happened meanwhile. */
  async #again() {
    this.#wantsReading = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#wantsReading && !this.signal.aborted) {
      this.#wantsReading = false;
      // What is shown stays until the next `ready`.
      await this.read().catch(() => {});
    }
    this.#isReading = false;
    // Who scrolled meanwhile was not answered.
    void this.#more();
  }

  /** Whose next page is to be read; nobody's when all are shown. @returns {Part | null} */
  #part() {
    if (this.#next.here !== null) return "here";
    return this.#next.others === null ? null : "others";
  }

  /** The next page, where one is near the end of what is shown. */
  async #more() {
    const part = this.#part();
    if (part === null || this.#isReading || this.signal.aborted) return;
    if (this.body.scrollHeight - this.body.scrollTop - this.body.clientHeight >= NEAR_END) return;
    this.#isReading = true;
    try {
      const fresh = await this.#page(part, this.#rows());
      if (this.signal.aborted) return;
      for (const row of fresh) if (partOf(row) === part) this.#list(part).append(row); else this.#insert(row, partOf(row));
      this.#settle();
    } catch {
      // The next scroll asks again.
    } finally {
      this.#isReading = false;
      if (this.#wantsReading) void this.#again();
    }
  }

  /**
   * The next page's rows, by name. Those who aren't here are everybody less those who are shown: whoever comes or goes between
   * two pages would be in neither.
   * @param {Part} part
   * @param {HTMLElement[]} [shown]
   */
  async #page(part, shown = []) {
    const known = new Set(shown.map((row) => Number(row.dataset.user)));
    const which = part === "here" ? "here=true&" : "";
    /** @type {Member[]} */
    const fresh = [];
    do {
      const answer = await fetch(`/api/v1/rooms/${this.room}/members?${which}after=${this.#next[part] ?? 0}&limit=${PAGE}`, { signal: this.signal });
      if (!answer.ok) throw new Error(`The members were answered with ${answer.status}.`);
      const { users, more } = /** @type {{users: Member[], more: boolean}} */ (await answer.json());
      this.#next[part] = more && users.length > 0 ? users[users.length - 1].id : null;
      fresh.push(...users.filter(({ id }) => !known.has(id)));
    } while (fresh.length === 0 && this.#next[part] !== null);
    return fresh.map((member) => this.#make(member)).sort((one, other) => nameIn(one).localeCompare(nameIn(other)));
  }

  /** @param {Part} part */
  #list(part) {
    return /** @type {HTMLElement} */ (this.body.querySelector(`[data-members="${part}"] ul`));
  }

  #rows() {
    return /** @type {HTMLElement[]} */ ([...this.body.querySelectorAll(".member")]);
  }

  /** @param {number} user */
  #row(user) {
    return /** @type {HTMLElement | null} */ (this.body.querySelector(`.member[data-user="${user}"]`));
  }

  /** @param {Member} member @returns {HTMLElement} */
  #make(member) {
    const row = /** @type {HTMLElement} */ (this.template.content.querySelector(".member")?.cloneNode(true));
    row.dataset.user = String(member.id);
    const face = /** @type {HTMLElement} */ (row.querySelector(".face"));
    paint(face, member.id);
    face.prepend(initials(member.display_name));
    const name = /** @type {HTMLAnchorElement} */ (row.querySelector(".member-name"));
    name.textContent = member.display_name;
    name.href = `/people/${member.id}`;
    if (member.username) name.title = row.dataset.username = member.username;
    row.querySelector(".guest")?.toggleAttribute("hidden", !member.guest);
    row.querySelector(".mark")?.toggleAttribute("hidden", !member.owner);
    equip(row, member.owner === true);
    draw(row, member.state, member.text ?? "");
    return row;
  }

  /** @param {HTMLElement} row @param {Part} part at its place by name */
  #insert(row, part) {
    const list = this.#list(part);
    const next = [...list.children].find((other) => nameIn(other).localeCompare(nameIn(row)) > 0);
    list.insertBefore(row, next ?? null);
  }

  /** @param {import("./company.js").Presence[]} users */
  #learn(users) {
    for (const { user, state, text } of users) {
      const row = this.#row(user);
      if (!row || row.dataset.state === state && row.querySelector(".member-status")?.textContent === (text ?? "")) continue;
      draw(row, state, text ?? "");
      if (row.closest("[data-members]")?.getAttribute("data-members") !== partOf(row)) this.#insert(row, partOf(row));
    }
    this.#settle();
  }

  /** After any change: headings only over somebody, a word when there is nobody, and who of them is watched. */
  #settle() {
    if (this.signal.aborted) return;
    for (const section of this.body.querySelectorAll("[data-members]")) section.toggleAttribute("hidden", !section.querySelector(".member"));
    const rows = this.#rows();
    let words = this.body.querySelector(".details-words");
    if (rows.length > 0) words?.remove();
    else if (!words) {
      words = document.createElement("p");
      words.className = "details-words";
      words.textContent = t("Nobody is in here. Join and be the first.");
      this.body.append(words);
    }
    this.#watch(rows);
  }

  /** Those in sight first: of a long list the server watches a part. */
  #watch(rows = this.#rows()) {
    const { top, bottom } = this.body.getBoundingClientRect();
    const isSeen = (/** @type {Element} */ row) => row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom;
    const first = rows.length > MOST_WATCHED ? [...rows.filter(isSeen), ...rows] : rows;
    this.company.watch([...new Set(first.map((row) => Number(row.dataset.user)))].slice(0, MOST_WATCHED));
  }
}

/** @param {Part} part */
function makePart(part) {
  const section = document.createElement("section");
  section.className = "member-list";
  section.dataset.members = part;
  const head = document.createElement("h3");
  head.textContent = part === "here" ? t("Here now") : t("Not here");
  section.append(head, document.createElement("ul"));
  return section;
}

/** @param {Element} row */
function nameIn(row) {
  return row.querySelector(".member-name")?.textContent ?? "";
}

/** @param {HTMLElement} row @returns {Part} */
function partOf(row) {
  return row.dataset.state === "offline" ? "others" : "here";
}

/** @param {HTMLElement} row @param {string} state @param {string} text */
function draw(row, state, text) {
  row.dataset.state = state;
  const words = row.querySelector(".member-state");
  if (words) words.textContent = stateInWords(state);
  const status = /** @type {HTMLElement | null} */ (row.querySelector(".member-status"));
  if (!status) return;
  status.textContent = text;
  status.hidden = text === "";
}
