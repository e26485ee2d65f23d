/**
 * A rate limit for records of what anyone may cause, such as refused requests,
 * so that a flood of wrong passwords cannot fill the disk: of each client, some
 * are recorded, and for the rest their number, at the end of each minute.
 */

/** Records of one client in a minute. */
const RECORDED = 20
const WINDOW = 60_000
/** Clients that are counted by themselves; all others together count as one. */
const CLIENTS = 1000

interface Count {
  readonly who: readonly string[]
  recorded: number
  more: number
}

export class RecordLimit {
  readonly #report: (who: readonly string[], more: number) => void
  readonly #counts = new Map<string, Count>()
  #timer: NodeJS.Timeout | undefined

  /** @param report called at the end of a minute for each client of whom some were not recorded */
  constructor(report: (who: readonly string[], more: number) => void) {
    this.#report = report
  }

  /**
   * Counts one of a client.
   * @param who what names the client: its network, the user
   * @returns whether it should be recorded
   */
  count(...who: readonly string[]): boolean {
    const key = this.#counts.size < CLIENTS || this.#counts.has(keyOf(who)) ? keyOf(who) : OTHERS
    const count = this.#counts.get(key) ?? { who: key === OTHERS ? ['others'] : who, recorded: 0, more: 0 }
    this.#counts.set(key, count)
    this.#timer ??= setTimeout(() => this.flush(), WINDOW).unref()
    if (count.recorded >= RECORDED) {
      count.more++
      return false
    }
    count.recorded++
    return true
  }

  /** Ends the minute now. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const { who, more } of this.#counts.values()) if (more > 0) this.#report(who, more)
    this.#counts.clear()
  }
}

const OTHERS = ''

function keyOf(who: readonly string[]): string {
  return JSON.stringify(who)
}
