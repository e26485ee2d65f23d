/**
 * Whose a job is, and which objects its opcodes name: what decides who sees it.
 * That never changes, so it is kept, and lists of jobs need not ask for the
 * opcodes of thousands again.
 */
import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import type { Backend } from '../backend.ts'
import { aboutOf, NAMES_ANOTHER } from './opcode-parameters.ts'
import { isWithin, type Kind, type ThingKind, type Within } from './things.ts'

export interface NamedObject {
  readonly kind: ThingKind
  readonly name: string
}

export interface JobObjects {
  /** Who submitted it, if that is known. */
  readonly owner: string | undefined
  /** What its opcodes name; undefined if it is about the whole cluster, or about something unknown. */
  readonly objects: readonly NamedObject[] | undefined
}

/** A job that nobody sees who has a scope. */
const NOBODYS: JobObjects = { owner: undefined, objects: undefined }

/** So many jobs are kept for each backend. */
const MOST_KEPT = 20_000

const kept = new WeakMap<Backend, Map<string, JobObjects>>()

/** What is known of the jobs of a backend, by their ids; see `rememberJob`. */
export function knownJobs(backend: Backend): ReadonlyMap<string, JobObjects> {
  return kept.get(backend) ?? new Map()
}

/** Keeps what the opcodes of a job say; of one that has none it is not known whether there is such a job. */
export function rememberJob(backend: Backend, id: string, opcodes: Json): JobObjects {
  if (!Array.isArray(opcodes)) return NOBODYS
  const jobs = kept.get(backend) ?? new Map<string, JobObjects>()
  kept.set(backend, jobs)
  const [oldest] = jobs.keys()
  if (oldest !== undefined && jobs.size >= MOST_KEPT) jobs.delete(oldest)
  const read = readJob(opcodes as readonly Json[])
  jobs.set(id, read)
  return read
}

/**
 * Whether a job is about nothing but objects that lists of selectors select.
 * @param isThere whether an instance or a node of a name exists, and is selected
 */
export function isOnlyAbout(
  { objects }: Pick<JobObjects, 'objects'>,
  within: Within,
  isThere: (kind: Kind, name: string) => boolean,
): boolean {
  if (!objects) return false
  return objects.every(({ kind, name }) => {
    // What does not exist, or not any more, has only its name.
    if (isWithin(within, { kind, name, tags: [], groups: kind === 'group' ? [name] : [] })) return true
    return (kind === 'instance' || kind === 'node') && isThere(kind, name)
  })
}

/** What opcodes say of their job. */
export function readJob(opcodes: readonly Json[]): JobObjects {
  const owners = opcodes.map((opcode) => (isJsonObject(opcode) ? ownerOf(opcode) : undefined))
  const objects = opcodes.map((opcode) => (isJsonObject(opcode) ? objectsOf(opcode) : undefined))
  return {
    owner: owners.every((one) => one === owners[0]) ? owners[0] : undefined,
    objects:
      objects.length === 0 || objects.includes(undefined) ? undefined : (objects as NamedObject[][]).flat(),
  }
}

/** Who submitted an opcode. */
function ownerOf(opcode: JsonObject): string | undefined {
  for (const { user } of requestersOf(opcode)) if (user !== undefined) return user
  return undefined
}

/** Who submitted an opcode through the remote API, as far as that is known. */
export interface Requester {
  readonly user: string | undefined
  readonly request: string | undefined
}

/** The text in the reason trail of a job; see submit.ts. */
const REQUESTER = /^(?:user=(.*);)?request=([^;]*)$/s

/**
 * Those of the sources in the reason trail that only this daemon writes; see `reasonTrail`. The reason that a client
 * gives has another source.
 */
export function* requestersOf({ reason }: JsonObject): Generator<Requester, undefined> {
  for (const entry of Array.isArray(reason) ? (reason as readonly Json[]) : []) {
    const [source, text] = Array.isArray(entry) ? (entry as readonly Json[]) : []
    if (!String(source).startsWith('gnt:library:rlib2:')) continue
    const [, user, request] = REQUESTER.exec(String(text)) ?? []
    yield { user, request }
  }
}

function objectsOf(opcode: JsonObject): NamedObject[] | undefined {
  const about = aboutOf(opcode)
  if (!about) return undefined
  const own = namesIn(opcode[about.by] ?? null).map((name) => ({ kind: about.kind, name }))
  if (own.length === 0) return undefined
  const others = Object.entries(NAMES_ANOTHER).flatMap(([parameter, kind]) =>
    parameter === about.by ? [] : namesIn(opcode[parameter] ?? null).map((name) => ({ kind, name })),
  )
  return [...own, ...others]
}

/** A name, or a list of names or of opcodes for instances (OP_INSTANCE_MULTI_ALLOC). */
function namesIn(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (!Array.isArray(value)) return []
  return (value as readonly Json[]).flatMap((one) => {
    if (typeof one === 'string') return [one]
    return isJsonObject(one) && typeof one.instance_name === 'string' ? [one.instance_name] : []
  })
}
