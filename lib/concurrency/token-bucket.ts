/** A rate limit (token bucket): allows a burst, and after that a number per second. */
export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  readonly #now: () => number
  /** Below 0 if tokens are reserved in advance. */
  #tokens: number
  /** When they were last counted. */
  #counted: number

  /** @param now a monotonic clock in milliseconds */
  constructor(burst: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#now = now
    this.#tokens = burst
    this.#counted = now()
  }

  /** Takes a token if there is one. @returns whether there was */
  take(): boolean {
    this.#refill()
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Takes a token, if need be a future one. @returns how long to wait for it, in milliseconds */
  reserve(): number {
    this.#refill()
    this.#tokens--
    return Math.max(0, (-this.#tokens * 1000) / this.#perSecond)
  }

  #refill(): void {
    const now = this.#now()
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#counted) / 1000) * this.#perSecond)
    this.#counted = now
  }
}
