// A bad line between a browser and the server: it loses whole WebSocket frames in both directions, and now and then the
// connection itself. Everything but WebSockets passes untouched.
import { connect, createServer } from "node:net";

export class LossyLine {
  /** The share of data frames that are lost, and of connections that end with a frame. */
  loss = 1 / 3;
  cuts = 1 / 60;
  lost = 0;
  passed = 0;
  ended = 0;
  #server;
  #pairs = new Set();

  /** @param {number} port of the server behind it. @returns {Promise<LossyLine>} */
  static async to(port) {
    const line = new LossyLine();
    line.#server = createServer((client) => line.#carry(client, port));
    await new Promise((good) => line.#server.listen(0, "127.0.0.1", good));
    line.origin = `http://127.0.0.1:${line.#server.address().port}`;
    return line;
  }

  /** From now on nothing is lost. Whoever is connected comes anew, as after every bad stretch of a real line. */
  heal() {
    this.loss = 0;
    this.cuts = 0;
    this.cut();
  }

  /** Ends all connections without a word. */
  cut() {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async close() {
    this.cut();
    await new Promise((good) => this.#server.close(good));
  }

  #carry(client, port) {
    const server = connect(port, "127.0.0.1");
    const pair = [client, server];
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    const state = { isWebSocket: false };
    this.#pipe(client, server, state, end, true);
    this.#pipe(server, client, state, end, false);
  }

  #pipe(from, to, state, end, isClient) {
    let kept = Buffer.alloc(0);
    let pastHead = false;
    from.on("data", (bytes) => {
      if (!state.isWebSocket && isClient && /^upgrade: websocket/im.test(bytes.toString("latin1"))) state.isWebSocket = true;
      if (!state.isWebSocket) return void to.write(bytes);
      kept = Buffer.concat([kept, bytes]);
      if (!pastHead) {
        const head = kept.indexOf("\r\n\r\n");
        if (head < 0) return;
        to.write(kept.subarray(0, head + 4));
        kept = kept.subarray(head + 4);
        pastHead = true;
      }
      for (let length = frameLength(kept); length > 0; length = frameLength(kept)) {
        const frame = kept.subarray(0, length);
        kept = kept.subarray(length);
        if (!this.#mayPass(frame, to)) return end();
      }
    });
  }

  /** @returns {boolean} whether the connection goes on */
  #mayPass(frame, to) {
    const isData = (frame[0] & 0x0f) < 8;
    if (isData && Math.random() < this.cuts) {
      this.ended += 1;
      return false;
    }
    if (isData && Math.random() < this.loss) {
      this.lost += 1;
    } else {
      if (isData) this.passed += 1;
      to.write(frame);
    }
    return true;
  }
}

/** The whole length of the frame that begins here (RFC 6455, 5.2), 0 while it isn't complete. */
function frameLength(bytes) {
  if (bytes.length < 2) return 0;
  const short = bytes[1] & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const head = 2 + extended + (bytes[1] & 0x80 ? 4 : 0);
  if (bytes.length < head) return 0;
  const payload = extended === 2 ? bytes.readUInt16BE(2) : extended === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  return bytes.length >= head + payload ? head + payload : 0;
}
