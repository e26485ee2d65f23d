/**
 * Loaded into a daemon under test (`node --import`), to tell whoever started it
 * over the IPC channel when its event loop stood still, and how much memory is
 * in use.
 *
 * A timer comes up every few milliseconds. Where it comes late, what counts is
 * the processor time that the main thread used meanwhile, not the time on the
 * clock: on a busy machine a process may have to wait for its turn, which is no
 * fault of its own. Linux tells that time for each thread.
 */
import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** What the probe tells, and what it is asked. */
export type ProbeMessage =
  | { readonly kind: 'pause'; readonly milliseconds: number }
  | { readonly kind: 'memory'; readonly heapUsed: number; readonly external: number }
export type ProbeQuestion = { readonly kind: 'memory'; readonly collect: boolean }

const INTERVAL = 10
/** Shorter pauses are not worth telling. */
const SHORTEST = 40

/** The processor time that a thread of this process has used, in milliseconds. */
function threadTime(thread: number): number {
  return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e6
}

function tell(message: ProbeMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}

// Processes that the daemon starts get the same environment.
if (isMainThread && process.send && process.argv[1]?.endsWith('/ganeti-rapi')) {
  let usedBefore = threadTime(process.pid)
  setInterval(() => {
    const used = threadTime(process.pid)
    const milliseconds = used - usedBefore
    usedBefore = used
    if (milliseconds >= SHORTEST) tell({ kind: 'pause', milliseconds })
  }, INTERVAL).unref()

  process.on('message', async ({ kind, collect }: ProbeQuestion) => {
    if (kind !== 'memory') return
    if (collect) await collectGarbage()
    usedBefore = threadTime(process.pid)
    const { heapUsed, external } = process.memoryUsage()
    tell({ kind: 'memory', heapUsed, external })
  })
  // Whoever started us is gone, and nobody else ends us.
  process.on('disconnect', () => process.exit(1))
  process.channel?.unref()
}

async function collectGarbage(): Promise<void> {
  const { setFlagsFromString } = await import('node:v8')
  const { runInNewContext } = await import('node:vm')
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // What the first finds unreachable may have kept other things by a finalizer.
  for (let time = 0; time < 2; time++) {
    gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
