/**
 * The process and its Node, under the names that Prometheus' client libraries
 * have for them.
 */
import { readdir, readFile } from 'node:fs/promises'
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { counter, type Family, gauge, Histogram, histogram } from './family.ts'
import { only } from './http-metrics.ts'

const GC_SECONDS = [0.001, 0.01, 0.1, 1, 2, 5]
const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}
/** How often the delay of the event loop is sampled, in milliseconds. */
const RESOLUTION = 20
/** The size of a page of memory, in which /proc counts: the same on all machines that Debian runs Node on. */
const PAGE = 4096

export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  readonly #collections = new Map(Object.values(GC_KINDS).map((kind) => [kind, new Histogram(GC_SECONDS)]))
  readonly #observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { duration, detail } = entry as typeof entry & { readonly detail: { readonly kind: number } }
      const { kind } = detail
      this.#collections.get(GC_KINDS[kind] ?? '')?.observe(duration / 1000)
    }
  })
  readonly #started = Date.now() / 1000 - process.uptime()

  constructor() {
    this.#delay.enable()
    this.#observer.observe({ entryTypes: ['gc'] })
  }

  close(): void {
    this.#delay.disable()
    this.#observer.disconnect()
  }

  async families(): Promise<Family[]> {
    const { user, system } = process.cpuUsage()
    const { rss, external } = process.memoryUsage()
    const heap = getHeapStatistics()
    const [lag, system_] = await Promise.all([lagNow(), procValues()])
    const [major = '', minor = '', patch = ''] = process.versions.node.split('.')
    const version = { version: process.version, major, minor, patch }
    return [
      only(counter, 'process_cpu_user_seconds', 'Processor time of the program itself.', user / 1e6),
      only(counter, 'process_cpu_system_seconds', 'Processor time of the kernel for it.', system / 1e6),
      only(counter, 'process_cpu_seconds', 'Processor time of both.', (user + system) / 1e6),
      only(gauge, 'process_start_time_seconds', 'When the process started.', this.#started),
      only(gauge, 'process_resident_memory_bytes', 'Resident memory.', rss),
      ...system_.map(([name, help, value]) => only(gauge, name, help, value)),
      ...this.#lagFamilies(lag),
      only(gauge, 'nodejs_heap_size_total_bytes', 'Size of the heap.', heap.total_heap_size),
      only(gauge, 'nodejs_heap_size_used_bytes', 'Used part of the heap.', heap.used_heap_size),
      only(gauge, 'nodejs_external_memory_bytes', 'Memory outside of the heap.', external),
      histogram(
        'nodejs_gc_duration_seconds',
        'Garbage collections, by kind.',
        [...this.#collections].map(([kind, durations]) => [{ kind }, durations]),
      ),
      gauge('nodejs_version_info', 'The version of Node.', [[version, 1]]),
    ]
  }

  /** The delays since the last call. */
  #lagFamilies(now: number): Family[] {
    const delay = this.#delay
    const seconds = (nanoseconds: number) => (delay.count > 0 ? nanoseconds / 1e9 : 0)
    // What is sampled is the time between two samples, without the delay the resolution.
    const late = (nanoseconds: number) => Math.max(0, seconds(nanoseconds) - RESOLUTION / 1000)
    const values: readonly (readonly [name: string, help: string, value: number])[] = [
      ['', 'Delay of the event loop at this time.', now],
      ['_min', 'Least delay since the last scrape.', late(delay.min)],
      ['_max', 'Greatest delay since the last scrape.', late(delay.max)],
      ['_mean', 'Mean delay since the last scrape.', late(delay.mean)],
      ['_stddev', 'Standard deviation of the delay.', seconds(delay.stddev)],
      ['_p50', 'Median of the delay.', late(delay.percentile(50))],
      ['_p90', '90th percentile of the delay.', late(delay.percentile(90))],
      ['_p99', '99th percentile of the delay.', late(delay.percentile(99))],
    ]
    const families = values.map(([suffix, help, value]) =>
      only(gauge, `nodejs_eventloop_lag${suffix}_seconds`, help, value),
    )
    delay.reset()
    return families
  }
}

/** How long something due at once has to wait for, in seconds. */
async function lagNow(): Promise<number> {
  const begun = performance.now()
  await new Promise(setImmediate)
  return (performance.now() - begun) / 1000
}

type Value = readonly [name: string, help: string, value: number]

/** What only /proc knows; nothing where there is none. */
async function procValues(): Promise<readonly Value[]> {
  try {
    const [memory, limits, descriptors] = await Promise.all([
      readFile('/proc/self/statm', 'latin1'),
      readFile('/proc/self/limits', 'latin1'),
      readdir('/proc/self/fd'),
    ])
    const most = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
    return [
      ['process_virtual_memory_bytes', 'Virtual memory.', Number.parseInt(memory, 10) * PAGE],
      ['process_open_fds', 'Open file descriptors.', descriptors.length],
      ['process_max_fds', 'The most file descriptors.', Number(most ?? Number.NaN)],
    ]
  } catch {
    return []
  }
}
