/**
 * The person's rooms and what is unread in them: `last_seq - read_seq`, never counted by hand.
 *
 * @typedef {{id: number, kind: string, name: string, last_seq: number, rev: number, read_seq: number, mentions?: number, level?: "all" | "mentions" | "none", members?: number, joined?: boolean, gone?: boolean}} Room
 */

export class Rooms {
  /** @type {Map<number, Room>} */
  #rooms = new Map();

  /** @param {Room[]} rooms as in `ready` */
  reset(rooms) {
    this.#rooms = new Map(rooms.map((room) => [room.id, { ...room }]));
  }

  /** @param {number} id @returns {Room | undefined} */
  get(id) {
    return this.#rooms.get(id);
  }

  /** @returns {Room[]} */
  all() {
    return [...this.#rooms.values()];
  }

  /**
   * @param {Partial<Room> & {id: number}} room as it was when the event was made, or what is new in it alone: what is
   *   known by now may be further
   */
  put(room) {
    if (room.gone || room.joined === false) {
      this.#rooms.delete(room.id);
      return;
    }
    const known = this.#rooms.get(room.id);
    // News of a room that one isn't in any more, or isn't told of.
    if (!known && room.kind === undefined) return;
    // A whole room that wasn't read for this person says nothing of how often they are called.
    const mentions = (room.level === undefined ? undefined : room.mentions) ?? known?.mentions ?? 0;
    const further = (/** @type {"last_seq" | "rev" | "read_seq"} */ mark) => Math.max(known?.[mark] ?? 0, room[mark] ?? 0);
    this.#rooms.set(room.id, /** @type {Room} */ ({ ...known, ...room, last_seq: further("last_seq"), rev: further("rev"), read_seq: further("read_seq"), mentions }));
  }

  /**
   * @param {{room: number, seq: number, rev: number, user: number}} message
   * @param {number} me
   * @param {boolean} [isCall] it calls me
   */
  receive(message, me, isCall = false) {
    const room = this.#rooms.get(message.room);
    if (!room) return;
    const isNew = message.seq > room.last_seq;
    room.last_seq = Math.max(room.last_seq, message.seq);
    room.rev = Math.max(room.rev, message.rev);
    // Sending marks the room as read up to one's own message; an edit of an old one doesn't.
    if (isNew && message.user === me) this.read(message.room, message.seq);
    else if (isNew && isCall) room.mentions = (room.mentions ?? 0) + 1;
  }

  /**
   * @param {number} id
   * @param {number} seq
   * @param {number} [mentions] how many messages after it call me, where that is known
   * @returns {boolean} whether the mark moved
   */
  read(id, seq, mentions) {
    const room = this.#rooms.get(id);
    if (!room || seq <= room.read_seq) return false;
    room.read_seq = seq;
    room.mentions = seq >= room.last_seq ? 0 : (mentions ?? room.mentions);
    return true;
  }

  /**
   * Puts the mark back: "unread from here".
   * @param {number} id
   * @param {number} seq
   * @param {number} [mentions]
   */
  readBack(id, seq, mentions) {
    const room = this.#rooms.get(id);
    if (!room) return;
    room.read_seq = Math.max(0, Math.min(seq, room.last_seq));
    room.mentions = mentions ?? room.mentions;
  }

  /** @param {number} id @returns {number} */
  unread(id) {
    const room = this.#rooms.get(id);
    return room ? Math.max(0, room.last_seq - room.read_seq) : 0;
  }
  /** @param {number} id @returns {number} how much of it wants to be read; as `RailRoom::count` in `src/site/page.rs` */
  count(id) {
    const room = this.#rooms.get(id);
    if (!room || room.level === "none") return 0;
    return room.level === "mentions" ? (room.mentions ?? 0) : this.unread(id);
  }

  /** @param {number} id @returns {boolean} somebody called me there, and I want to know */
  isCalled(id) {
    const room = this.#rooms.get(id);
    return room !== undefined && room.level !== "none" && (room.mentions ?? 0) > 0;
  }

  /** @param {number} id @returns {string} the count as the rail shows it */
  label(id) {
    const count = this.count(id);
    return (this.isCalled(id) ? "@" : "") + (count > 99 ? "99+" : count);
  }

  /** @param {number} id @param {boolean} isCall @returns {boolean} whether a message there is worth a tone or a notification */
  wants(id, isCall) {
    const room = this.#rooms.get(id);
    return room !== undefined && room.level !== "none" && (isCall || room.level !== "mentions");
  }
}
