/** What areas have in common that are tried on a daemon: it must live, go on, and give memory back. */
import type { WatchedDaemon } from '../support/watched-daemon.ts'

/** The longest that the event loop may stand still, in milliseconds of processor time. */
export const LONGEST_PAUSE = 100
/** How much more memory there may be in use at the end, in MiB: what was compiled, and what is kept for a while. */
const MEMORY_KEPT = 24
const MIB = 1024 * 1024

export class FuzzedDaemon {
  readonly #start: () => Promise<WatchedDaemon>
  readonly #canReload: boolean
  #daemon: WatchedDaemon | undefined
  #starting: Promise<WatchedDaemon> | undefined
  #memoryBefore = 0

  /**
   * @param start starts one, the next where one has died
   * @param canReload whether it reads its cluster's state anew when told to
   */
  constructor(start: () => Promise<WatchedDaemon>, canReload = true) {
    this.#start = start
    this.#canReload = canReload
  }

  /** One that lives. */
  running(): Promise<WatchedDaemon> {
    if (this.#daemon?.ended !== undefined) this.#starting = undefined
    this.#starting ??= this.#startNext()
    return this.#starting
  }

  async #startNext(): Promise<WatchedDaemon> {
    await this.#daemon?.kill()
    this.#daemon = await this.#start()
    await this.#daemon.takePauses()
    return this.#daemon
  }

  /** Takes what there is in memory for what there is without any fuzzing. */
  async warm(): Promise<void> {
    this.#memoryBefore = await this.#inUse(await this.running())
  }

  /** Whether the daemon got through what was just tried. */
  async fault(): Promise<string | undefined> {
    const daemon = this.#daemon
    if (!daemon) return undefined
    const [longest = 0] = await daemon.takePauses()
    if (daemon.ended !== undefined) {
      const { ended } = daemon
      await this.running()
      return ended
    }
    return longest > LONGEST_PAUSE ? `the event loop stood still for ${Math.round(longest)} ms` : undefined
  }

  async memoryFault(): Promise<string | undefined> {
    if (!this.#daemon || this.#daemon.ended !== undefined || this.#memoryBefore === 0) return undefined
    const kept = ((await this.#inUse(this.#daemon)) - this.#memoryBefore) / MIB
    return kept > MEMORY_KEPT ? `${kept.toFixed(1)} MiB were not given back` : undefined
  }

  async #inUse(daemon: WatchedDaemon): Promise<number> {
    if (this.#canReload) await daemon.reload()
    const { heapUsed, external } = await daemon.memory(true)
    return heapUsed + external
  }

  async close(): Promise<void> {
    await this.#daemon?.kill()
  }
}
