/**
 * Long work on the event loop, a slice at a time: between slices whatever else
 * there is to do has its turn.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Milliseconds to a slice. Requests wait for one at most, so it is little against the time a request takes. */
const SLICE = 1

/**
 * Work of fewer pauses is not given up: it is sooner done, and who has only closed its sending side still
 * reads what comes of it. They are counted, not timed, as any work takes long on a machine that is busy.
 */
const PAUSES_TO_GIVE_UP = 8

/** Turns of the event loop between two slices at most. */
const MOST_TURNS = 64

/** How many connections were accepted so far; whoever accepts them counts them here. */
export const arrivals = { count: 0 }

/**
 * Lets others have their turn: one of the event loop, or several while connections arrive. Node accepts a single one
 * in each turn, so that a slice in each would keep those waiting that come by the thousand in a second.
 */
async function othersFirst(): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const { count } = arrivals
    await nextTurn()
    if (arrivals.count === count) return
  }
}

/**
 * Runs work that stops now and then (`yield`), pausing for others where it takes long; gives what it returns.
 * @param signal has it given up at a pause, but for the first few; work that has no more is done all the same
 * @throws what the work does, and the signal's reason
 */
export async function inSlices<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  let begun = performance.now()
  let pauses = 0
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() - begun < SLICE) continue
    await othersFirst()
    if (++pauses > PAUSES_TO_GIVE_UP) signal?.throwIfAborted()
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
