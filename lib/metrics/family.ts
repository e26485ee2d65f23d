/**
 * Metrics as Prometheus names them: families of samples, and what is counted
 * between two scrapes.
 */

export type Labels = Readonly<Record<string, string>>

export interface Sample {
  /** What follows the name of the family. */
  readonly suffix?: '_total' | '_bucket' | '_sum' | '_count'
  readonly labels: Labels
  readonly value: number
}

export interface Family {
  /** Without the `_total` of a counter. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly help: string
  readonly samples: Iterable<Sample>
}

/** A family of one value for each combination of labels. */
export function gauge(name: string, help: string, samples: Iterable<readonly [Labels, number]>): Family {
  return { name, type: 'gauge', help, samples: plain(samples) }
}

/** A family of numbers that only grow. @param name without `_total` */
export function counter(name: string, help: string, samples: Iterable<readonly [Labels, number]>): Family {
  return { name, type: 'counter', help, samples: plain(samples, '_total') }
}

/** A family of histograms. */
export function histogram(
  name: string,
  help: string,
  samples: Iterable<readonly [Labels, Histogram]>,
): Family {
  return { name, type: 'histogram', help, samples: ofHistograms(samples) }
}

function* plain(samples: Iterable<readonly [Labels, number]>, suffix?: '_total'): Generator<Sample> {
  for (const [labels, value] of samples) yield suffix ? { suffix, labels, value } : { labels, value }
}

function* ofHistograms(samples: Iterable<readonly [Labels, Histogram]>): Generator<Sample> {
  for (const [labels, { bounds, counts, sum }] of samples) {
    let count = 0
    for (const [place, bound] of [...bounds, Number.POSITIVE_INFINITY].entries()) {
      count += counts[place] ?? 0
      yield { suffix: '_bucket', labels: { ...labels, le: boundText(bound) }, value: count }
    }
    yield { suffix: '_sum', labels, value: sum }
    yield { suffix: '_count', labels, value: count }
  }
}

/** A bound in the one spelling that OpenMetrics allows: with a fraction. */
function boundText(bound: number): string {
  if (bound === Number.POSITIVE_INFINITY) return '+Inf'
  return Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
}

/** A number that only grows, for each combination of the values of some labels. */
export class Counters<Name extends string> {
  readonly #names: readonly Name[]
  readonly #counts = new Map<string, [labels: Labels, value: number]>()

  constructor(...names: readonly Name[]) {
    this.#names = names
  }

  /** @param values of the labels, in the order of their names; there must be few different ones */
  add(...values: readonly string[]): void {
    const key = values.join('\n')
    const known = this.#counts.get(key)
    if (known) known[1]++
    else this.#counts.set(key, [labelsOf(this.#names, values), 1])
  }

  [Symbol.iterator](): Iterator<readonly [Labels, number]> {
    return this.#counts.values()
  }
}

function labelsOf(names: readonly string[], values: readonly string[]): Labels {
  return Object.fromEntries(names.map((name, place) => [name, values[place] ?? '']))
}

/** How often values fell below each of some bounds. */
export class Histogram {
  /** By bound, with a last one for greater values; not cumulative. */
  readonly counts: number[]
  sum = 0

  /** @param bounds ascending */
  constructor(readonly bounds: readonly number[]) {
    this.counts = [...bounds, 0].fill(0)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let place = 0
    while (place < bounds.length && value > (bounds[place] as number)) place++
    counts[place] = (counts[place] as number) + 1
    this.sum += value
  }
}
