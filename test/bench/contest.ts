/** Several servers under the same load, turn and turn about, so that what else the machine does meets all alike. */
import type { Figure, Report } from './report.ts'
import { type Load, load, type Served } from './wrk.ts'

export interface Settings {
  readonly rounds: number
  /** Of load in each round. */
  readonly seconds: number
  /** A folder of the benchmark's own, to be filled. */
  readonly folder: string
  /** On the master node of a real cluster: a folder with a copy of its config.data and rapi.pem. */
  readonly cluster: string | undefined
  /** On such a cluster: how many jobs there are. */
  readonly jobs: number
}

export interface Contender {
  readonly name: string
  /** Puts it under load for so many seconds. */
  readonly serve: (seconds: number) => Promise<Served>
  /** For one so slow that the usual time does not tell: how many. */
  readonly seconds?: number
}

export function byWrk(name: string, what: Omit<Load, 'seconds'>, seconds?: number): Contender {
  const serve = (time: number) => load({ ...what, seconds: time })
  return { name, serve, ...(seconds !== undefined && { seconds }) }
}

/** @returns what each came to, by name */
export async function contest(
  report: Report,
  name: string,
  contenders: readonly Contender[],
  { rounds, seconds }: Settings,
): Promise<(contender: string) => Figure> {
  report.case(name)
  const served = new Map<string, Served[]>(contenders.map((one) => [one.name, []]))
  // A program is slower before its code has been compiled. What is wrong shows in the rounds, too.
  for (const one of contenders) await one.serve(1).catch(() => {})
  for (let round = 0; round < rounds; round++) {
    for (const one of contenders) served.get(one.name)?.push(await one.serve(one.seconds ?? seconds))
  }
  const figures = new Map<string, Figure>()
  for (const [contender, all] of served) {
    const figure = report.figure(
      contender,
      '/s',
      all.map(({ perSecond, ...latency }) => ({ value: perSecond, ...latency })),
    )
    figures.set(contender, figure)
  }
  return (contender) => {
    const figure = figures.get(contender)
    if (!figure) throw new Error(`${contender} took no part`)
    return figure
  }
}
