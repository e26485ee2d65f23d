import type { Area } from './area.ts'
import { Random } from './random.ts'

export interface Finding {
  readonly seed: number
  /** Which case it was of those the seed gives. */
  readonly number: number
  /** What is wrong. */
  readonly fault: string
  /** The smallest input that was found to show it. */
  readonly input: string
}

export interface FuzzOptions {
  readonly seed: number
  /** How long to try cases, in milliseconds; making a finding smaller takes longer. */
  readonly duration: number
  /** Where to begin: a finding's number tries that case again, before any other. */
  readonly first?: number
  /** How many findings, each of another kind, are enough. */
  readonly most?: number
  /** Told as soon as there is one. */
  readonly onFinding?: (finding: Finding) => void
}

/** Cases after which memory is as it will be. */
const WARMING = 100
/** How long to look for a smaller input. */
const SHRINKING = 15_000

/** What is a finding even where no single case shows it again. */
const DEATH = /^the daemon ended/

export interface Outcome {
  readonly cases: number
  readonly findings: readonly Finding[]
}

/** Tries cases of an area until time is up; the same seed gives the same cases in the same order. */
export async function fuzz<Case>(
  area: Area<Case>,
  { seed, duration, first = 0, most = 1, onFinding = () => {} }: FuzzOptions,
): Promise<Outcome> {
  const findings: Finding[] = []
  const kinds = new Set<string>()
  const found = (number: number, fault: string, input: string) => {
    const finding = { seed, number, fault, input }
    findings.push(finding)
    onFinding(finding)
  }
  let until = performance.now() + duration
  let number = first
  let attempts = 0
  let warm = false
  const attempt = (one: Case) => area.attempt(one, `s${seed}n${number}a${++attempts}`)
  const attemptAlone = async (one: Case) => (await attempt(one)) ?? (await area.health())

  const examine = async (one: Case, caseNumber: number, fault: string) => {
    if (kinds.has(kindOf(fault))) return
    kinds.add(kindOf(fault))
    const begun = performance.now()
    let last = fault
    const smallest = await area.shrink(one, async (smaller) => {
      if (performance.now() > begun + SHRINKING) return false
      const now = await attemptAlone(smaller)
      // Another fault is a case of its own.
      if (now === undefined || kindOf(now) !== kindOf(fault)) return false
      last = now
      return true
    })
    found(caseNumber, last, area.show(smallest))
    until += performance.now() - begun
  }

  while (performance.now() < until && findings.length < most) {
    if (number - first >= WARMING && !warm) {
      await area.warm?.()
      warm = true
    }
    const begin = number
    const batch = Array.from({ length: area.atOnce }, () =>
      area.make(new Random(seed * 1_000_003 + number), `s${seed}n${number++}`),
    )
    const faults = await Promise.all(batch.map(attempt))
    const together = await area.health()
    for (const [index, one] of batch.entries()) {
      let fault = faults[index]
      // Which case it was shows where each is tried alone, and shows again: a busy machine is no finding.
      if (fault === undefined && together !== undefined) {
        fault = (await attemptAlone(one)) && (await attemptAlone(one))
      }
      if (fault !== undefined) await examine(one, begin + index, fault)
    }
    if (together !== undefined && DEATH.test(together) && !kinds.has(kindOf(together))) {
      kinds.add(kindOf(together))
      found(begin, together, batch.map((one) => area.show(one)).join('\n\n'))
    }
  }
  const fault = await area.finish()
  if (fault !== undefined) found(number, fault, 'all of the above')
  return { cases: number - first, findings }
}

/** What faults of a kind have in common. */
export function kindOf(fault: string): string {
  return fault
    .replace(/\n[\s\S]*/, '')
    .replace(/[\d.]+/g, '#')
    .slice(0, 30)
}
