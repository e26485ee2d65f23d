/**
 * A bound on a part of the job queue: so many jobs, and so many characters of
 * JSON, since a client may put megabytes into one job.
 */
export class Quota {
  readonly #mostJobs: number
  readonly #mostLength: number
  /** How long the text of each job is, the oldest job first. */
  readonly #lengths = new Map<number, number>()
  #length = 0

  /** @param mostLength of the texts of all jobs together, in characters */
  constructor(mostJobs: number, mostLength: number) {
    this.#mostJobs = mostJobs
    this.#mostLength = mostLength
  }

  /** Counts a job, as the newest one unless it is counted already. */
  add(id: number, length: number): void {
    this.#length += length - (this.#lengths.get(id) ?? 0)
    this.#lengths.set(id, length)
  }

  delete(id: number): void {
    this.#length -= this.#lengths.get(id) ?? 0
    this.#lengths.delete(id)
  }

  /** How many jobs there are. */
  get jobs(): number {
    return this.#lengths.size
  }

  /** Whether there is no room for another job. */
  get isFull(): boolean {
    return this.jobs >= this.#mostJobs || this.#length >= this.#mostLength
  }

  /** The job to give up, if there are too many; one alone may be as long as it is. */
  get surplus(): number | undefined {
    const tooMany = this.jobs > this.#mostJobs || (this.#length > this.#mostLength && this.jobs > 1)
    return tooMany ? this.#lengths.keys().next().value : undefined
  }
}
