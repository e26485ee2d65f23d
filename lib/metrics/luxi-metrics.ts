/** How long calls of the master daemon take, and which fail. */
import { Failure } from '../failure.ts'
import { Counters, counter, type Family, Histogram, histogram } from './family.ts'

/** In seconds; what needs the nodes of the cluster takes longest. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export class LuxiMetrics {
  readonly #durations = new Map<string, Histogram>()
  readonly #errors = new Counters('call', 'kind')

  /**
   * Counts a call that is over.
   * @param milliseconds undefined if it waits for something to happen
   * @param error what it failed with
   */
  called = (call: string, milliseconds: number | undefined, error: unknown): void => {
    if (error !== undefined) this.#errors.add(call, error instanceof Failure ? error.code : 'other')
    else if (milliseconds !== undefined) {
      const durations = this.#durations.get(call) ?? new Histogram(DURATIONS)
      this.#durations.set(call, durations)
      durations.observe(milliseconds / 1000)
    }
  }

  families(): Family[] {
    return [
      histogram(
        'ganeti_rapi_luxi_request_duration_seconds',
        'Calls of the master daemon that succeeded; without those that wait for jobs.',
        [...this.#durations].map(([call, durations]) => [{ call }, durations]),
      ),
      counter('ganeti_rapi_luxi_errors', 'Calls of the master daemon that failed, by kind.', this.#errors),
    ]
  }
}
