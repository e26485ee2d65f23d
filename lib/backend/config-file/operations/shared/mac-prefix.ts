import { parseMacPrefix } from '../../../../model/address.ts'
import { prerequisite } from './operation.ts'

/**
 * The first half of MACs as an opcode gives it, in lower case.
 * @throws OpError where it is none
 */
export function macPrefix<T extends string | null>(given: T): T | string {
  if (given === null) return given
  const prefix = parseMacPrefix(given)
  if (prefix !== undefined) return prefix
  throw prerequisite(`Invalid MAC address prefix '${given}'`, 'wrong_input')
}
