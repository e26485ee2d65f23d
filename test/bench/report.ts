/**
 * What benchmarks found: a table for people, printed as it comes about, and
 * the same as data.
 *
 * Only ratios within one run mean something on another machine, so a figure
 * stands beside the opponents' of the same moments, and goals are ratios
 * wherever they can be.
 */

/** What one contender came to in one case, over all rounds. */
export interface Figure {
  readonly part: string
  readonly case: string
  readonly contender: string
  readonly unit: Unit
  readonly median: number
  readonly least: number
  readonly most: number
  /** Milliseconds; medians of the rounds. */
  readonly p50?: number
  readonly p99?: number
}

export interface Goal {
  readonly part: string
  readonly case: string
  /** What is looked at, e.g. `ours / bare node`. */
  readonly what: string
  readonly value: number
  readonly wanted: string
  readonly met: boolean
}

export type Unit = '/s' | 'ms' | 'MiB' | 'x'

/** One round of one contender. */
export interface Round {
  readonly value: number
  readonly p50?: number
  readonly p99?: number
}

const NAME_WIDTH = 24

export class Report {
  readonly figures: Figure[] = []
  readonly goals: Goal[] = []
  #part = ''
  #case = ''

  part(name: string, about: string): void {
    this.#part = name
    print(`\n== ${name}: ${about}`)
  }

  /** Begins the lines about one thing. */
  case(name: string): void {
    this.#case = name
    print(`\n${name}`)
  }

  /** Notes what a contender came to; @returns it */
  figure(contender: string, unit: Unit, rounds: readonly Round[]): Figure {
    const values = rounds.map(({ value }) => value)
    const percentile = (name: 'p50' | 'p99') => {
      const all = rounds.map((round) => round[name]).filter((one) => one !== undefined)
      return all.length > 0 && { [name]: median(all) }
    }
    const figure: Figure = {
      part: this.#part,
      case: this.#case,
      contender,
      unit,
      median: median(values),
      least: Math.min(...values),
      most: Math.max(...values),
      ...percentile('p50'),
      ...percentile('p99'),
    }
    this.figures.push(figure)
    const spread = rounds.length > 1 ? `(${amount(figure.least)} to ${amount(figure.most)})` : ''
    const latency =
      figure.p99 === undefined ? '' : `p50 ${amount(figure.p50 ?? 0)} ms, p99 ${amount(figure.p99)} ms`
    print(
      `  ${contender.padEnd(NAME_WIDTH)}${amount(figure.median).padStart(8)} ${unit.padEnd(4)}${spread.padEnd(24)}${latency}`,
    )
    return figure
  }

  /** Notes a ratio, or another value, and whether it is what we want. */
  goal(
    what: string,
    value: number,
    wanted?: { readonly atLeast: number } | { readonly below: number },
  ): void {
    if (!wanted) {
      print(`  ${what.padEnd(NAME_WIDTH)}${amount(value).padStart(8)}`)
      return
    }
    const [text, met] =
      'atLeast' in wanted
        ? [`at least ${wanted.atLeast}`, value >= wanted.atLeast]
        : [`below ${wanted.below}`, value < wanted.below]
    this.goals.push({ part: this.#part, case: this.#case, what, value, wanted: text, met })
    print(
      `  ${what.padEnd(NAME_WIDTH)}${amount(value).padStart(8)}     wanted: ${text}: ${met ? 'met' : 'MISSED'}`,
    )
  }

  note(text: string): void {
    print(`  ${text}`)
  }

  /** Prints which goals were missed. */
  summary(): void {
    const missed = this.goals.filter(({ met }) => !met)
    print(`\n== goals: ${this.goals.length - missed.length} of ${this.goals.length} met`)
    for (const { part, case: name, what, value, wanted } of missed) {
      print(`  ${part}: ${name}: ${what} is ${amount(value)}, wanted: ${wanted}`)
    }
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}

export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

/** A number with as many digits as mean something. */
function amount(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Tables go to standard error: standard output is for the data. */
function print(line: string): void {
  process.stderr.write(`${line}\n`)
}
