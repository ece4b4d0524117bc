import { SecondOrderError } from '../errors';

/**
 * The asynchronous calls on one native handle, one after the other in the order in which they were
 * made. The native code has no locks of its own: while one runs, nothing else may touch the handle.
 */
export class HandleQueue {
  #pending = 0;
  #last: Promise<unknown> = Promise.resolve();
  #disposed = false;

  /**
   * @param name of the class, for messages
   * @param free gives the native memory back; called once, when nothing runs
   */
  constructor(
    private readonly name: string,
    private readonly free: () => void,
  ) {}

  get disposed(): boolean {
    return this.#disposed;
  }

  /** Whether asynchronous calls are under way. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** An input as it can be kept until its turn: itself when that is now, otherwise a copy. */
  keep<Input extends Float32Array | Float64Array>(input: Input): Input {
    return this.busy ? (input.slice() as Input) : input;
  }

  /** Runs the work now when nothing is under way, otherwise after all that is. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.checkOpen();
    const starting = this.#pending++ === 0 ? this.#attempt(work) : this.#follow(work);
    const settled = starting.finally(() => {
      this.#pending--;
      if (this.#disposed && this.#pending === 0) this.free();
    });
    this.#last = settled.catch(() => undefined);
    return settled;
  }

  /**
   * @throws SecondOrderError ERR_DISPOSED; ERR_BUSY when asynchronous calls are under way
   */
  checkIdle(): void {
    this.checkOpen();
    if (!this.busy) return;
    throw new SecondOrderError(
      'ERR_BUSY',
      `This ${this.name} has ${this.#pending} asynchronous call(s) under way; await them first`,
    );
  }

  /** @throws SecondOrderError ERR_DISPOSED */
  checkOpen(): void {
    if (!this.#disposed) return;
    throw new SecondOrderError('ERR_DISPOSED', `This ${this.name} was disposed of`);
  }

  /** Refuses calls from now on; what runs comes to its end, what waits fails with ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    if (!this.busy) this.free();
  }

  async #attempt<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  async #follow<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.#last;
    this.checkOpen();
    return work();
  }
}
