import { numbers } from '../support/live-cluster.ts'

/** Choices that are the same for the same seed. */
export class Random {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = numbers(seed)
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }

  /** From `least` to `most`, small ones more often. */
  size(least: number, most: number): number {
    return Math.floor(least * (most / Math.max(1, least)) ** (this.#next() ** 2))
  }

  /** True so many times out of one. */
  chance(probability: number): boolean {
    return this.#next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  /** So many values. */
  several<T>(count: number, make: () => T): T[] {
    return Array.from({ length: count }, make)
  }

  bytes(count: number): Buffer {
    return Buffer.from(this.several(count, () => this.below(256)))
  }
}
