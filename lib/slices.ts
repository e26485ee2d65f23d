/**
 * Long work on the event loop, a slice at a time: between slices whatever else
 * there is to do has its turn.
 */
import { setImmediate as othersFirst } from 'node:timers/promises'

/** Milliseconds to a slice. Requests wait for one at most, so it is little against the time a request takes. */
const SLICE = 1

/** Runs work that stops now and then (`yield`), pausing for others where it takes long; gives what it returns. */
export async function inSlices<T>(work: Generator<void, T>): Promise<T> {
  let begun = performance.now()
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() - begun < SLICE) continue
    await othersFirst()
    begun = performance.now()
  }
}

/** Does something with each item likewise. */
export function eachInSlices<T>(items: Iterable<T>, step: (item: T) => void): Promise<void> {
  return inSlices(oneByOne(items, step))
}

/** As `items.map(make)`, likewise. */
export async function mapInSlices<T, U>(items: readonly T[], make: (item: T) => U): Promise<U[]> {
  const made: U[] = []
  await eachInSlices(items, (item) => made.push(make(item)))
  return made
}

function* oneByOne<T>(items: Iterable<T>, step: (item: T) => void): Generator<void, void> {
  for (const item of items) {
    step(item)
    yield
  }
}
