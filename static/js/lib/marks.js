/** How far the person has read: moved here, told to the server, and moved by their other devices. */

/** @typedef {{room: number, seq: number, back?: boolean}} Mark */

export class Marks {
  /**
   * @param {import("./rooms.js").Rooms} rooms
   * @param {(mark: Mark) => Promise<any>} send
   * @param {(fact: string, detail: any) => void} tell
   */
  constructor(rooms, send, tell) {
    this.rooms = rooms;
    this.send = send;
    this.tell = tell;
  }

  /**
   * @param {number} room
   * @param {number} seq
   */
  read(room, seq) {
    if (!this.rooms.read(room, seq)) return;
    this.tell("rooms-changed", null);
    void this.#store({ room, seq });
  }

  /**
   * Unread from this message on, until the person reads it again.
   * @param {number} room
   * @param {number} seq
   */
  unread(room, seq) {
    this.rooms.readBack(room, seq - 1);
    this.tell("unread", { room, seq });
    this.tell("rooms-changed", null);
    void this.#store({ room, seq: seq - 1, back: true });
  }

  /** @param {Mark} mark */
  async #store(mark) {
    const last = this.rooms.get(mark.room)?.last_seq;
    try {
      const { mentions } = await this.send(mark);
      const room = this.rooms.get(mark.room);
      // What has come meanwhile was counted here and not there.
      if (!room || mentions === undefined || room.last_seq !== last || room.read_seq !== mark.seq) return;
      room.mentions = mentions;
      this.tell("rooms-changed", null);
    } catch {
      // The next `ready` says where the mark stands.
    }
  }

  /** Another device of the person has read, or has put the mark back. @param {any} frame */
  moved({ room, seq, back, mentions }) {
    if (back) {
      this.rooms.readBack(room, seq, mentions);
      this.tell("unread", { room, seq: seq + 1 });
    } else if (!this.rooms.read(room, seq, mentions)) {
      return;
    }
    this.tell("rooms-changed", null);
  }
}
