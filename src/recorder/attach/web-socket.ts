/**
 * As much of a WebSocket client (RFC 6455) as Node's inspector on this machine needs: text messages, without extensions. Node has a
 * client of its own from version 22 on.
 */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";

const TEXT = 1;
const CLOSE = 8;
/** An inspector's answer to what is asked here has some hundred bytes. */
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * A message in a frame, masked with zeros: what hides payloads from proxies hides nothing on the way to a loopback address.
 *
 *     byte 0      1 000 0001   the last frame of a message, no extensions, text
 *     byte 1      1 nnnnnnn    masked; length, or 126 (16-bit length follows) or 127 (64-bit length follows)
 *     4 bytes     mask
 */
export function encodeText(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = 0x80 | TEXT;
  if (length < 126) head[1] = 0x80 | length;
  else if (length < 65_536) {
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** Whole messages from bytes that come in pieces; a server masks nothing. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);
  #parts: Buffer[] = [];
  /** The other side has closed. */
  closed = false;

  /** Throws where the other side sends more than any inspector does. */
  push(bytes: Uint8Array): readonly string[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const messages: string[] = [];
    for (let frame = this.#next(); frame !== null; frame = this.#next()) {
      if (frame.kind === CLOSE) this.closed = true;
      // 0 goes on with a message, 1 begins one; pings and what is binary are no message.
      if (frame.kind > TEXT) continue;
      this.#parts.push(frame.payload);
      if (!frame.isLast) continue;
      messages.push(Buffer.concat(this.#parts).toString("utf8"));
      this.#parts = [];
    }
    return messages;
  }

  #next(): { readonly kind: number; readonly isLast: boolean; readonly payload: Buffer } | null {
    const [first = 0, second = 0] = this.#rest;
    const short = second & 0x7f;
    const headBytes = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (this.#rest.length < headBytes) return null;
    const length =
      short === 126 ? this.#rest.readUInt16BE(2) : short === 127 ? Number(this.#rest.readBigUInt64BE(2)) : short;
    const sum = this.#parts.reduce((bytes, part) => bytes + part.length, length);
    if (sum > MOST_BYTES) throw new Error(`a message of ${sum} bytes`);
    if (this.#rest.length < headBytes + length) return null;
    const payload = this.#rest.subarray(headBytes, headBytes + length);
    this.#rest = this.#rest.subarray(headBytes + length);
    return { kind: first & 0xf, isLast: (first & 0x80) !== 0, payload };
  }
}

export interface WebSocketClient {
  readonly send: (...messages: readonly string[]) => void;
  readonly close: () => void;
}

export interface WebSocketEvents {
  readonly message: (text: string) => void;
  readonly closed: () => void;
}

/** Connects to ws://HOST:PORT/PATH. Rejects with what the connection failed with. */
export function connectWebSocket(
  { host, port, path }: { readonly host: string; readonly port: number; readonly path: string },
  events: WebSocketEvents,
): Promise<WebSocketClient> {
  return new Promise((resolve, reject) => {
    const upgrade = request({
      host,
      port,
      path,
      headers: {
        Connection: "Upgrade",
        Upgrade: "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      },
    });
    upgrade.once("error", reject);
    upgrade.once("response", ({ statusCode }) => reject(new Error(`HTTP status ${statusCode}`)));
    upgrade.once("upgrade", (_response, socket: Socket, head) => resolve(talk(socket, head, events)));
    upgrade.end();
  });
}

function talk(socket: Socket, head: Buffer, events: WebSocketEvents): WebSocketClient {
  const reader = new FrameReader();
  const read = (bytes: Uint8Array): void => {
    try {
      for (const message of reader.push(bytes)) events.message(message);
    } catch {
      reader.closed = true;
    }
    if (reader.closed) socket.destroy();
  };
  socket.setNoDelay(true);
  socket.on("data", read);
  socket.on("error", () => socket.destroy());
  socket.once("close", events.closed);
  if (head.length > 0) read(head);
  return {
    // In one write: all of them arrive, or none does.
    send: (...messages) => socket.write(Buffer.concat(messages.map(encodeText))),
    close: () => socket.destroy(),
  };
}
