/**
 * An abort signal for work that several callers wait for (request coalescing):
 * it is aborted when the last of them has left.
 */
export class SharedSignal {
  readonly #controller = new AbortController()
  #waiting = 0
  #begun = false

  /** Adds a waiter. @param signal aborted when that waiter leaves; without it, the waiter never leaves */
  join(signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      this.#abortIfUnused(signal)
      return
    }
    this.#waiting++
    signal?.addEventListener('abort', () => {
      this.#waiting--
      this.#abortIfUnused(signal)
    })
  }

  /** Gives the signal, for work that begins now. Before that, nothing is aborted, as new waiters may still come. */
  begin(): AbortSignal {
    this.#begun = true
    if (this.#waiting === 0) this.#controller.abort()
    return this.#controller.signal
  }

  /** Whether all waiters have left: a new one must start the work again. */
  get aborted(): boolean {
    return this.#controller.signal.aborted
  }

  #abortIfUnused({ reason }: AbortSignal): void {
    if (this.#begun && this.#waiting === 0) this.#controller.abort(reason)
  }
}
