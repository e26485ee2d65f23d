import type { Job } from './job.ts'

/** What the queries on jobs and locks are answered from. */
export interface QueueView {
  /** In the order of their ids. */
  readonly jobs: Iterable<Job>
  job(id: string): Job | undefined
  readonly locks: readonly LockState[]
}

export interface LockState {
  readonly name: string
  /** Job ids. */
  readonly owner: number | null
  readonly pending: readonly number[]
}
