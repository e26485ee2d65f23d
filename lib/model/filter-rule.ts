import type { Json } from '../json.ts'

/** A rule of the job filter (not a query's filter): which jobs to accept, pause, reject or slow down. */
export interface FilterRule {
  readonly uuid: string
  readonly watermark: number
  readonly priority: number
  readonly predicates: Json
  readonly action: Json
  readonly reason_trail: Json
}
