import type { Floats, NativeJobOf, NativeSyncOf } from '../native-interface';
import { runDirect } from '../run';
import { HandleQueue } from './handle-queue';
import { checkOperation, operate, operateSync } from './operation';

/** What the native code says of a handle, and how it gives it back. */
interface Owner<Handle, Facts> {
  /** Of the class, for messages. */
  name: string;
  info(handle: Handle): Facts;
  dispose(handle: Handle): void;
}

/** A native handle, its queue of calls, and the facts of it after the last one. */
export class OwnedHandle<Handle, Facts> {
  readonly #queue: HandleQueue;
  #facts: Facts;

  constructor(
    readonly handle: Handle,
    private readonly owner: Owner<Handle, Facts>,
  ) {
    this.#queue = new HandleQueue(owner.name, () => owner.dispose(handle));
    this.#facts = runDirect(() => owner.info(handle));
  }

  /** As they were when the last call ended: the handle itself may be in use just now. */
  get facts(): Facts {
    return this.#facts;
  }

  get disposed(): boolean {
    return this.#queue.disposed;
  }

  /** An input as it can be kept until its turn. */
  keep<Input extends Floats>(input: Input): Input {
    return this.#queue.keep(input);
  }

  /** Runs a job in its turn. */
  run<Spec, Native, Result>(
    start: NativeJobOf<Spec, Native>,
    spec: Spec,
    run: unknown,
    finish: (native: Native) => Result,
  ): Promise<Result> {
    const options = checkOperation(run);
    return this.#queue.run(() =>
      operate(start, spec, options, (native) => this.#finish(native, finish)),
    );
  }

  /** Runs a native function on this thread. */
  runSync<Spec, Native, Result>(
    call: NativeSyncOf<Spec, Native>,
    spec: Spec,
    run: unknown,
    finish: (native: Native) => Result,
  ): Result {
    const options = checkOperation(run);
    this.#queue.checkIdle();
    return operateSync(call, spec, options, (native) => this.#finish(native, finish));
  }

  /** Calls a native function that takes no options of a run. */
  direct(call: () => void): void {
    this.#queue.checkIdle();
    runDirect(call);
    this.#facts = this.owner.info(this.handle);
  }

  /** Gives the handle back as soon as nothing uses it. */
  dispose(): void {
    this.#queue.dispose();
  }

  #finish<Native, Result>(native: Native, finish: (native: Native) => Result): Result {
    if (!this.disposed) this.#facts = this.owner.info(this.handle);
    return finish(native);
  }
}
