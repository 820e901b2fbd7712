import type { IncomingMessage } from "node:http";

/** Ends requests whose bodies do not arrive. */
export interface LateRequests {
  /** Watches the body of a request; a `long` one may take any time as long as bytes keep coming. */
  watch(request: IncomingMessage, long: boolean): void;
  /** The request gets its answer: what still comes is thrown away, and that not for ever. */
  answered(request: IncomingMessage): void;
  close(): void;
}

interface Watched {
  long: boolean;
  bytes: number;
  /** Milliseconds since the process began. */
  until: number;
}

/** A request must have arrived within this time, ms. */
const WHOLE_MS = 300_000;
/** Bytes of a long body must come within this time, ms. */
const IDLE_MS = 60_000;
/** How often late requests are looked for, ms. */
const LOOK_MS = 5_000;

const hasBody = ({ headers }: IncomingMessage) =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";

/** Begins to look; `late` gets each request that is late, once. Node's own limit knows one time for all requests. */
export function createLateRequests(late: (request: IncomingMessage) => void): LateRequests {
  const open = new Map<IncomingMessage, Watched>();
  const look = () => {
    const now = performance.now();
    for (const [request, watched] of open) {
      if (request.complete || request.destroyed) {
        open.delete(request);
        continue;
      }
      const { bytesRead } = request.socket;
      if (watched.long && bytesRead > watched.bytes) {
        watched.bytes = bytesRead;
        watched.until = now + IDLE_MS;
      }
      if (now < watched.until) continue;
      open.delete(request);
      late(request);
    }
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    watch(request, long) {
      if (request.complete || !hasBody(request)) return;
      const until = performance.now() + (long ? IDLE_MS : WHOLE_MS);
      open.set(request, { long, bytes: request.socket.bytesRead, until });
    },
    answered(request) {
      const watched = open.get(request);
      if (watched === undefined) return;
      // Most have arrived by now.
      if (request.complete) open.delete(request);
      watched.long = false;
      watched.until = performance.now() + WHOLE_MS;
    },
    close: () => clearInterval(timer),
  };
}
