/**
 * Whether a job stays within a scope: all objects that its opcodes name are in
 * it, a new instance will be, and nothing that is changed gets into the scope or
 * out of it thereby.
 *
 * What is submitted has the full names of the objects that were checked, so that
 * no short name can mean another object by the time the job runs.
 */

import type { Scope } from '../../auth/scope.ts'
import { fits, fitsHost, type Selector } from '../../auth/selectors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import { HV_TYPES } from '../../model/defaults.ts'
import {
  type About,
  aboutOf,
  CONFINING_HVPARAMS,
  LOOKED_INTO,
  NAMES_ANOTHER,
  NEVER_WITHIN,
  OWN_DISK_PARAMS,
  OWN_HVPARAMS,
  OWN_MATTER,
} from './opcode-parameters.ts'
import { forbidden } from './scoped-objects.ts'
import { isWithin, selects, type Thing, type ThingKind } from './things.ts'

/** What has to be known of the cluster. */
export interface Reach {
  readonly scope: Scope
  /**
   * An object within the scope, by a name in the path of a request.
   * @throws Failure `not-found` if there is none that the user sees, `forbidden` if it is not within the scope
   */
  subject(kind: 'instance' | 'node', name: string): Promise<Thing>
  /** An object within the scope; undefined if there is none. */
  find(kind: ThingKind, name: string): Promise<Thing | undefined>
  /** Whether all instances with a node as their primary or secondary one are within the scope. */
  hasAllOn(node: string): Promise<boolean>
  /** Which of some jobs are within the scope. */
  jobsAmong(ids: readonly string[]): Promise<ReadonlySet<string>>
}

/**
 * Checks an opcode.
 * @returns it, with full names
 * @throws Failure `not-found` for an object that the user does not see, `forbidden` for whatever leaves the scope
 */
export async function checkOpcode(opcode: JsonObject, reach: Reach): Promise<JsonObject> {
  const about = aboutOf(opcode)
  if (!about) throw forbidden('this is about the whole cluster')
  if (opcode.OP_ID === 'OP_INSTANCE_MULTI_ALLOC') {
    const { instances, ...others } = opcode
    const creations = Array.isArray(instances) ? (instances as readonly JsonObject[]) : []
    const checked: JsonObject[] = []
    for (const creation of creations)
      checked.push(
        await checkCreation({ ...creation, OP_ID: 'OP_INSTANCE_CREATE' }, reach, { isOneOfMany: true }),
      )
    return { ...(await checkParameters(others, about, reach)), instances: checked }
  }
  if (opcode.OP_ID === 'OP_INSTANCE_CREATE') return checkCreation(opcode, reach)

  const things = await subjects(opcode, about, reach)
  for (const thing of things) await checkChange(opcode, thing, reach)
  const checked = await checkParameters(opcode, about, reach)
  for (const thing of things) await checkMove(checked, about, thing, reach)
  const names = things.map(({ name }) => name)
  const named = { [about.by]: Array.isArray(opcode[about.by]) ? names : (names[0] ?? null) }
  return { ...checked, ...named }
}

async function subjects(opcode: JsonObject, { kind, by }: About, reach: Reach): Promise<readonly Thing[]> {
  const names = [opcode[by] ?? []].flat() as readonly Json[]
  if (names.length === 0) throw forbidden(`${by} must say which`)
  const things: Thing[] = []
  for (const name of names) things.push(await reach.subject(kind, String(name)))
  return things
}

/** Opcodes that change nothing for the instances of a node. */
const SPARES_INSTANCES: ReadonlySet<Json> = new Set(['OP_NODE_QUERY_STORAGE', 'OP_TAGS_SET', 'OP_TAGS_DEL'])

/** Checks that a change leaves its object where it is: in a scope of the user, or outside of it. */
async function checkChange(opcode: JsonObject, thing: Thing, { scope, hasAllOn }: Reach): Promise<void> {
  const { OP_ID, tags, new_name, name_check } = opcode
  if (thing.kind === 'node' && !SPARES_INSTANCES.has(OP_ID ?? null) && !(await hasAllOn(thing.name)))
    throw forbidden(`node ${thing.name} has instances outside of it`)
  if (typeof new_name === 'string' && OP_ID === 'OP_INSTANCE_RENAME') {
    // Where Ganeti writes a name in lower case, that is the new name.
    const news = new Set([new_name, new_name.toLowerCase()])
    for (const selector of scope.selectors) {
      const stays = (name: string) => staysNamed(selector, thing.name, name, name_check !== false)
      if (selector.kind === 'instance' && ![...news].every(stays))
        throw forbidden(`with the name ${new_name}, the instance would not stay where it is`)
    }
  }
  if (Array.isArray(tags)) {
    const after =
      OP_ID === 'OP_TAGS_DEL'
        ? thing.tags.filter((tag) => !tags.includes(tag))
        : [...thing.tags, ...tags.map(String)]
    for (const selector of scope.selectors) {
      if (
        selector.kind === 'tag' &&
        selects(selector, thing) !== selects(selector, { ...thing, tags: after })
      )
        throw forbidden(`rights depend on the tag ${tags.find((tag) => fits(selector.value, String(tag)))}`)
    }
  }
}

/** Parameters that name a node where an instance gets, now or by the next failover. */
const PLACES = ['nodes', 'pnode', 'remote_node', 'target_node'] as const

/** Checks that the user may do no more with an instance, or those of a node, where the opcode brings it. */
async function checkMove(opcode: JsonObject, { by }: About, thing: Thing, reach: Reach): Promise<void> {
  if (/^OP_BACKUP_/.test(String(opcode.OP_ID))) return
  const { node: at = thing.name, groups } = thing
  const ofNode: Thing = { kind: 'instance', name: '', tags: [], node: at, groups }
  const before = thing.kind === 'node' ? ofNode : thing
  for (const name of PLACES.flatMap((place) => (place === by ? [] : (opcode[place] ?? [])))) {
    const node = await reach.find('node', String(name))
    const after = { ...before, node: node?.name, groups: node?.groups ?? [] }
    for (const selectors of reach.scope.limits) {
      if (isWithin([selectors], after) && !isWithin([selectors], before))
        throw forbidden(`on node ${name}, you might do more with an instance than before`)
    }
  }
}

/**
 * Whether a selector selects an instance by its new name if and only if it does by its old one.
 * @param mayGrow whether the new name may get the domain that it lacks, from the DNS
 */
function staysNamed({ value }: Selector, oldName: string, newName: string, mayGrow: boolean): boolean {
  if (fitsHost(value, oldName)) return fitsHost(value, newName)
  if (fitsHost(value, newName)) return false
  const grown = `${newName}.`
  const [literal = ''] = value.split('*')
  const mayFit = literal.startsWith(grown) || (value.includes('*') && grown.startsWith(literal))
  return !(mayGrow && mayFit)
}

/**
 * @param isOneOfMany for several instances at once, Ganeti's allocator chooses among all groups, whichever one a
 *   creation names (parseData, IAlloc.hs)
 */
async function checkCreation(
  opcode: JsonObject,
  reach: Reach,
  { isOneOfMany = false } = {},
): Promise<JsonObject> {
  const { scope } = reach
  if (opcode.mode === 'import') throw forbidden('an import reads what other instances left on a node')
  const checked = await checkParameters(opcode, { kind: 'instance', by: 'instance_name' }, reach)
  const { instance_name, tags, pnode, group_name } = checked
  const node = typeof pnode === 'string' ? await reach.find('node', pnode) : undefined
  const thing: Thing = {
    kind: 'instance',
    name: String(instance_name),
    tags: Array.isArray(tags) ? tags.map(String) : [],
    node: node?.name,
    groups: node?.groups ?? (typeof group_name === 'string' && !isOneOfMany ? [group_name] : []),
  }
  if (!isWithin(scope.within, thing)) {
    const ways = [...new Set(scope.within.flat().map(({ kind, value }) => WAYS_IN[kind](value)))]
    throw forbidden(`the new instance ${thing.name} would not be in it; it needs ${ways.join(', or ')}`)
  }
  return checked
}

const WAYS_IN: { readonly [kind in Selector['kind']]: (value: string) => string } = {
  tag: (value) => `the tag ${value} among its tags`,
  instance: (value) => `the name ${value}`,
  node: (value) => `the primary node ${value} as pnode`,
  group: (value) => `a primary node of the group ${value} as pnode`,
}

/** Checks all parameters but the one that names the opcode's own object; gives the opcode with full names. */
async function checkParameters(opcode: JsonObject, { by }: About, reach: Reach): Promise<JsonObject> {
  const checked: { [name: string]: Json } = {}
  for (const [name, value] of Object.entries(opcode)) {
    checked[name] = value
    if (name === by || isUnset(value) || OWN_MATTER.has(name)) continue
    const kind = NAMES_ANOTHER[name]
    const reason = NEVER_WITHIN[name]
    // To another cluster; then this says how to reach it.
    const isElsewhere = name === 'target_node' && opcode.mode === 'remote' && Array.isArray(value)
    if (isElsewhere) continue
    if (kind) checked[name] = await fullNames(name, kind, value, reach)
    else if (LOOKED_INTO.has(name)) await lookInto(name, value, reach)
    else throw forbidden(`${name} cannot be given: ${reason ?? 'it is unknown what it may reach'}`)
  }
  return checked
}

/** Whether a parameter says nothing. */
function isUnset(value: Json): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0)
}

async function fullNames(parameter: string, kind: ThingKind, value: Json, reach: Reach): Promise<Json> {
  const full = async (name: Json) => {
    const thing = await reach.find(kind, String(name))
    if (thing) return thing.name
    const instead = kind === 'node' ? '; left out, an instance allocator chooses' : ''
    throw forbidden(`there is no ${kind} ${name} in it, which ${parameter} names${instead}`)
  }
  if (!Array.isArray(value)) return full(value)
  const names: string[] = []
  for (const one of value as readonly Json[]) names.push(await full(one))
  return names
}

async function lookInto(parameter: string, value: Json, reach: Reach): Promise<void> {
  switch (parameter) {
    case 'depends': {
      // A negative id is that of a job submitted at the same time.
      const all = (value as readonly (readonly Json[])[]).map(([id]) => String(id))
      const ids = [...new Set(all.filter((id) => !id.startsWith('-')))]
      const within = await reach.jobsAmong(ids)
      const other = ids.find((id) => !within.has(id))
      if (other !== undefined) throw forbidden(`there is no job ${other} in it to depend on`)
      return
    }
    case 'disks':
      for (const change of value as readonly Json[]) {
        if (Array.isArray(change) && change[0] === 'attach')
          throw forbidden('a disk cannot be attached, which may be any')
      }
      for (const key of keysIn(value)) {
        if (key === 'adopt') throw forbidden('a disk cannot adopt a volume, which may be any')
        if (!OWN_DISK_PARAMS.has(key))
          throw forbidden(`${key} of a disk cannot be given: it is unknown what it may reach`)
      }
      return
    case 'hvparams':
      for (const [name, one] of Object.entries(isJsonObject(value) ? value : {})) {
        if (one === 'default' || one === '') continue
        if (CONFINING_HVPARAMS.has(name))
          throw forbidden(`the hypervisor parameter ${name} protects the node from the instance`)
        const isText = typeof one === 'string' && HV_TYPES[name]?.endsWith('string') !== false
        if (!isText) continue
        const own = OWN_HVPARAMS.get(name)
        if (!own) throw forbidden(`the hypervisor parameter ${name} reaches out of the instance`)
        if (!own.test(one))
          throw forbidden(`the hypervisor parameter ${name} has characters by which it may say more`)
      }
      return
    case 'ndparams':
      if (isJsonObject(value) && !isUnset(value.oob_program ?? null) && value.oob_program !== 'default')
        throw forbidden('oob_program is a command that the master node runs')
      return
    case 'nics':
      for (const key of ['bridge', 'link', 'mode', 'vlan']) {
        if (valuesOf(value, key).some((one) => !isUnset(one) && one !== ''))
          throw forbidden(`${key} of a network card may be any; name a network`)
      }
      for (const network of valuesOf(value, 'network')) {
        if (isUnset(network) || network === '' || network === 'none') continue
        if (!(await reach.find('network', String(network))))
          throw forbidden(`there is no network ${network} in it for a network card`)
      }
      return
  }
}

/** The keys of all objects in a value. */
function keysIn(value: Json): string[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap(keysIn)
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([key, one]) => [key, ...keysIn(one)])
}

/** All values of a key, anywhere in a value. */
function valuesOf(value: Json, key: string): Json[] {
  if (Array.isArray(value)) return (value as readonly Json[]).flatMap((one) => valuesOf(one, key))
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([name, one]) => (name === key ? [one] : valuesOf(one, key)))
}
