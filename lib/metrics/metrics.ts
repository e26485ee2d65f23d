/**
 * Everything that `/metrics` shows. The cluster is asked at most once in fifteen
 * seconds, however many scrape; if it does not answer in time, the values that
 * it gave last are shown again for some minutes, with their time.
 */
import type { Backend } from '../backend/backend.ts'
import { inSlices } from '../concurrency/time-slicing.ts'
import { askCluster, clusterFamilies } from './cluster-metrics.ts'
import type { EventMetrics } from './event-metrics.ts'
import { END, type Format, written } from './exposition.ts'
import { type Counters, counter, type Family, gauge } from './family.ts'
import type { ForwardMetrics } from './forward-metrics.ts'
import { type HttpMetrics, only } from './http-metrics.ts'
import type { LuxiMetrics } from './luxi-metrics.ts'
import type { ProcessMetrics } from './process-metrics.ts'

/** How long values of the cluster are fresh, in milliseconds. */
const FRESH = 15_000
/** How long they may be shown if there are no newer ones. */
const USABLE = 300_000
/** How long a scrape waits for the cluster: half of what Prometheus waits for a scrape unless configured. */
const PATIENCE = 5000

export interface MetricsOptions {
  readonly http: HttpMetrics
  readonly process: Pick<ProcessMetrics, 'families'>
  /** The backend to ask now. */
  readonly backend: () => Backend
  readonly version: string
  /** Milliseconds since 1970 when the certificates expire; undefined without TLS. */
  readonly certificateEnd: () => number | undefined
  /** When the cluster state was last read from its file, in milliseconds since 1970; undefined for a live cluster. */
  readonly stateTime: () => number | undefined
  /** By what was read again, and the result: ok or failed. */
  readonly reloads: Counters<'what' | 'result'>
  readonly luxi: Pick<LuxiMetrics, 'families'>
  readonly events: Pick<EventMetrics, 'families'>
  readonly forward?: Pick<ForwardMetrics, 'families'> | undefined
  /** A clock, in milliseconds since 1970. */
  readonly now?: () => number
}

/** What is known of the cluster. */
interface Known {
  readonly name: string
  /** The families of it, which are the same in all formats. */
  readonly text: Buffer
  readonly time: number
}

export class Metrics {
  readonly #options: MetricsOptions
  readonly #now: () => number
  #known: Known | undefined
  #asking: Promise<void> | undefined
  /** When the cluster was last asked, whether or not it answered. */
  #asked = Number.NEGATIVE_INFINITY
  #isUp = false
  readonly #scrapes = { count: 0, seconds: 0 }

  constructor(options: MetricsOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Gives the text for a scrape. */
  async text(format: Format): Promise<Buffer> {
    const cluster = await this.#cluster()
    const families = [...this.#own(), ...(await this.#options.process.families())]
    const own = await inSlices(written(families, format))
    return Buffer.concat([...(cluster ? [cluster.text] : []), own, Buffer.from(END[format])])
  }

  /** What is known of the cluster, at most some minutes old. */
  async #cluster(): Promise<Known | undefined> {
    if (!this.#asking && this.#now() - this.#asked >= FRESH) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined
      })
    }
    if (this.#asking) await withPatience(this.#asking)
    const known = this.#known
    return known && this.#now() - known.time < USABLE ? known : undefined
  }

  async #ask(): Promise<void> {
    const begun = performance.now()
    this.#asked = this.#now()
    try {
      const values = await askCluster(this.#options.backend())
      const text = await inSlices(written(clusterFamilies(values), 'text'))
      this.#known = { name: values.name, text, time: this.#now() }
      this.#isUp = true
    } catch {
      // The answers to clients and the log of the master daemon's calls say why; here it is one number.
      this.#isUp = false
    }
    this.#scrapes.count++
    this.#scrapes.seconds += (performance.now() - begun) / 1000
  }

  #own(): Family[] {
    const { http, version, certificateEnd, stateTime, reloads, luxi, events, forward } = this.#options
    const cluster = this.#known?.name ?? ''
    return [
      gauge('ganeti_up', 'Whether the cluster answered when it was last asked.', [
        [{ cluster }, this.#isUp ? 1 : 0],
      ]),
      {
        name: 'ganeti_scrape_duration_seconds',
        type: 'summary',
        help: 'Asking the cluster for its values.',
        samples: [
          { suffix: '_count', labels: {}, value: this.#scrapes.count },
          { suffix: '_sum', labels: {}, value: this.#scrapes.seconds },
        ],
      },
      ...time('ganeti_rapi_cluster_values', 'When the cluster gave its values.', this.#known?.time),
      gauge('ganeti_rapi_build_info', 'The versions of this daemon and of Node.', [
        [{ version, node_version: process.version }, 1],
      ]),
      ...http.families(),
      ...time(
        'ganeti_rapi_certificate_not_after',
        'When the first of the certificates expires.',
        certificateEnd(),
      ),
      ...time('ganeti_rapi_state', 'When the cluster state was last read from its file.', stateTime()),
      counter('ganeti_rapi_reloads', 'Reading files again, by what and result.', reloads),
      ...luxi.families(),
      ...events.families(),
      ...(forward?.families() ?? []),
    ]
  }
}

/** A time stamp in seconds; no family if it is not known. @param milliseconds since 1970 */
function time(name: string, help: string, milliseconds: number | undefined): Family[] {
  if (milliseconds === undefined) return []
  return [only(gauge, `${name}_timestamp_seconds`, help, milliseconds / 1000)]
}

/** Waits for work, but not longer than a scrape may take. */
async function withPatience(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE).unref()
  })
  await Promise.race([work, over])
  clearTimeout(timer)
}
