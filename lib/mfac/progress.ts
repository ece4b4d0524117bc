/** Milliseconds between two events at least, as for native runs. */
const INTERVAL = 50;

/** A callback of progress that is called at most every 50 ms, and with the last event by `flush`. */
export class ThrottledProgress<Event> {
  #last = Number.NEGATIVE_INFINITY;
  #held: Event | undefined;

  constructor(private readonly onProgress: ((event: Event) => void) | undefined) {}

  report(event: Event): void {
    this.#held = event;
    if (performance.now() - this.#last >= INTERVAL) this.flush();
  }

  /** Tells what was held back. */
  flush(): void {
    const event = this.#held;
    if (event === undefined) return;
    this.#held = undefined;
    this.#last = performance.now();
    this.onProgress?.(event);
  }
}
