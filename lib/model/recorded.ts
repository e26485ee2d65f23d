/** What Ganeti records of every object. */
export interface Recorded {
  readonly uuid: string
  /** When it was made and when it was last changed, seconds since the epoch, and how often. */
  readonly ctime: number
  readonly mtime: number
  readonly serial_no: number
  readonly tags: readonly string[]
}
