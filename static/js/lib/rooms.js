/**
 * The person's rooms and what is unread in them: `last_seq - read_seq`, never counted by hand.
 *
 * @typedef {{id: number, kind: string, name: string, last_seq: number, rev: number, read_seq: number, members?: number, joined?: boolean, gone?: boolean}} Room
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

  /** @param {Room} room as it was when the event was made: what is known by now may be further */
  put(room) {
    if (room.gone || room.joined === false) {
      this.#rooms.delete(room.id);
      return;
    }
    const known = this.#rooms.get(room.id);
    const further = (/** @type {"last_seq" | "rev" | "read_seq"} */ mark) => Math.max(known?.[mark] ?? 0, room[mark] ?? 0);
    this.#rooms.set(room.id, { ...known, ...room, last_seq: further("last_seq"), rev: further("rev"), read_seq: further("read_seq") });
  }

  /**
   * @param {{room: number, seq: number, rev: number, user: number}} message
   * @param {number} me
   */
  receive(message, me) {
    const room = this.#rooms.get(message.room);
    if (!room) return;
    const isNew = message.seq > room.last_seq;
    room.last_seq = Math.max(room.last_seq, message.seq);
    room.rev = Math.max(room.rev, message.rev);
    // Sending marks the room as read up to one's own message; an edit of an old one doesn't.
    if (isNew && message.user === me) this.read(message.room, message.seq);
  }

  /**
   * @param {number} id
   * @param {number} seq
   * @returns {boolean} whether the mark moved
   */
  read(id, seq) {
    const room = this.#rooms.get(id);
    if (!room || seq <= room.read_seq) return false;
    room.read_seq = seq;
    return true;
  }

  /** @param {number} id @returns {number} */
  unread(id) {
    const room = this.#rooms.get(id);
    return room ? Math.max(0, room.last_seq - room.read_seq) : 0;
  }
}
