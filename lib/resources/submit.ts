/**
 * Methods that submit a job. Each is declared: which opcode, and where its
 * parameters come from. Those that path and query decide are fixed, and the
 * body must not repeat them; the body says the rest under the opcode's own
 * names, but for a few that have an older name here. Everything is checked
 * before anything is submitted, and the answer is the job's id alone.
 */
import type { Right } from '../auth/rights.ts'
import type { Backend } from '../backend/backend.ts'
import { Failure } from '../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import { makeOpcode, type Opcode } from '../model/opcode.ts'
import type { Release, Version } from '../model/version.ts'
import { bodyObject } from './expect-type.ts'
import type { QueryString } from './query-string.ts'
import { BodyLimit, type Call, type Method, type Parameter } from './resource.ts'
import { StrangersJobs } from './strangers-jobs.ts'

/** What the path matched, by those names of its braces that somebody asks for. */
type Params<Name extends string> = { readonly [name in Name]: string }

/** Where the value of a fixed parameter comes from. */
export interface Source<Name extends string = never> {
  /** The name in the path's braces. */
  readonly inPath?: Name
  /** The parameter of the query string, for the reference. */
  readonly inQuery?: Parameter
  /** @throws Failure `invalid` where the request says nothing that could be a value */
  valueIn(call: Call<Params<Name>>): Json
}

/** What the path says. */
export function path<const Name extends string>(name: Name): Source<Name> {
  return { inPath: name, valueIn: ({ params }) => params[name] }
}

/** Whether an integer of the query string is anything but 0. */
export function flag(name: string, doc: string): Source {
  return { inQuery: { name, doc }, valueIn: ({ query }) => query.flag(name) }
}

/** A text of the query string, or a value to take where there is none. */
export function text(name: string, doc: string, otherwise: Json = null): Source {
  return { inQuery: { name, doc }, valueIn: ({ query }) => query.first(name) ?? otherwise }
}

/** The same for every request. */
export function constant(value: Json): Source {
  return { valueIn: () => value }
}

export const force = flag('force', 'If not 0, the job goes on in spite of what would keep it from it.')

export const dryRunParameter: Parameter = {
  name: 'dry-run',
  doc: 'If not 0, the job only checks whether it could be done.',
}
export const reasonParameter: Parameter = {
  name: 'reason',
  doc: "Why, in the requester's words; the job keeps it.",
}

/** How a body's names become an opcode's, by the older name. */
export type Renames<Taken extends string> = { readonly [olderName: string]: Taken }

/**
 * Whether `dry-run` of the query string always decides, or leaves it to the
 * body where it is not there, or counts for nothing (with opcodes that only read).
 */
export type DryRun = 'fixed' | 'if asked' | 'ignored'

/** Declares a submission: `Taken` are the names of the opcode's parameters, `Name` those in the path. */
export interface Submission<Taken extends string, Name extends string> {
  readonly doc: string
  /** Who asks, as a job's reason trail has it: what Ganeti calls the resource (its class in rlib2.py). */
  readonly operation: string
  /** `write` unless given. */
  readonly access?: readonly Right[]
  readonly dryRun?: DryRun
  /** The first release that has it; all that are known, unless given. */
  readonly since?: Release
  readonly fixed?: { readonly [parameter in NoInfer<Taken>]?: Source<Name> }
  /** What else there is in the query string: `body` looks at it. */
  readonly parameters?: readonly Parameter[]
  /** What the body says; unless given, the body itself, which may be missing. */
  readonly body?: (call: Call<Params<Name>>, version: Version) => JsonObject
  readonly renames?: Renames<NoInfer<Taken>>
  /** Parameters that are not for clients of this API. */
  readonly forbidden?: readonly NoInfer<Taken>[]
}

/** A method that submits a job of one opcode. */
export function submit<Taken extends string, Name extends string = never>(
  opcode: Opcode<Taken>,
  submission: Submission<Taken, Name>,
): Method<Params<Name>> {
  const { doc, operation, access, since, renames, forbidden } = submission
  const { body = wholeBody, parameters = [], dryRun = 'if asked' } = submission
  const fixed: [string, Source<Name>][] = Object.entries(submission.fixed ?? {})
  return jobMethod({
    doc,
    ...(access && { access }),
    ...(since && { since }),
    ...(body === noBody && { bodyLimit: BodyLimit.jobIds }),
    opcodes: [opcode],
    parameters: [
      ...fixed.flatMap(([, { inQuery }]) => inQuery ?? []),
      ...parameters,
      ...(dryRun === 'ignored' ? [] : [dryRunParameter]),
      reasonParameter,
    ],
    job: (call, version) => {
      checkForbidden(forbidden, call)
      const said = { ...body(call, version), ...dependsIn(call.body) }
      const values: { [parameter: string]: Json } = { reason: reasonTrail(operation, call.query) }
      for (const [parameter, source] of fixed) values[parameter] = source.valueIn(call)
      return [opcodeOf(opcode, version, said, { ...values, ...dryRunIn(call.query, dryRun) }, renames)]
    },
  })
}

/** A method that submits a job, however it is made. */
export function jobMethod<Name extends string>({
  doc,
  access = ['write'],
  since,
  bodyLimit = BodyLimit.job,
  opcodes,
  parameters,
  job,
}: {
  readonly doc: string
  readonly access?: readonly Right[]
  readonly since?: Release
  readonly bodyLimit?: number
  readonly opcodes: readonly Opcode[]
  readonly parameters: readonly Parameter[]
  readonly job: (call: Call<Params<Name>>, version: Version) => readonly JsonObject[]
}): Method<Params<Name>> {
  return {
    doc: `${doc} Answers with the job's id.`,
    access,
    ...(since && { since }),
    parameters,
    dependsOn: 'more',
    // Strangers have nothing long to send, whatever it is for.
    bodyLimit: access.length > 0 ? bodyLimit : BodyLimit.unused,
    submits: opcodes.map(({ id }) => id),
    handle: async (call) => {
      const { user, backend } = call
      const opcodes = job(call, await backend.version())
      if (access.length === 0 && user === undefined) return strangersOf(backend).submit(opcodes)
      return backend.submitJob(opcodes)
    },
  }
}

const strangers = new WeakMap<Backend, StrangersJobs>()

/** What people who do not say who they are have submitted to a backend. */
function strangersOf(backend: Backend): StrangersJobs {
  const known = strangers.get(backend) ?? new StrangersJobs(backend)
  strangers.set(backend, known)
  return known
}

/**
 * An opcode from what a body says and what is fixed, as the version at hand has it.
 * @throws Failure `invalid` where a name stands there with its older one, the
 *   body repeats what is fixed, or the result is not what the opcode takes
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

/** Whether a request only asks what would be. */
export function isDryRun(query: QueryString): boolean {
  return query.flag(dryRunParameter.name)
}

/**
 * What the query string says of a dry run. Ganeti heeds it only where it is
 * fixed, and elsewhere runs for real what was asked for as a dry run.
 */
export function dryRunIn(query: QueryString, mode: DryRun): JsonObject {
  if (mode === 'ignored') return {}
  const dry_run = isDryRun(query)
  return dry_run || mode === 'fixed' ? { dry_run } : {}
}

/** Why a job is there: what the requester says, and who asks for it; times in nanoseconds. */
export function reasonTrail(operation: string, query: QueryString): Json {
  const now = BigInt(Date.now()) * 1_000_000n
  const reason = query.first('reason')
  const ours = [`gnt:library:rlib2:${operation}`, '', now]
  return reason === undefined ? [ours] : [['gnt:user', reason, now], ours]
}

/** The body where it says parameters; none at all says nothing. */
export function wholeBody({ body }: { readonly body: Json | undefined }): JsonObject {
  return body === undefined || body === null ? {} : bodyObject(body)
}

/** For methods whose body says nothing (but see `dependsIn`). */
export function noBody(): JsonObject {
  return {}
}

/** Jobs to wait for can be named in any body, even one that is not looked at otherwise. */
export function dependsIn(body: Json | undefined): JsonObject {
  if (!isJsonObject(body)) return {}
  const { depends = null } = body
  const empty = depends === null || (Array.isArray(depends) && depends.length === 0)
  return empty ? {} : { depends }
}

function checkForbidden(
  forbidden: readonly string[] = [],
  { query, body }: { readonly query: QueryString; readonly body: Json | undefined },
): void {
  for (const name of forbidden) {
    if (query.first(name) !== undefined || (isJsonObject(body) && Object.hasOwn(body, name))) {
      throw new Failure('forbidden', `The parameter ${name} cannot be set via RAPI`)
    }
  }
}
