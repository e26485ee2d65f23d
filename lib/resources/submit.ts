/**
 * Methods that submit a job. Each is declared: its opcode, and where the
 * parameters come from. Parameters from path and query are fixed, and the body
 * must not repeat them; the body has the others under the opcode's own names,
 * except for a few that have an older name here. Everything is checked before the
 * job is submitted, and the answer is the job's id.
 */
import type { Need } from '../auth/permissions.ts'
import type { Backend } from '../backend/backend.ts'
import { Failure } from '../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import type { Schema } from '../model/check.ts'
import { makeOpcode, type Opcode, type ParameterHistory } from '../model/opcode.ts'
import type { Release, Version } from '../model/version.ts'
import { bodySchema, dependsIn, type JobBody, newest, noBody, type Renames, wholeBody } from './job-body.ts'
import type { QueryString } from './query-string.ts'
import {
  type Body,
  BodyLimit,
  type Call,
  type Details,
  type Example,
  flagSchema,
  type Method,
  type Parameter,
} from './resource.ts'
import { StrangersJobs } from './strangers-jobs.ts'

/** The parts of the path that are used, by their names in braces. */
type Params<Name extends string> = { readonly [name in Name]: string }

/** The source of a fixed parameter. */
export interface Source<Name extends string = never> {
  /** The name in the path's braces. */
  readonly inPath?: Name
  /** The parameter of the query string; unless it has a schema, that of the opcode's parameter holds. */
  readonly inQuery?: Omit<Parameter, 'schema'> & Partial<Pick<Parameter, 'schema'>>
  /** @throws Failure `invalid` if the request has no valid value */
  valueIn(call: Call<Params<Name>>): Json
}

/** A value from the path. */
export function path<const Name extends string>(name: Name): Source<Name> {
  return { inPath: name, valueIn: ({ params }) => params[name] }
}

/** Whether an integer of the query string is not 0. */
export function flag(name: string, doc: string): Source {
  return { inQuery: { name, doc, schema: flagSchema }, valueIn: ({ query }) => query.flag(name) }
}

/** A text of the query string, or a default; it must be what the opcode's parameter may be. */
export function text(name: string, doc: string, otherwise: Json = null): Source {
  const inQuery = { name, doc, ...(otherwise !== null && { required: false }) }
  return { inQuery, valueIn: ({ query }) => query.first(name) ?? otherwise }
}

/** A constant value. */
export function constant(value: Json): Source {
  return { valueIn: () => value }
}

export const force = flag('force', 'If not 0, the job goes on in spite of what would keep it from it.')

export const dryRunParameter: Parameter = {
  name: 'dry-run',
  doc: 'If not 0, the job only checks whether it could be done.',
  schema: flagSchema,
}
export const reasonParameter: Parameter = {
  name: 'reason',
  doc: "Why, in the requester's words; the job keeps it.",
  schema: { type: 'string' },
}

/**
 * Whether `dry-run` of the query string always decides, or the body decides if it
 * is missing, or it is ignored (for opcodes that only read).
 */
export type DryRun = 'fixed' | 'if asked' | 'ignored'

/** Declares a submission: `Taken` are the names of the opcode's parameters, `Name` those in the path. */
export interface Submission<Taken extends string, Name extends string> {
  /** As in Method. */
  readonly operationId: string
  readonly doc: string
  /** The source in a job's reason trail: Ganeti's name of the resource (its class in rlib2.py). */
  readonly operation: string
  readonly need: Need
  readonly dryRun?: DryRun
  /** The first release that has it; all that are known, unless given. */
  readonly since?: Release
  readonly fixed?: { readonly [parameter in NoInfer<Taken>]?: Source<Name> }
  /** Other parameters of the query string, which `body` uses. */
  readonly parameters?: readonly Parameter[]
  /** Parameters from the body; default: `wholeBody`. */
  readonly body?: JobBody<Params<Name>>
  readonly renames?: Renames<NoInfer<Taken>>
  /** Parameters that clients of this API may not give. */
  readonly forbidden?: readonly NoInfer<Taken>[]
  readonly example?: Example
}

/** A method that submits a job of one opcode. */
export function submit<Taken extends string, Name extends string = never>(
  opcode: Opcode<Taken>,
  submission: Submission<Taken, Name>,
): Method<Params<Name>> {
  const { operationId, doc, operation, need, since, renames, forbidden = [], example } = submission
  const { body = wholeBody, parameters = [], dryRun = 'if asked' } = submission
  const fixed: [string, Source<Name>][] = Object.entries(submission.fixed ?? {})
  const taken = ['reason', ...(dryRun === 'fixed' ? ['dry_run'] : []), ...fixed.map(([name]) => name)]
  return jobMethod({
    operationId,
    doc,
    need,
    ...(since && { since }),
    ...(body === noBody && { bodyLimit: BodyLimit.jobIds }),
    ...(example && { example }),
    opcodes: [opcode],
    body: body.describe(bodySchema(opcode, [...taken, ...forbidden], renames)),
    parameters: [
      ...fixed.flatMap(([name, { inQuery }]) => (inQuery ? inQueryOf(opcode, name, inQuery) : [])),
      ...parameters,
      ...(dryRun === 'ignored' ? [] : [dryRunParameter]),
      reasonParameter,
    ],
    job: (call, version) => {
      checkForbidden(forbidden, call)
      const said = { ...body.read(call, version), ...dependsIn(call.body) }
      const values: { [parameter: string]: Json } = { reason: reasonTrail(operation, call) }
      for (const [parameter, source] of fixed) values[parameter] = source.valueIn(call)
      return [opcodeOf(opcode, version, said, { ...values, ...dryRunIn(call.query, dryRun) }, renames)]
    },
  })
}

/** A parameter of the query string that becomes one of an opcode. */
function inQueryOf({ parameters }: Opcode, name: string, inQuery: NonNullable<Source['inQuery']>): Parameter {
  if (inQuery.schema) return { ...inQuery, schema: inQuery.schema }
  const { check } = newest(parameters[name] as ParameterHistory)
  return { required: !check(null), ...inQuery, schema: withoutNull(check.schema) }
}

/** A schema without null, which no query string can hold. */
function withoutNull(schema: Schema): Schema {
  if (Array.isArray(schema.enum)) return { ...schema, enum: schema.enum.filter((value) => value !== null) }
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type[0] as string }
  return schema
}

/** A method that submits a job, however it is made. */
export function jobMethod<Name extends string>({
  need: { permissions, access },
  bodyLimit = BodyLimit.job,
  doc,
  opcodes,
  job,
  ...details
}: Details & {
  readonly operationId: string
  readonly doc: string
  readonly need: Need
  readonly since?: Release
  readonly bodyLimit?: number
  readonly opcodes: readonly Opcode[]
  readonly parameters: readonly Parameter[]
  readonly body: Body
  readonly job: (call: Call<Params<Name>>, version: Version) => readonly JsonObject[]
}): Method<Params<Name>> {
  return {
    ...details,
    doc: `${doc} Answers with the job's id.`,
    permissions,
    access,
    answer: JOB_ID,
    dependsOn: 'more',
    // Clients without credentials never need to send a long body.
    bodyLimit: access.length > 0 ? bodyLimit : BodyLimit.unused,
    submits: opcodes.map(({ id }) => id),
    handle: async (call) => {
      const { user, backend, submit = (_opcodes, submitted) => submitted() } = call
      const opcodes = job(call, await backend.version())
      const isStranger = access.length === 0 && user === undefined
      const send = () => (isStranger ? strangersOf(backend).submit(opcodes) : backend.submitJob(opcodes))
      return submit(opcodes, send)
    },
  }
}

const JOB_ID: Schema = { type: 'integer', description: "The job's id." }

const strangers = new WeakMap<Backend, StrangersJobs>()

/** The jobs that clients without credentials have submitted to a backend. */
function strangersOf(backend: Backend): StrangersJobs {
  const known = strangers.get(backend) ?? new StrangersJobs(backend)
  strangers.set(backend, known)
  return known
}

/**
 * Makes an opcode from a body and fixed parameters, for the cluster's version.
 * @throws Failure `invalid` if the body has a name together with its older one, or
 *   repeats a fixed parameter, or the result is not valid for the opcode
 */
export function opcodeOf(
  opcode: Opcode,
  version: Version,
  said: JsonObject,
  fixed: JsonObject,
  renames: Renames<string> = {},
): JsonObject {
  const given: { [parameter: string]: Json } = { ...said }
  for (const [older, name] of Object.entries(renames)) {
    const value = given[older]
    if (value === undefined) continue
    if (Object.hasOwn(given, name)) {
      throw new Failure('invalid', `Parameter '${older}' was renamed to '${name}', but both are specified`)
    }
    delete given[older]
    given[name] = value
  }
  const repeated = Object.keys(given).filter((name) => Object.hasOwn(fixed, name))
  if (repeated.length > 0) {
    const names = repeated.map((name) => `'${name}'`).join(', ')
    throw new Failure('invalid', `Can't overwrite static parameters {${names}}`)
  }
  return makeOpcode(opcode, { ...given, ...fixed }, version)
}

/** Whether a request is a dry run. */
export function isDryRun(query: QueryString): boolean {
  return query.flag(dryRunParameter.name)
}

/**
 * The dry run flag of the query string. Ganeti uses it only for some opcodes, and
 * for the others makes the change despite it.
 */
export function dryRunIn(query: QueryString, mode: DryRun): JsonObject {
  if (mode === 'ignored') return {}
  const dry_run = isDryRun(query)
  return dry_run || mode === 'fixed' ? { dry_run } : {}
}

/**
 * The reason trail of a job: the requester's reason, and its source, with who asked where that is wanted (Ganeti's
 * daemon has no text there); times in nanoseconds.
 */
export function reasonTrail(
  operation: string,
  { query, requester = '' }: Pick<Call, 'query' | 'requester'>,
): Json {
  const now = BigInt(Date.now()) * 1_000_000n
  const reason = query.first('reason')
  const ours = [`gnt:library:rlib2:${operation}`, requester, now]
  return reason === undefined ? [ours] : [['gnt:user', reason, now], ours]
}

function checkForbidden(
  forbidden: readonly string[],
  { query, body }: { readonly query: QueryString; readonly body: Json | undefined },
): void {
  for (const name of forbidden) {
    if (query.first(name) !== undefined || (isJsonObject(body) && Object.hasOwn(body, name))) {
      throw new Failure('forbidden', `The parameter ${name} cannot be set via RAPI`)
    }
  }
}
