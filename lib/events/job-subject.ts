/** What a job is about, and who submitted it, as its opcodes say. */
import { type NamedObject, readJob } from '../backend/scoped/job-objects.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import { shortName } from '../model/job.ts'
import type { Objects } from './objects.ts'

export interface JobSubject extends Objects {
  /** Whose it is, as far as that is sure, and what it is about for selectors; undefined for the whole cluster. */
  readonly owner: string | undefined
  readonly named: readonly NamedObject[] | undefined
  /** The user and the request that submitted it through the remote API, if its reason trail has them. */
  readonly user: string | undefined
  readonly request: string | undefined
}

/** The most names of a kind. */
const MOST_NAMES = 100

/** The parameters of opcodes that name objects: a name, a list of names, or objects with a name. */
const PARAMETERS: { readonly [kind in keyof Objects]: readonly string[] } = {
  instances: ['instance_name', 'instances'],
  nodes: [
    'node_name',
    'node_names',
    'nodes',
    'pnode',
    'snode',
    'primary_node',
    'target_node',
    'remote_node',
    'dst_node',
  ],
  groups: ['group_name', 'group', 'target_groups'],
  networks: ['network_name', 'networks'],
}

/** The kinds of objects with tags, as opcodes on tags call them. */
const TAGGED: { readonly [kind: string]: keyof Objects } = {
  instance: 'instances',
  node: 'nodes',
  nodegroup: 'groups',
  network: 'networks',
}

/** The text in the reason trail of a job; see submit.ts. */
const REQUESTER = /^(?:user=(.*);)?request=([^;]*)$/s

/** @param opcodes as they are in the job */
export function subjectOf(opcodes: readonly JsonObject[]): JobSubject {
  const kinds = Object.entries(PARAMETERS) as [keyof Objects, readonly string[]][]
  const objects = Object.fromEntries(
    kinds.map(([kind, parameters]) => {
      const names = opcodes.flatMap((opcode) => [
        ...parameters.flatMap((parameter) => namesIn(opcode[parameter])),
        ...(isAboutTags(opcode) && TAGGED[String(opcode.kind)] === kind ? namesIn(opcode.name) : []),
      ])
      return [kind, [...new Set(names)].slice(0, MOST_NAMES)]
    }),
  ) as unknown as Objects
  const { owner, objects: named } = readJob(opcodes)
  return { ...objects, ...requesterOf(opcodes[0]), owner, named }
}

function isAboutTags(opcode: JsonObject): boolean {
  return shortName(opcode).startsWith('TAGS_')
}

function namesIn(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value]
  if (Array.isArray(value)) {
    return value.slice(0, MOST_NAMES).flatMap((one: Json) => {
      if (typeof one === 'string') return [one]
      return isJsonObject(one) ? namesIn(one.instance_name) : []
    })
  }
  return []
}

function requesterOf(opcode: JsonObject | undefined): Pick<JobSubject, 'user' | 'request'> {
  const trail = Array.isArray(opcode?.reason) ? (opcode.reason as readonly Json[]) : []
  for (const entry of trail) {
    const [source, text] = Array.isArray(entry) ? entry : []
    if (!String(source).startsWith('gnt:library:rlib2:')) continue
    const [, user, request] = REQUESTER.exec(String(text)) ?? []
    return { user, request }
  }
  return { user: undefined, request: undefined }
}
