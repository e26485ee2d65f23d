/**
 * A signal for work that several wait for (request coalescing): it is aborted
 * when the last of them has left, as the work is then for nobody.
 */
export class SharedSignal {
  readonly #controller = new AbortController()
  #waiting = 0
  #begun = false

  /** Counts one who waits for the work. @param signal aborted when that one leaves, which it else never does */
  join(signal: AbortSignal | undefined): void {
    if (signal?.aborted) {
      this.#checkNobody(signal)
      return
    }
    this.#waiting++
    signal?.addEventListener('abort', () => {
      this.#waiting--
      this.#checkNobody(signal)
    })
  }

  /** Gives the signal, for work that begins now: while it has not, others may come though all have left. */
  begin(): AbortSignal {
    this.#begun = true
    if (this.#waiting === 0) this.#controller.abort()
    return this.#controller.signal
  }

  /** Whether all have left, so that whoever comes now must have the work begun anew. */
  get aborted(): boolean {
    return this.#controller.signal.aborted
  }

  #checkNobody({ reason }: AbortSignal): void {
    if (this.#begun && this.#waiting === 0) this.#controller.abort(reason)
  }
}
