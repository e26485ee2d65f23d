/** What a job is about, and who submitted it, as its opcodes say. */
import { type NamedObject, type Requester, readJob, requestersOf } from '../backend/scoped/job-objects.ts'
import { isJsonObject, type Json, type JsonObject } from '../json/json.ts'
import { shortName } from '../model/job.ts'
import type { Objects } from './objects.ts'

export interface JobSubject extends Objects, Requester {
  /** Whose it is, as far as that is sure, and what it is about for selectors; undefined for the whole cluster. */
  readonly owner: string | undefined
  readonly named: readonly NamedObject[] | undefined
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

function requesterOf(opcode: JsonObject | undefined): Requester {
  for (const requester of opcode ? requestersOf(opcode) : []) return requester
  return { user: undefined, request: undefined }
}
