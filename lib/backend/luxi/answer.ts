/**
 * What the master daemon's answers mean: a result, or one of Ganeti's errors
 * as `[CLASS, [MESSAGE, ...]]`, or the bare text of what its reader of requests
 * has to say. Ganeti's own daemon for the remote API answers most of these
 * with status 500; ours tells the client's faults from the cluster's.
 */
import { Failure, type FailureCode } from '../../failure.ts'
import { isJsonObject, type Json } from '../../json/json.ts'
import { type JsonDecoding, parseJsonInSlices } from '../../json/json-in-slices.ts'

/** What error classes stand for; the others are `internal`. */
const CLASSES: { readonly [name: string]: FailureCode } = {
  JobLost: 'not-found',
  JobQueueDrainError: 'unavailable',
  JobQueueFull: 'unavailable',
  ParameterError: 'invalid',
}

/** What the codes of an OpPrereqError stand for (ECODES_ALL in Ganeti's constants); the others are `internal`. */
const PREREQUISITES: { readonly [code: string]: FailureCode } = {
  already_exists: 'invalid',
  insufficient_resources: 'unavailable',
  resource_not_unique: 'invalid',
  temp_insufficient_resources: 'unavailable',
  unknown_entity: 'not-found',
  wrong_input: 'invalid',
  wrong_state: 'unavailable',
}

/** Errors of no class of their own, by their text. */
const TEXTS: readonly (readonly [text: RegExp, code: FailureCode])[] = [
  [/^Queue drained$/, 'unavailable'],
  [/^Filter rule with UUID \S+ does not exist$/, 'not-found'],
]

/**
 * An answer may be as long as the cluster is large. What nests deeper than
 * anything Ganeti has to say would only exhaust the stack of whatever walks
 * through it.
 */
const DECODING: JsonDecoding = {
  bounds: { depth: 1000, values: Infinity, members: Infinity, scalar: Infinity },
  decode: (bytes) => bytes.toString(),
}

/**
 * Gives the result in an answer; a long one is parsed in slices.
 * @throws Failure what the answer says, or `bad-answer` where it is none
 */
export async function readAnswer(bytes: Buffer): Promise<Json> {
  let answer: Json
  try {
    answer = await parseJsonInSlices(bytes, DECODING)
  } catch (error) {
    throw badAnswer({ cause: error })
  }
  if (!isJsonObject(answer) || typeof answer.success !== 'boolean' || answer.result === undefined) {
    throw badAnswer()
  }
  if (answer.success) return answer.result
  throw refusal(answer.result)
}

function badAnswer(options?: ErrorOptions): Failure {
  return new Failure('bad-answer', "The master daemon's answer cannot be understood", options)
}

/** Gives the Failure that an error in Ganeti's form stands for; jobs that failed have the same form in their result. */
export function refusal(error: Json): Failure {
  if (typeof error === 'string') return misread(error)
  if (!Array.isArray(error)) return badAnswer()
  const [name, args] = error
  // The error's class; without one there is nothing to be told.
  if (typeof name !== 'string' || name === '') return badAnswer()
  const [message, code] = Array.isArray(args) ? args : [args]
  const text = typeof message === 'string' ? message : name
  return new Failure(codeOf(name, String(code), text), text)
}

function codeOf(name: string, code: string, text: string): FailureCode {
  if (name === 'OpPrereqError') return lookup(PREREQUISITES, code)
  if (name !== 'GenericError') return lookup(CLASSES, name)
  return TEXTS.find(([pattern]) => pattern.test(text))?.[1] ?? 'internal'
}

function lookup(table: { readonly [name: string]: FailureCode }, name: string): FailureCode {
  return (Object.hasOwn(table, name) ? table[name] : undefined) ?? 'internal'
}

/**
 * A request that could not be read. Ours are well-formed, so it is what our
 * client put in that does not fit: `Failed to parse request: Cannot convert
 * value '[...]', error: Unknown filter operand 'nope'`. What comes after the
 * value is what the client can make use of.
 */
function misread(text: string): Failure {
  const [, reason] =
    /^Failed to parse request: (?:Cannot convert value .*?', error: )?(.*)$/s.exec(text) ?? []
  return reason === undefined ? new Failure('bad-answer', text) : new Failure('invalid', reason)
}
