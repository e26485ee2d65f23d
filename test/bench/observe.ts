/**
 * Preloaded into the daemon by benchmarks (`node --import`), and asked over its
 * IPC channel: tells how the event loop and the memory fare, and is in nobody's
 * way meanwhile.
 *
 *     { ask: 'pauses' }   the longest event loop pause and garbage collection since the last such question
 *     { ask: 'memory' }   as things are
 *     { ask: 'settled' }  likewise, after a full garbage collection
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export type Question = { readonly ask: 'pauses' | 'memory' | 'settled' }

/** Milliseconds; how long the loop was busy without a break, at the resolution of a timer of one millisecond. */
export interface Pauses {
  readonly loop: number
  readonly collection: number
}

/** MiB */
export interface Memory {
  readonly rss: number
  readonly heap: number
}

const MIB = 2 ** 20

const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()

let longestCollection = 0
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longestCollection = Math.max(longestCollection, duration)
}).observe({ entryTypes: ['gc'] })

function pauses(): Pauses {
  const found = { loop: delays.max / 1e6, collection: longestCollection }
  delays.reset()
  longestCollection = 0
  return found
}

function memory(): Memory {
  const { rss, heapUsed } = process.memoryUsage()
  return { rss: rss / MIB, heap: heapUsed / MIB }
}

function settled(): Memory {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return memory()
}

process.on('message', ({ ask }: Question) => {
  // Not in the callback of a tick: as long as one is under way, its objects are not collected.
  setImmediate(() => process.send?.(ask === 'pauses' ? pauses() : ask === 'memory' ? memory() : settled()))
})
process.channel?.unref()
