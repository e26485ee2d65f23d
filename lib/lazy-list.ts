/**
 * Lists whose elements are made when they are asked for, so that a long answer
 * need not be in memory as a whole before it is encoded. What they are made
 * from must not change meanwhile.
 */

/** What an array and a lazy list have in common. */
export interface List<T> extends Iterable<T> {
  readonly length: number
  /** @param index from 0; undefined is given for one that is not there */
  at(index: number): T | undefined
}

export class LazyList<T> implements List<T> {
  readonly length: number
  readonly #make: (index: number) => T

  /** @param make gives the element of an index; called each time when that is asked for */
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

/** As `items.map(make)`, but each element is made when it is asked for. */
export function lazyMap<T, U>(items: List<T>, make: (item: T) => U): LazyList<U> {
  return new LazyList(items.length, (index) => make(items.at(index) as T))
}
