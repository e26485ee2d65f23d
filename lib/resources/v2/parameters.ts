/** Parameters of the query string that several resources take. */
import type { QueryString } from '../query-string.ts'
import { flagSchema, type Parameter } from '../resource.ts'

export const bulk: Parameter = {
  name: 'bulk',
  doc: 'All details of each, instead of names and URIs, if not 0.',
  schema: flagSchema,
}
/** Whether it is given, for Method's `large`. */
export const isBulk = (query: QueryString): boolean => query.flag(bulk.name)

export const lock: Parameter = {
  name: 'lock',
  doc: 'An integer, once asking for locks; of no effect.',
  schema: flagSchema,
}

/**
 * Checks `lock` and ignores it: queries are never synchronised with jobs (Ganeti
 * 3.0 refuses them with a 500).
 * @throws Failure `invalid` if it is not an integer
 */
export function checkLock(query: QueryString): void {
  query.flag('lock')
}
