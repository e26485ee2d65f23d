/**
 * What disks and NICs have in common: names, and the lists of modifications
 * by which an opcode adds, changes and removes them.
 */
import { isJsonObject, type Json, type JsonObject } from '../../../../json/json.ts'
import { failure, prerequisite } from '../shared/operation.ts'

interface Device {
  readonly name: string | null
  readonly uuid: string
}

/**
 * @param kind `disk` or `NIC`
 * @param devices those that exist have a `uuid`, which is no other's name either
 * @throws OpError where a name is a number, or there twice
 */
export function checkDeviceNames(kind: string, devices: readonly Partial<Device>[]): void {
  const taken = new Set<string>()
  for (const { name, uuid } of devices) {
    if (uuid !== undefined) taken.add(uuid)
    if (name === null || name === undefined) continue
    if (/^\s*[+-]?\d+\s*$/.test(name)) {
      throw prerequisite(
        `Invalid name '${name}'. Purely numeric ${kind} names are not allowed`,
        'wrong_input',
      )
    }
    if (name.toLowerCase() === 'none') continue
    if (taken.has(name)) throw prerequisite(`${kind} name '${name}' already used`, 'resource_not_unique')
    taken.add(name)
  }
}

/** The word by which clients take a value away. */
export function orNone(value: Json | undefined): string | null {
  return typeof value !== 'string' || value.toLowerCase() === 'none' ? null : value
}

type Action = 'add' | 'attach' | 'detach' | 'modify' | 'remove'

/** One change of one device; `device` is a place, -1 for the last, or a name or UUID. */
export interface Modification {
  readonly action: Action
  readonly device: string | number
  readonly params: JsonObject
}

/**
 * Reads a list of modifications in either of Ganeti's forms: `[action, device, parameters]`, or the older
 * `[action or device, parameters]`.
 */
export function modificationsOf(kind: string, list: readonly Json[]): Modification[] {
  const read = list.map((entry) => {
    const parts = Array.isArray(entry) ? entry : []
    const params = parts.at(-1)
    const [first, second] = parts
    return {
      old: parts.length === 2,
      action: String(first) as Action,
      device: (parts.length === 2 ? first : second) as string | number,
      params: isJsonObject(params) ? params : {},
    }
  })
  if (!read[0]?.old) return read.map(({ action, device, params }) => ({ action, device, params }))
  const isAction = (word: Json) => ['add', 'attach', 'detach', 'remove'].includes(String(word))
  if (read.filter(({ action }) => isAction(action)).length > 1) {
    throw prerequisite(
      `Only one ${kind} add/attach/remove/detach operation is supported at a time`,
      'wrong_input',
    )
  }
  return read.map(({ action, device, params }) =>
    isAction(action) ? { action, device: -1, params } : { action: 'modify', device, params },
  )
}

/** @throws OpError where a modification takes a device away and has parameters */
export function checkNothingSet(kind: string, { action, params }: Modification): void {
  if ((action === 'remove' || action === 'detach') && Object.keys(params).length > 0) {
    throw prerequisite(`No settings should be passed when removing or detaching a ${kind}`, 'wrong_input')
  }
}

/** Where a device is among the others. */
export function placeOf<T extends Device>(
  kind: string,
  devices: readonly T[],
  device: string | number,
): number {
  const place = Number(device)
  if (Number.isInteger(place)) {
    const at = place === -1 ? devices.length - 1 : place
    if (at < 0 || at >= devices.length) throw noSuchPlace(kind, place, devices.length)
    return at
  }
  const found = devices.findIndex(({ name, uuid }) => uuid === device || name === device)
  if (found < 0) throw prerequisite(`Cannot find ${kind} with identifier ${device}`, 'unknown_entity')
  return found
}

/** Where a new device goes: before the one at that place, or last. */
export function placeForNew(kind: string, devices: readonly unknown[], device: string | number): number {
  const place = Number(device)
  if (!Number.isInteger(place)) throw prerequisite('Only positive integer or -1 is accepted', 'wrong_input')
  if (place === -1) return devices.length
  if (place < 0 || place > devices.length) throw noSuchPlace(kind, place, devices.length)
  return place
}

/** Ganeti lets Python's IndexError through, which a job shows as the text of an OpExecError. */
function noSuchPlace(kind: string, place: number, count: number) {
  return failure(
    place < 0
      ? 'Not accepting negative indices other than -1'
      : `Got ${kind} index ${place}, but there are only ${count}`,
  )
}
