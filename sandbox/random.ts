import { imul, lengthOf, NativeUint8Array, parseInteger, slice } from "./primordials.ts";

/** A deterministic stream of random bytes (ChaCha20 keystream over a 256-bit seed). */
export interface RandomSource {
  /** One unsigned 32-bit word. */
  word(): number;
}

const rotate = (value: number, bits: number) => (value << bits) | (value >>> (32 - bits));

function quarter(x: Int32Array, at: readonly [number, number, number, number]): void {
  const a = at[0];
  const b = at[1];
  const c = at[2];
  const d = at[3];
  const get = (i: number) => x[i] as number;
  x[a] = get(a) + get(b);
  x[d] = rotate(get(d) ^ get(a), 16);
  x[c] = get(c) + get(d);
  x[b] = rotate(get(b) ^ get(c), 12);
  x[a] = get(a) + get(b);
  x[d] = rotate(get(d) ^ get(a), 8);
  x[c] = get(c) + get(d);
  x[b] = rotate(get(b) ^ get(c), 7);
}

const ROUNDS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

function refill(state: Int32Array, block: Int32Array): void {
  for (let i = 0; i < 16; i++) block[i] = state[i] as number;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < ROUNDS.length; i++) quarter(block, ROUNDS[i] as readonly [number, number, number, number]);
  }
  for (let i = 0; i < 16; i++) block[i] = (block[i] as number) + (state[i] as number);
  state[12] = (state[12] as number) + 1;
}

const NativeInt32Array = Int32Array;

/** A source over `seed` (64 hex digits); the same seed gives the same words. */
export function createRandom(seed: string): RandomSource {
  const state = new NativeInt32Array(16);
  const constants = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574];
  for (let i = 0; i < 4; i++) state[i] = constants[i] as number;
  for (let i = 0; i < 8; i++) state[4 + i] = parseInteger(slice(seed, i * 8, i * 8 + 8), 16) | 0;
  const block = new NativeInt32Array(16);
  let used = 16;
  return {
    word() {
      if (used === 16) {
        refill(state, block);
        used = 0;
      }
      return (block[used++] as number) >>> 0;
    },
  };
}

/** A small fast generator for Math.random, seeded from the source: sfc32. */
export function createFloat(source: RandomSource): () => number {
  let a = source.word() | 0;
  let b = source.word() | 0;
  let c = source.word() | 0;
  let counter = 1;
  const word = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (rotate(c, 21) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 12; i++) word();
  return () => (imul(word() >>> 5, 1) * 67_108_864 + (word() >>> 6)) / 9_007_199_254_740_992;
}

/** Fills `bytes` from the source. */
export function fillRandom(source: RandomSource, bytes: Uint8Array): void {
  const length = lengthOf(bytes);
  for (let i = 0; i < length; i += 4) {
    const word = source.word();
    for (let j = 0; j < 4 && i + j < length; j++) bytes[i + j] = (word >>> (j * 8)) & 255;
  }
}

const HEX = "0123456789abcdef";

/** A version 4 UUID from the source. */
export function randomUuid(source: RandomSource): string {
  const bytes = new NativeUint8Array(16);
  fillRandom(source, bytes);
  bytes[6] = ((bytes[6] as number) & 15) | 64;
  bytes[8] = ((bytes[8] as number) & 63) | 128;
  let out = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) out += "-";
    const byte = bytes[i] as number;
    out += (HEX[byte >> 4] as string) + (HEX[byte & 15] as string);
  }
  return out;
}
