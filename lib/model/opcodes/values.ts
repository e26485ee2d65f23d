/** What values of parameters look like that several opcodes share. */
import {
  type Check,
  dictOf,
  either,
  integer,
  lessThan,
  listOf,
  maybe,
  nonEmptyString,
  nonNegativeInt,
  oneOf,
  string,
  tupleOf,
} from '../check.ts'
import { ALLOC_POLICIES, DISK_TEMPLATES, HYPERVISORS } from '../defaults.ts'
import { preset, required } from '../opcode.ts'

export const allocPolicy = oneOf(...ALLOC_POLICIES)
export const diskTemplate = oneOf(...DISK_TEMPLATES)
export const fileDriver = oneOf('blktap', 'blktap2', 'loop')
export const hypervisor = oneOf(...HYPERVISORS)
export const migrationMode = oneOf('live', 'non-live')

/** Ganeti gives an instance up to 16 disks. */
export const diskIndex = lessThan(16, nonNegativeInt)
export const diskParams = dictOf(nonEmptyString, either(nonEmptyString, integer))
export const nicParams = dictOf(
  oneOf('bridge', 'ip', 'link', 'mac', 'mode', 'name', 'network', 'vlan'),
  maybe(string),
)

/**
 * Changes of an instance's disks or NICs: `[what, which, parameters]` each, or
 * in the old form `[what, parameters]` each, where a number changes that one.
 */
export function deviceChanges(parameters: Check): Check {
  return either(
    listOf(
      tupleOf(oneOf('add', 'attach', 'detach', 'modify', 'remove'), either(integer, string), parameters),
    ),
    listOf(tupleOf(either(oneOf('add', 'attach', 'detach', 'remove'), nonNegativeInt), parameters)),
  )
}

/** How long an instance may take to shut down, in seconds. */
export const shutdownTimeout = preset(nonNegativeInt, 120)
/** Names, where null will not do but nothing will. */
export const names = preset(listOf(nonEmptyString), [])
export const name = required(nonEmptyString)
