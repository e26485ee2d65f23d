/**
 * Long work on the event loop, a slice at a time: between slices whatever else
 * there is to do has its turn.
 */
import { setImmediate as othersFirst } from 'node:timers/promises'

/** Milliseconds to a slice. Requests wait for one at most, so it is little against the time a request takes. */
const SLICE = 1

/**
 * Runs work that stops now and then (`yield`), pausing for others where it takes long; gives what it returns.
 * @param signal has it given up at the next pause; work that needs none is done all the same
 * @throws what the work does, and the signal's reason
 */
export async function inSlices<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  let begun = performance.now()
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() - begun < SLICE) continue
    await othersFirst()
    signal?.throwIfAborted()
    begun = performance.now()
  }
}

/** Does something with each item likewise. */
export function eachInSlices<T>(
  items: Iterable<T>,
  step: (item: T) => void,
  signal?: AbortSignal,
): Promise<void> {
  return inSlices(oneByOne(items, step), signal)
}

function* oneByOne<T>(items: Iterable<T>, step: (item: T) => void): Generator<void, void> {
  for (const item of items) {
    step(item)
    yield
  }
}
