/**
 * The text that Prometheus reads, in its own format (0.0.4) or in OpenMetrics
 * (1.0.0). The two differ in the names of counters and in the last line:
 *
 *     # HELP ganeti_rapi_http_requests_total Requests.
 *     # TYPE ganeti_rapi_http_requests_total counter
 *     ganeti_rapi_http_requests_total{method="GET",code="200"} 12
 *
 *     # HELP ganeti_rapi_http_requests Requests.
 *     # TYPE ganeti_rapi_http_requests counter
 *     ganeti_rapi_http_requests_total{method="GET",code="200"} 12
 *     # EOF
 */
import type { Family, Labels } from './family.ts'

export type Format = 'text' | 'openmetrics'

export const CONTENT_TYPE: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What a text ends with. */
export const END: Readonly<Record<Format, string>> = { text: '', openmetrics: '# EOF\n' }

/** Lines that are joined at a time. */
const AT_ONCE = 64

/**
 * Writes families in pieces, for time slicing: there can be one sample for each of thousands of instances.
 * @returns the text, without its end
 */
export function* written(families: Iterable<Family>, format: Format): Generator<void, Buffer> {
  const pieces: Buffer[] = []
  for (const { name, type, help, samples } of families) {
    const shown = type === 'counter' && format === 'text' ? `${name}_total` : name
    let text = `# HELP ${shown} ${help.replace(/[\\\n]/g, escaped)}\n# TYPE ${shown} ${type}\n`
    let lines = 0
    for (const { suffix = '', labels, value } of samples) {
      text += `${name}${suffix}${labelText(labels)} ${numberText(value)}\n`
      if (++lines % AT_ONCE > 0) continue
      pieces.push(Buffer.from(text))
      text = ''
      yield
    }
    pieces.push(Buffer.from(text))
    yield
  }
  return Buffer.concat(pieces)
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\\n"]/g, escaped)}"`,
  )
  return parts.length === 0 ? '' : `{${parts.join(',')}}`
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
