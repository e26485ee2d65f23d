/**
 * What a job is made of. An opcode has a name, and parameters each with a test
 * and a default, under the names by which Ganeti knows them; the tables stand
 * in `opcodes/`. A job is handed over with every parameter filled in, so that
 * whoever runs it need not know the defaults.
 */
import { Failure } from '../failure.ts'
import type { Json, JsonObject } from '../json.ts'
import {
  anything,
  boolean,
  type Check,
  either,
  integer,
  listOf,
  maybe,
  nonNegativeInt,
  oneOf,
  string,
  tupleOf,
} from './check.ts'

export interface OpcodeParameter {
  readonly check: Check
  /** What holds where none is given; if that does not pass the check, one must be given. */
  readonly preset: Json
}

export interface Opcode<Name extends string = string> {
  /** E.g. `OP_INSTANCE_STARTUP`. */
  readonly id: string
  /** In the order in which they are checked. */
  readonly parameters: { readonly [name in Name]: OpcodeParameter }
}

/** A parameter with a default. */
export const preset = (check: Check, value: Json): OpcodeParameter => ({ check, preset: value })
/** A parameter that must be given. */
export const required = (check: Check): OpcodeParameter => preset(check, null)
/** A parameter that may be left out or null. */
export const optional = (check: Check): OpcodeParameter => preset(maybe(check), null)
/** A parameter that is false unless given. */
export const no = preset(boolean, false)
/** A parameter that is true unless given. */
export const yes = preset(boolean, true)

const jobId: Check = either(integer, (value) => typeof value === 'string' && /^\d+$/.test(value))

/** What every opcode takes. */
const COMMON = {
  dry_run: optional(boolean),
  debug_level: optional(nonNegativeInt),
  priority: preset(oneOf(-10, 0, 10), 0),
  /** Jobs to wait for, and how each may have ended; a negative id counts back from this one. */
  depends: optional(listOf(tupleOf(jobId, listOf(oneOf('canceled', 'error', 'success'))))),
  comment: optional(string),
  reason: preset(maybe(listOf(anything)), []),
}

/** Describes an opcode; those parameters that every opcode takes are added. */
export function opcode<const Name extends string>(
  id: string,
  parameters: { readonly [name in Name]: OpcodeParameter },
): Opcode<Name | keyof typeof COMMON> {
  return { id, parameters: { ...parameters, ...COMMON } }
}

/**
 * An opcode as it is submitted: what was given, checked, and defaults for the rest.
 * @throws Failure `invalid` for an unknown parameter or a value that does not
 *   pass its check, in the original's words (a Python exception's)
 */
export function fillOpcode({ id, parameters }: Opcode, given: JsonObject): JsonObject {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name)) {
      throw invalid(`Object ${className(id)} doesn't support the parameter '${name}'`)
    }
  }
  const filled: { [name: string]: Json } = {}
  for (const [name, { check, preset }] of Object.entries(parameters)) {
    const value = Object.hasOwn(given, name) ? (given[name] ?? null) : preset
    if (!check(value)) throw invalid(`("Parameter '${id}.${name}' fails validation", 'wrong_input')`)
    filled[name] = value
  }
  filled.OP_ID = id
  return filled
}

function invalid(message: string): Failure {
  return new Failure('invalid', `Invalid body parameters: ${message}`)
}

/** What the original's messages call an opcode: `OpInstanceStartup`. */
function className(id: string): string {
  return id.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())
}
