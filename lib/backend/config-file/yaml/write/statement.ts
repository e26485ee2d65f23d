/**
 * What a YAML file has to say of an object so that reading it gives just that
 * object. A person's way of saying it stays: of a statement only those keys are
 * touched that mean something else than they should, and a default is said by
 * saying nothing.
 *
 * The functions of this folder take what is written, what that is parsed to
 * (undefined where nothing is written yet) and the target that it should be
 * parsed to, and give what to write. Parsing is the reader's own, so these need
 * not know what follows from what: who calls them has the result parsed, and
 * calls again until nothing changes.
 */
import { equalJson, isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import type { Config } from '../../../../model/config.ts'
import type { Recorded } from '../../../../model/recorded.ts'

/** What objects refer to by name in the file; the cluster as it should be. */
export type Around = Pick<Config, 'cluster' | 'nodes' | 'groups' | 'networks'>

const RECORD: readonly string[] = ['uuid', 'ctime', 'mtime', 'serial_no']

/** The statement of one object while it is being changed: keys and values, in their order. */
export class Statement {
  readonly #values: Map<string, Json>

  constructor(written: Json | undefined) {
    this.#values = new Map(Object.entries(isJsonObject(written) ? written : {}))
  }

  get(key: string): Json | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return (this.#values.get(key) ?? null) !== null
  }

  /** Writes a key; takes it out for undefined. */
  put(key: string, value: Json | undefined): void {
    if (value === undefined) this.#values.delete(key)
    else this.#values.set(key, value)
  }

  /**
   * Writes a value where it is not what was parsed. The default is written where the key is there: it may be a
   * person's, with a comment beside it. Not so for lists, null and what only jobs write.
   * @param usual the default, which is what a missing key means
   */
  fix(key: string, parsed: Json | undefined, target: Json, usual?: Json): void {
    if (equalJson(parsed, target)) return
    const stays = this.has(key) && typeof target !== 'object' && !RECORD.includes(key)
    this.put(key, equalJson(target, usual) && !stays ? undefined : target)
  }

  /** As `fix`, for an object that is spoken of key by key. */
  fixParams(key: string, parsed: object | undefined, target: object, usual: object = {}): void {
    if (equalJson((parsed ?? usual) as Json, target as Json)) return
    this.putObject(
      key,
      fixParams(this.get(key), parsed as JsonObject, target as JsonObject, usual as JsonObject),
    )
  }

  putObject(key: string, value: JsonObject): void {
    this.put(key, Object.keys(value).length === 0 ? undefined : value)
  }

  get json(): JsonObject {
    return Object.fromEntries(this.#values)
  }
}

export function fixParams(
  written: Json | undefined,
  parsed: JsonObject | undefined,
  target: JsonObject,
  usual: JsonObject = {},
): JsonObject {
  const statement = new Statement(written)
  const before = parsed ?? usual
  for (const key of new Set([...Object.keys(before), ...Object.keys(target)])) {
    const value = own(target, key)
    if (value === undefined) statement.put(key, undefined)
    else statement.fix(key, own(before, key), value, own(usual, key))
  }
  return statement.json
}

/** A value of an object's own: keys are anybody's choice, `constructor` too. */
function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

export function fixRecord(
  statement: Statement,
  parsed: Recorded | undefined,
  target: Recorded,
  derived: string,
  ctime?: number,
): void {
  statement.fix('uuid', parsed ? parsed.uuid : derived, target.uuid, derived)
  fixStamps(statement, parsed, target, ctime)
  statement.fix('tags', parsed?.tags ?? [], target.tags, [])
}

type Stamped = Pick<Recorded, 'ctime' | 'mtime' | 'serial_no'>

export function fixStamps(
  statement: Statement,
  parsed: Stamped | undefined,
  target: Stamped,
  ctime?: number,
): void {
  statement.fix('ctime', parsed ? parsed.ctime : ctime, target.ctime, ctime)
  statement.fix('mtime', parsed ? parsed.mtime : target.ctime, target.mtime, target.ctime)
  statement.fix('serial_no', parsed?.serial_no ?? 1, target.serial_no, 1)
}

type Memory = { readonly maxmem?: number | undefined; readonly minmem?: number | undefined }

/** @param short where `memory` may stand, which says least and most at once */
export function fixMemory(
  short: Statement,
  long: Statement,
  parsed: Memory,
  { maxmem, minmem }: Memory,
): void {
  if (parsed.maxmem === maxmem && parsed.minmem === minmem) return
  const apart = maxmem !== minmem || long.has('maxmem') || long.has('minmem')
  short.put('memory', apart ? undefined : maxmem)
  if (!apart) return
  long.put('maxmem', maxmem)
  long.put('minmem', minmem)
}

export function fixList<T extends { readonly uuid: string }>(
  statement: Statement,
  key: string,
  parsed: readonly T[] = [],
  target: readonly T[],
  write: (written: Json | undefined, parsed: T | undefined, target: T, index: number) => Json,
): void {
  if (equalJson(parsed as unknown as Json, target as unknown as Json)) return
  const written = statement.get(key)
  const items = Array.isArray(written) ? (written as readonly Json[]) : []
  const wanted = new Set(target.map(({ uuid }) => uuid))
  const list = target.map((one, index) => {
    let place = parsed.findIndex(({ uuid }) => uuid === one.uuid)
    // An item whose id follows from its place was another one elsewhere.
    const here = parsed[index]
    if (place < 0 && parsed.length === target.length && here && !wanted.has(here.uuid)) place = index
    return write(items[place], parsed[place], one, index)
  })
  statement.put(key, list.length === 0 ? undefined : list)
}

/** The id of an element of a list, which must be written where it is not the one of its place. */
export function fixPlaceId(statement: Statement, uuid: string, derived: string): void {
  if ((statement.get('uuid') ?? derived) !== uuid) statement.put('uuid', uuid)
}

export function fixNested(
  statement: Statement,
  key: string,
  parsed: object | undefined,
  target: object,
  usual: object = {},
  keepEmpty = false,
): void {
  const before = (parsed ?? usual) as { readonly [name: string]: JsonObject }
  const after = target as { readonly [name: string]: JsonObject }
  const defaults = usual as { readonly [name: string]: JsonObject }
  if (equalJson(before, after)) return
  const outer = new Statement(statement.get(key))
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const inner = own(after, name)
    const was = own(before, name)
    if (inner === undefined) outer.put(name, undefined)
    else if (!equalJson(was, inner)) {
      const fixed = fixParams(outer.get(name), was, inner, own(defaults, name))
      if (keepEmpty) outer.put(name, fixed)
      else outer.putObject(name, fixed)
    }
  }
  statement.putObject(key, outer.json)
}

const IPOLICY_KEYS = ['minmax', 'std', 'disk-templates', 'vcpu-ratio', 'spindle-ratio'] as const

export function fixIPolicy(
  statement: Statement,
  parsed: object | undefined,
  target: object,
  usual: JsonObject = {},
): void {
  const before = (parsed ?? usual) as JsonObject
  const after = target as JsonObject
  if (equalJson(before, after)) return
  const inner = new Statement(statement.get('ipolicy'))
  for (const key of IPOLICY_KEYS) {
    if (equalJson(before[key], after[key])) continue
    inner.put(key, equalJson(after[key], usual[key]) ? undefined : after[key])
    if (key !== 'minmax') continue
    // An older way to say the same.
    inner.put('min', undefined)
    inner.put('max', undefined)
  }
  statement.putObject('ipolicy', inner.json)
}
