/**
 * An operation is what one opcode means on a cluster in a file: a pure function
 * from the cluster as it is to what changes, or a refusal in Ganeti's terms.
 * Each lives in a file named after its opcode; only the job queue runs them,
 * and only it writes.
 */
import type { Json, JsonObject } from '../../../../json/json.ts'
import type { Change } from '../../../../model/change.ts'
import type { Config } from '../../../../model/config.ts'

/** Error codes of Ganeti's OpPrereqError. */
export type ErrorCode =
  | 'already_exists'
  | 'environment_error'
  | 'insufficient_resources'
  | 'internal_error'
  | 'resolver_error'
  | 'resource_not_unique'
  | 'temp_insufficient_resources'
  | 'unknown_entity'
  | 'wrong_input'
  | 'wrong_state'

/** Ganeti's classes of errors, as far as operations raise them. */
export type ErrorClass =
  | 'AddressPoolError'
  | 'ConfigurationError'
  | 'HypervisorError'
  | 'OpExecError'
  | 'OpPrereqError'
  | 'ParseError'
  | 'TagError'
  | 'TypeEnforcementError'

/** A refusal, as it stands in a job's `opresult`: `[kind, args]`. */
export class OpError extends Error {
  override readonly name = 'OpError'

  /**
   * @param kind Ganeti's class of the error
   * @param args what that class was given: a text and, for OpPrereqError, an error code
   * @param log what was told before it came to this, as in `Outcome`
   */
  constructor(
    readonly kind: ErrorClass,
    readonly args: readonly Json[],
    readonly log: readonly string[] = [],
  ) {
    super(String(args[0]))
  }
}

/** What must be so before an opcode can run is not so. */
export function prerequisite(message: string, code: ErrorCode): OpError {
  return new OpError('OpPrereqError', [message, code])
}

/** What was begun cannot be carried through. */
export function failure(message: string): OpError {
  return new OpError('OpExecError', [message])
}

/** What an operation may use of the world; given, so that the operation stays pure. */
export interface Context {
  /** Seconds since the epoch. */
  readonly now: number
  /** A new UUID at each call. */
  readonly newUuid: () => string
  /** A number from 0 (included) to 1 (not), for MAC addresses and the like. */
  readonly random: () => number
}

export interface Outcome {
  /** Nothing, where only an answer is wanted or the run is dry. */
  readonly change: Change
  /** The opcode's result, as `opresult` shows it. */
  readonly result: Json
  /** What Ganeti tells while it works, in order; each takes its time where the queue is told to take some. */
  readonly log?: readonly string[]
  /** Jobs that the opcode submits in its turn, each a list of opcodes as `submitJob` takes them; their ids go into the result as Ganeti puts them. */
  readonly submits?: readonly (readonly JsonObject[])[]
}

/**
 * @param opcode with every parameter filled in, under Ganeti's names
 * @throws OpError where Ganeti would refuse
 */
export type Operation = (config: Config, opcode: JsonObject, context: Context) => Outcome
