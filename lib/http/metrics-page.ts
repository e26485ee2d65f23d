/**
 * `/metrics`: a resource for Prometheus, in one of its two formats, compressed
 * if the client accepts that. It is not part of the API, and so not in its lists.
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Need } from '../auth/permissions.ts'
import { CONTENT_TYPE, type Format } from '../metrics/exposition.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { RequestHeaders, Response } from './message.ts'
import { acceptsGzip } from './representation.ts'

export const METRICS_PATH = '/metrics'

/** What it tells, other resources tell too. */
export const METRICS_NEED: Need = {
  permissions: ['cluster.info', 'nodes.list', 'instances.list', 'jobs.list'],
  access: [],
}

/** How long an answer is shared, in milliseconds: however many ask, it is made once in that time. */
const SHARED = 1000

const compress = promisify(gzip)

/** Gives the answers to scrapes, in each format and compressed or not. */
export class MetricsPage {
  readonly #metrics: Pick<Metrics, 'text'>
  readonly #now: () => number
  readonly #shared = new Map<string, { readonly until: number; readonly response: Promise<Response> }>()

  /** @param now a monotonic clock, in milliseconds */
  constructor(metrics: Pick<Metrics, 'text'>, now: () => number = () => performance.now()) {
    this.#metrics = metrics
    this.#now = now
  }

  /** Gives the answer to a scrape. */
  answer = (headers: RequestHeaders): Promise<Response> => {
    const format = formatFor(headers.accept)
    const isCompressed = acceptsGzip(headers['accept-encoding'])
    const form = `${format} ${isCompressed}`
    const known = this.#shared.get(form)
    if (known && this.#now() < known.until) return known.response
    const response = this.#make(format, isCompressed)
    this.#shared.set(form, { until: this.#now() + SHARED, response })
    response.catch(() => this.#shared.delete(form))
    return response
  }

  async #make(format: Format, isCompressed: boolean): Promise<Response> {
    const text = await this.#metrics.text(format)
    const common = { status: 200, type: CONTENT_TYPE[format] }
    const vary = ['Cache-Control', 'no-store', 'Vary', 'Accept, Accept-Encoding']
    if (!isCompressed) return { ...common, headers: vary, body: text }
    return { ...common, headers: ['Content-Encoding', 'gzip', ...vary], body: await compress(text) }
  }
}

/** OpenMetrics for who asks for version 1 of it, or for any; Prometheus itself does. */
function formatFor(accept: string | undefined): Format {
  const parts = (accept ?? '').split(',')
  const asked = parts.find((part) => /^\s*application\/openmetrics-text\s*(;|$)/i.test(part))
  if (asked === undefined || /;\s*q=0(\.0*)?\s*(;|$)/i.test(asked)) return 'text'
  const [, version = '1.0.0'] = /;\s*version=([\d.]+)/i.exec(asked) ?? []
  return version.startsWith('1.') || version.startsWith('0.0.1') ? 'openmetrics' : 'text'
}
