/**
 * A set of objects that come and go by the thousand in a second: a list in
 * which each knows its place, and the last takes the place of one that goes.
 *
 * The table of a Set would be made anew all the time. Tables that V8's collector
 * has taken for long-lived, though replaced, keep all they held from being
 * collected with the other short-lived things, which takes more time.
 * `npm run bench -- engine` shows what a connection costs with a Set.
 */
export interface Listed {
  /** Its place in the list, which alone changes it. */
  place: number
}

/** In no order; as much of a Set as is needed. */
export class SwapList<T extends Listed> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** @param item one that is in no list */
  add(item: T): void {
    item.place = this.#items.length
    this.#items.push(item)
  }

  /** Takes an item out; does nothing where it is not there. */
  delete(item: T): void {
    const { place } = item
    if (this.#items[place] !== item) return
    const last = this.#items.pop() as T
    if (last === item) return
    this.#items[place] = last
    last.place = place
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.values()
  }
}
