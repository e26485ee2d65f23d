/**
 * Time slicing: long work on the event loop (cooperative multitasking). Between
 * two slices the event loop does its other work.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Length of a slice in milliseconds. Other requests wait at most that long, which is short compared to a request. */
const SLICE = 1

/**
 * Work is not aborted before this many pauses: short work is finished anyway, and a client that has only
 * half-closed its connection still reads the answer. Counted, not timed, as all work takes long on a busy machine.
 */
const PAUSES_TO_GIVE_UP = 8

/** Turns of the event loop between two slices at most. */
const MOST_TURNS = 64

/** How many connections were accepted so far; counted by the HTTP server. */
export const arrivals = { count: 0 }

/**
 * Waits for one turn of the event loop, or for several while connections arrive: Node accepts one connection in each
 * turn, so a slice in every turn would delay a burst of thousands of connections.
 */
async function yieldToEventLoop(): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const { count } = arrivals
    await nextTurn()
    if (arrivals.count === count) return
  }
}

/**
 * Runs a generator to its end and gives its result; at a `yield`, pauses if the slice is over.
 * @param signal aborts the work at a pause, except at the first few
 * @throws what the work throws, and the signal's reason
 */
export async function inSlices<T>(work: Generator<void, T>, signal?: AbortSignal): Promise<T> {
  let begun = performance.now()
  let pauses = 0
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() - begun < SLICE) continue
    await yieldToEventLoop()
    if (++pauses > PAUSES_TO_GIVE_UP) signal?.throwIfAborted()
    begun = performance.now()
  }
}

/** Calls `step` for each item, in time slices like `inSlices`. */
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
