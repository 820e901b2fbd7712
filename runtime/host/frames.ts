import type { Socket } from "node:net";

/** How long a frame may be, for whoever does not trust the other side. */
export interface FrameBound {
  maxBytes(): number;
  /** A frame is longer: nothing more is read. */
  exceeded(): void;
}

/** Splits what arrives into frames: one callback per line, already split into fields. */
export function readFrames(socket: Socket, onFrame: (fields: string[]) => void, bound?: FrameBound): void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  const read = (data: Buffer) => {
    const end = data.lastIndexOf(10);
    if (end < 0) {
      rest.push(data);
      restBytes += data.length;
      if (bound === undefined || restBytes <= bound.maxBytes()) return;
      socket.off("data", read);
      socket.resume();
      rest = [];
      bound.exceeded();
      return;
    }
    const head = data.subarray(0, end);
    const whole = rest.length === 0 ? head : Buffer.concat([...rest, head]);
    rest = end + 1 < data.length ? [data.subarray(end + 1)] : [];
    restBytes = data.length - end - 1;
    for (const line of whole.toString("utf8").split("\n")) onFrame(line.split("\t"));
  };
  socket.on("data", read);
}

/** Sends frames: everything written in one event-loop turn leaves in one write. */
export interface FrameWriter {
  /** Fields must contain neither tab nor newline (JSON texts never do). */
  write(frame: string): void;
}

/** A batching writer over `socket`. */
export function createFrameWriter(socket: Socket): FrameWriter {
  let batch = "";
  const flush = () => {
    const text = batch;
    batch = "";
    if (!socket.destroyed) socket.write(text);
  };
  return {
    write(frame) {
      if (batch === "") setImmediate(flush);
      batch += `${frame}\n`;
    },
  };
}
