/** What `gcspike attach` reads: sockets, Node's options, frames of a WebSocket. */
import { describe, expect, test } from "vitest";
import { isLoopback, parseListeners } from "../../../src/recorder/attach/sockets.ts";
import { inspectorAddress } from "../../../src/recorder/attach/target.ts";
import { encodeText, FrameReader } from "../../../src/recorder/attach/web-socket.ts";

describe("listening sockets", () => {
  const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:240D 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 236141 1 00000000cbe063d4 100 0 0 10 0
   1: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1591 1 000000001ed4ea24 100 0 0 10 0
   2: 0100007F:240D 0100007F:9B1E 01 00000000:00000000 00:00000000 00000000     0        0 99 1 000000001ed4ea24 100 0 0 10 0
`;

  test("are those in state 0A", () => {
    expect(parseListeners(TABLE)).toEqual([
      { address: "0100007F", port: 9229, inode: "236141" },
      { address: "00000000", port: 2024, inode: "1591" },
    ]);
  });

  test.each([
    ["0100007F", true],
    ["0200017F", true],
    ["00000000", false],
    ["0101A8C0", false],
    ["00000000000000000000000001000000", true],
    ["00000000000000000000000000000000", false],
    ["0000000000000000FFFF00000100007F", true],
    ["0000000000000000FFFF00000101A8C0", false],
  ])("%s is a loopback address: %s", (address, expected) => {
    expect(isLoopback({ address, port: 1, inode: "1" })).toBe(expected);
  });
});

test.each([
  [[], { host: "", port: 9229, wasAsked: false }],
  [["--inspect"], { host: "", port: 9229, wasAsked: true }],
  [["--inspect=0"], { host: "", port: 0, wasAsked: true }],
  [["--inspect-port=0.0.0.0:9300"], { host: "0.0.0.0", port: 9300, wasAsked: false }],
  [["--inspect=[::1]:9300"], { host: "[::1]", port: 9300, wasAsked: true }],
  [["--inspect-port=9300", "--inspect=somewhere"], { host: "somewhere", port: 9300, wasAsked: true }],
  [["--max-old-space-size=50", "--debug-port=1", "--inspect-port=2"], { host: "", port: 2, wasAsked: false }],
])("%j opens the inspector at %j", (options, expected) => {
  expect(inspectorAddress(options)).toEqual(expected);
});

describe("WebSocket frames", () => {
  /** A server's frame: without a mask. */
  const unmasked = (kind: number, isLast: boolean, text: string): Buffer => {
    const frame = encodeText(text);
    const headBytes = frame.length - Buffer.byteLength(text) - 4;
    const head = Buffer.from(frame.subarray(0, headBytes));
    head[0] = (isLast ? 0x80 : 0) | kind;
    head[1] = (head[1] ?? 0) & 0x7f;
    return Buffer.concat([head, Buffer.from(text)]);
  };

  test.each([0, 1, 125, 126, 65_535, 65_536, 200_000])("of %d bytes, in pieces", (length) => {
    const text = "x".repeat(length);
    const bytes = Buffer.concat([unmasked(1, true, text), unmasked(1, true, "next")]);
    const reader = new FrameReader();
    const messages: string[] = [];
    for (let at = 0; at < bytes.length; at += 1009) messages.push(...reader.push(bytes.subarray(at, at + 1009)));
    expect(messages).toEqual([text, "next"]);
  });

  test("of a message in parts, with a ping between them, and the end", () => {
    const reader = new FrameReader();
    const frames = [
      unmasked(1, false, "one "),
      unmasked(9, true, "ping"),
      unmasked(0, true, "two"),
      unmasked(8, true, ""),
    ];
    expect(reader.push(Buffer.concat(frames))).toEqual(["one two"]);
    expect(reader.closed).toBe(true);
  });

  test("are refused where they are larger than any answer", () => {
    const head = Buffer.from([0x81, 127, 0, 0, 0, 0, 0xff, 0, 0, 0]);
    expect(() => new FrameReader().push(head)).toThrow("bytes");
  });
});
