/**
 * What a job is made of. An opcode has a name, and parameters each with a test,
 * a default and a sentence about it, under the names by which Ganeti knows them;
 * the tables stand in `opcodes/`. A job is handed over with what the client said: the queue that
 * runs it fills in the rest, as a master daemon knows the defaults of its release.
 */
import { Failure } from '../failure.ts'
import type { Json, JsonObject } from '../json/json.ts'
import {
  anything,
  boolean,
  type Check,
  either,
  integer,
  listOf,
  matching,
  maybe,
  nonNegativeInt,
  oneOf,
  string,
  tupleOf,
} from './check.ts'
import { isSince, isUnknown, type Release, type Version } from './version.ts'

export interface OpcodeParameter {
  readonly check: Check
  /** What holds where none is given; if that does not pass the check, one must be given. */
  readonly preset: Json
  /** What it is for, in a sentence. */
  readonly doc: string
  /** The first release that has it so; unless given, all before `until` do. */
  readonly since?: Release
  /** The first release that has it no more, or otherwise. */
  readonly until?: Release
}

/** A parameter, or what it was and is from one release to the next. */
export type ParameterHistory = OpcodeParameter | readonly OpcodeParameter[]

export interface Opcode<Name extends string = string, Id extends string = string> {
  /** E.g. `OP_INSTANCE_STARTUP`. */
  readonly id: Id
  /** Whether it only answers a question, and changes nothing. */
  readonly readsOnly: boolean
  /** In the order in which they are checked. */
  readonly parameters: { readonly [name in Name]: ParameterHistory }
}

/** A parameter with a default. */
export const preset = (check: Check, value: Json, doc: string): OpcodeParameter => ({
  check,
  preset: value,
  doc,
})
/** A parameter that must be given. */
export const required = (check: Check, doc: string): OpcodeParameter => preset(check, null, doc)
/** A parameter that may be left out or null. */
export const optional = (check: Check, doc: string): OpcodeParameter => preset(maybe(check), null, doc)
/** A parameter that is false unless given. */
export const no = (doc: string): OpcodeParameter => preset(boolean, false, doc)
/** A parameter that is true unless given. */
export const yes = (doc: string): OpcodeParameter => preset(boolean, true, doc)
/** A parameter that a release was the first to have so. */
export const since = (release: Release, parameter: OpcodeParameter): OpcodeParameter => ({
  ...parameter,
  since: release,
})
/** A parameter that a release was the first not to have so. */
export const until = (release: Release, parameter: OpcodeParameter): OpcodeParameter => ({
  ...parameter,
  until: release,
})

const jobId = either(integer, matching(/^\d+$/))

/** What every opcode takes. */
export const COMMON = {
  dry_run: optional(boolean, 'Whether the job only checks if it could be done.'),
  debug_level: optional(nonNegativeInt, 'How much the job writes to the log of Ganeti; 0 is least.'),
  priority: preset(oneOf(-10, 0, 10), 0, 'How urgent the job is: -10 is high, 0 normal, 10 low.'),
  depends: optional(
    listOf(tupleOf(jobId, listOf(oneOf('canceled', 'error', 'success')))),
    'Jobs to wait for, with the ways in which each may have ended (none for any): `[[17, ["success"]]]`; ' +
      'a negative id counts back from this job.',
  ),
  comment: optional(string, 'A remark, which the job keeps.'),
  reason: preset(
    maybe(listOf(anything)),
    [],
    'Who asked for the job, why and when, `[source, reason, nanoseconds since 1970]` each.',
  ),
}

/** Describes an opcode; those parameters that every opcode takes are added. */
export function opcode<const Id extends string, const Name extends string>(
  id: Id,
  parameters: { readonly [name in Name]: ParameterHistory },
  { readsOnly = false } = {},
): Opcode<Name | keyof typeof COMMON, Id> {
  return { id, readsOnly, parameters: { ...parameters, ...COMMON } }
}

/** The parameters that an opcode has in a version, in order. */
export function parametersOf(
  { parameters }: Opcode,
  version: Version,
): { readonly [name: string]: OpcodeParameter } {
  const present: { [name: string]: OpcodeParameter } = {}
  for (const [name, history] of Object.entries(parameters)) {
    const parameter = [history].flat().find((one) => isIn(one, version))
    if (parameter) present[name] = parameter
  }
  return present
}

function isIn({ since, until }: OpcodeParameter, version: Version): boolean {
  return (!since || isSince(version, since)) && !(until && isSince(version, until))
}

/**
 * An opcode as it is submitted: what was given, checked against what the
 * version has; of a release that is unknown, only the queue that runs the job knows that.
 *
 * `reason` is always there: without the others Ganeti's master daemon takes
 * an opcode, without this one it does not.
 *
 * @throws Failure `invalid` for an unknown parameter or a value that does not
 *   pass its check, in the original's words (a Python exception's)
 */
export function makeOpcode(opcode: Opcode, given: JsonObject, version: Version): JsonObject {
  if (!isUnknown(version)) check(opcode, given, version)
  return { reason: [], ...given, OP_ID: opcode.id }
}

/** An opcode with every parameter filled in that was not given, as it runs. */
export function fillOpcode(opcode: Opcode, given: JsonObject, version: Version): JsonObject {
  const filled: { [name: string]: Json } = {}
  for (const [name, { preset }] of Object.entries(parametersOf(opcode, version))) filled[name] = preset
  return { ...filled, ...given }
}

function check(opcode: Opcode, given: JsonObject, version: Version): void {
  const { id } = opcode
  const parameters = parametersOf(opcode, version)
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(parameters, name)) {
      throw invalid(`Object ${className(id)} doesn't support the parameter '${name}'`)
    }
  }
  for (const [name, { check, preset }] of Object.entries(parameters)) {
    const value = Object.hasOwn(given, name) ? (given[name] ?? null) : preset
    if (!check(value)) throw invalid(`("Parameter '${id}.${name}' fails validation", 'wrong_input')`)
  }
}

function invalid(message: string): Failure {
  return new Failure('invalid', `Invalid body parameters: ${message}`)
}

/** What the original's messages call an opcode: `OpInstanceStartup`. */
function className(id: string): string {
  return id.toLowerCase().replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())
}
