/**
 * Health checks, grouped as kube-apiserver groups them: whether the daemon lives
 * (`livez`), whether it should get requests (`readyz`). Why a check fails is for
 * the log only, and is written once when it begins to fail and once when it is
 * over, not for each probe.
 */
import { messageLines } from '../failure.ts'
import type { Log } from './log.ts'

export interface Check {
  readonly name: string
  /** @throws anything whose message says why the check fails, for the log */
  readonly run: () => unknown
  /** Whether it is left out where it is not asked for by its name. */
  readonly onlyByName?: true
}

export class Health {
  readonly name: string
  readonly #checks: readonly Check[]
  readonly #log: Pick<Log, 'info' | 'warning'>
  readonly #failing = new Set<string>()

  constructor(name: string, checks: readonly Check[], log: Pick<Log, 'info' | 'warning'>) {
    this.name = name
    this.#checks = checks
    this.#log = log
  }

  /** The names of all checks, in the order in which they are shown. */
  get names(): readonly string[] {
    return this.#checks.map(({ name }) => name)
  }

  /** The names of those that are made unless others are asked for. */
  get usual(): readonly string[] {
    return this.#checks.filter(({ onlyByName }) => !onlyByName).map(({ name }) => name)
  }

  /**
   * Makes all checks at the same time but those left out.
   * @returns the names of those that fail
   */
  async failing(excluded: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const checked = this.#checks.filter(({ name }) => !excluded.has(name))
    const passed = await Promise.all(checked.map((check) => this.#passes(check)))
    return new Set(checked.filter((_, index) => !passed[index]).map(({ name }) => name))
  }

  async #passes({ name, run }: Check): Promise<boolean> {
    try {
      await run()
    } catch (error) {
      if (!this.#failing.has(name)) {
        this.#failing.add(name)
        for (const line of messageLines(error, `${this.name}: ${name} fails: `)) this.#log.warning(line)
      }
      return false
    }
    if (this.#failing.delete(name)) this.#log.info(`${this.name}: ${name} is ok again`)
    return true
  }
}

/**
 * Makes a check whose outcome is remembered for some time, and shared by all who ask in the meantime, so that probes
 * cannot be a load.
 * @param lifetime milliseconds from the end of one run
 */
export function remembered({ name, run }: Check, lifetime: number): Check {
  let running: Promise<unknown> | undefined
  let over = Number.POSITIVE_INFINITY
  return {
    name,
    run: () => {
      if (!running || performance.now() >= over) {
        over = Number.POSITIVE_INFINITY
        const made = Promise.resolve().then(run)
        const ended = () => {
          over = performance.now() + lifetime
        }
        made.then(ended, ended)
        running = made
      }
      return running
    },
  }
}
