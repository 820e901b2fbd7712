import { type AddressInfo, createServer, type Socket } from "node:net";

/** What a service sends in place of an answer, byte by byte, and what becomes of the request. */
export interface BrokenAnswer {
  /** latin1. */
  readonly text: string;
  /** Closes the connection afterwards. */
  readonly closes?: true;
  /** `details.reason` of the error. */
  readonly reason: string;
  /** Part of its message. */
  readonly says: string;
}

const INVALID = { reason: "HPE_INVALID", says: "did not answer with valid HTTP" } as const;
const UNASKED = { reason: "HPE_UNASKED", says: "which nobody asked for" } as const;
const OVERFLOW = { reason: "UND_ERR_HEADERS_OVERFLOW", says: "its headers are over 16384 bytes" } as const;
const RESET = { reason: "ECONNRESET", says: "closed by the other side" } as const;
const CLOSED = { reason: "UND_ERR_SOCKET", says: "closed by the other side" } as const;
const LENGTH = { reason: "UND_ERR_RES_CONTENT_LENGTH_MISMATCH", says: "the length that it says" } as const;

const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n`;
const HINT = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n";

/** Broken answers by their names. */
export const BROKEN: Readonly<Record<string, BrokenAnswer>> = {
  "the greeting of another protocol": { text: "SSH-2.0-OpenSSH_9.9\r\n", ...INVALID },
  "a page without a head": { text: "<html>hello</html>\n", closes: true, ...INVALID },
  "a TLS alert": { text: "\x15\x03\x03\x00\x02\x02\x46", closes: true, ...INVALID },
  "HTTP/2": { text: "\x00\x00\x12\x04\x00\x00\x00\x00\x00".padEnd(27, "\x00"), ...INVALID },
  "another version": { text: "HTTP/9.9 200 OK\r\ncontent-length: 2\r\n\r\nok", ...INVALID },
  "a status that is a word": { text: "HTTP/1.1 FINE\r\n\r\n", ...INVALID },
  "a status of five digits": { text: "HTTP/1.1 20000 OK\r\n\r\n", ...INVALID },
  "a header without a colon": { text: `${OK}nothing\r\n\r\n`, ...INVALID },
  "a chunk size that is no number": { text: `${CHUNKED}\r\nzz\r\nok`, ...INVALID },
  "many headers": { text: `${OK}${"x-many: yes\r\n".repeat(2_000)}content-length: 2\r\n\r\nok`, ...OVERFLOW },
  "one long header": { text: `${OK}x-long: ${"y".repeat(20_000)}\r\ncontent-length: 2\r\n\r\nok`, ...OVERFLOW },
  "100 Continue": { text: `HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 2\r\n\r\nok`, ...UNASKED },
  "101 Switching Protocols": {
    text: "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n",
    ...UNASKED,
  },
  "101 without a protocol": { text: "HTTP/1.1 101 Switching Protocols\r\n\r\n", ...UNASKED },
  "early hints and no answer": {
    text: HINT.repeat(1_000),
    reason: "HPE_HINTS",
    says: "more than 100 informational answers",
  },
  "less than its length": { text: `${OK}connection: close\r\ncontent-length: 10\r\n\r\nok`, closes: true, ...LENGTH },
  "less than its length, where more could follow": {
    text: `${OK}content-length: 10\r\n\r\nok`,
    closes: true,
    ...CLOSED,
  },
  "two lengths": { text: `${OK}content-length: 2\r\ncontent-length: 3\r\n\r\nok`, ...LENGTH },
  "half a chunk": { text: `${CHUNKED}connection: close\r\n\r\n5\r\nok`, closes: true, ...RESET },
  "half a head": { text: `${OK}x-half: y\r\n`, closes: true, ...CLOSED },
  nothing: { text: "", closes: true, ...CLOSED },
};

/** A service on loopback that knows no HTTP: it writes what was prepared for the first part of the path. */
export interface RawUpstream {
  /** Without a path. */
  readonly url: string;
  /** The URL that is answered with the text of this name. */
  urlOf(name: string): string;
  /** Requests seen for a name. */
  seen(name: string): number;
  close(): void;
}

/** Starts it; what is not the head of a request is read away. */
export async function startRawUpstream(
  answers: Readonly<Record<string, Pick<BrokenAnswer, "text" | "closes">>>,
): Promise<RawUpstream> {
  const sockets = new Set<Socket>();
  const seen = new Map<string, number>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      const head = /^[A-Z]+ \/([^/? ]*)/.exec(data.toString("latin1"));
      if (head === null) return;
      const name = decodeURIComponent(head[1] ?? "");
      seen.set(name, (seen.get(name) ?? 0) + 1);
      const { text = "", closes } = answers[name] ?? {};
      if (closes) socket.end(text, "latin1");
      else socket.write(text, "latin1");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    urlOf: (name) => `${url}/${encodeURIComponent(name)}`,
    seen: (name) => seen.get(name) ?? 0,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
