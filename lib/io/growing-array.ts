import { allocate } from '../floats';

type Growable = Float32Array | Float64Array | Int32Array;

const SMALLEST_BLOCK = 2 ** 10;
const LARGEST_BLOCK = 2 ** 20;

/**
 * A typed array of unknown length, kept in blocks so that it never has to move while it grows:
 * joining them at the end needs twice the memory once, not three times at each step.
 */
export class GrowingArray<A extends Growable> {
  readonly #create: (length: number) => A;
  #full: A[] = [];
  #block: A;
  #used = 0;
  #before = 0;

  /** @param name what it is read from, for the message when there is no memory left */
  constructor(create: (length: number) => A, name: string) {
    this.#create = (length) => allocate(create, length, name);
    this.#block = create(SMALLEST_BLOCK);
  }

  get length(): number {
    return this.#before + this.#used;
  }

  push(value: number): void {
    if (this.#used === this.#block.length) this.#grow();
    this.#block[this.#used++] = value;
  }

  /** The entries in one array; this object is empty afterwards. */
  join(): A {
    const joined = this.#create(this.length);
    let at = 0;
    for (const block of this.#full) {
      joined.set(block, at);
      at += block.length;
    }
    joined.set(this.#block.subarray(0, this.#used), at);
    this.#full = [];
    this.#block = this.#create(0);
    this.#before = 0;
    this.#used = 0;
    return joined;
  }

  #grow(): void {
    const length = this.#block.length;
    this.#full.push(this.#block);
    this.#before += length;
    this.#block = this.#create(Math.min(Math.max(2 * length, SMALLEST_BLOCK), LARGEST_BLOCK));
    this.#used = 0;
  }
}
