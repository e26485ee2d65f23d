/**
 * Lazy lists: each element is made when it is read, so that a long answer need
 * not be in memory as a whole before it is encoded. The data that elements are
 * made from must not change in the meantime.
 */

/** What an array and a lazy list have in common. */
export interface List<T> extends Iterable<T> {
  readonly length: number
  /** @param index from 0 @returns undefined beyond the end */
  at(index: number): T | undefined
}

export class LazyList<T> implements List<T> {
  readonly length: number
  readonly #make: (index: number) => T

  /** @param make gives the element of an index; called at each access */
  constructor(length: number, make: (index: number) => T) {
    this.length = length
    this.#make = make
  }

  at(index: number): T | undefined {
    return index < this.length ? this.#make(index) : undefined
  }

  *[Symbol.iterator](): Generator<T, void> {
    for (let index = 0; index < this.length; index++) yield this.#make(index)
  }
}

/** Like `items.map(make)`, but lazy. */
export function lazyMap<T, U>(items: List<T>, make: (item: T) => U): LazyList<U> {
  return new LazyList(items.length, (index) => make(items.at(index) as T))
}
