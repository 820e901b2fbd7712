type Begin = (release: () => void) => void;

/** Bounds how many nodes of a run are under way at once, those within parallel nodes included. First come, first served. */
export class Slots {
  readonly #limit: number;
  #waiting: Begin[] = [];
  #at = 0;
  #running = 0;
  #isPumping = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Calls `begin` once there is a place; it is given what gives the place back, once. */
  take(begin: Begin): void {
    this.#waiting.push(begin);
    this.#pump();
  }

  #place(): () => void {
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#running--;
      this.#pump();
    };
  }

  /** A loop instead of recursion: nodes that end at once may be many. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    try {
      while (this.#running < this.#limit && this.#at < this.#waiting.length) {
        const begin = this.#waiting[this.#at++] as Begin;
        if (this.#at > 1_000) {
          this.#waiting = this.#waiting.slice(this.#at);
          this.#at = 0;
        }
        this.#running++;
        begin(this.#place());
      }
    } finally {
      this.#isPumping = false;
    }
  }
}
