/**
 * Bodies of requests about instances that have a form of their own, and requests
 * of old clients, which put into the query string what is now in the body.
 */
import { Failure } from '../../failure.ts'
import { isJsonObject, type Json, type JsonObject } from '../../json/json.ts'
import { boolean, matching, type Schema } from '../../model/check.ts'
import { OP_INSTANCE_REINSTALL } from '../../model/opcodes/instance.ts'
import { bodyObject, expectType } from '../expect-type.ts'
import { type JobBody, parameterSchema } from '../job-body.ts'
import { parsePythonInteger, type QueryString } from '../query-string.ts'

/** A request for a new instance; it must say that it has version 1, the only one so far. */
export const creation: JobBody<unknown> = {
  read: ({ body }) => creationIn(body),
  describe: (own) => ({
    schema: {
      ...own,
      properties: { __version__: { const: 1, description: 'Version of the request.' }, ...own.properties },
      required: ['__version__', ...own.required],
    },
    required: true,
  }),
}

/** @throws Failure `invalid` unless the request has version 1 */
function creationIn(body: Json | undefined): JsonObject {
  const { __version__ = 0, ...said } = bodyObject(body)
  if (__version__ === 0) {
    throw new Failure('invalid', 'Instance creation request version 0 is no longer supported')
  }
  if (__version__ !== 1) {
    const version = __version__ === null ? 'None' : String(__version__)
    throw new Failure('invalid', `Unsupported request data version ${version}`)
  }
  return withUsbDevices(said)
}

/** `usb_devices` may be separated by spaces, as on the command line; opcodes have commas (_ConvertUsbDevices, rlib2.py). */
export function withUsbDevices(said: JsonObject): JsonObject {
  const { hvparams } = said
  if (!isJsonObject(hvparams) || typeof hvparams.usb_devices !== 'string') return said
  return { ...said, hvparams: { ...hvparams, usb_devices: hvparams.usb_devices.replaceAll(' ', ',') } }
}

/**
 * The parameters of a request for a reinstallation.
 * @throws Failure `invalid` if both body and query string have parameters
 */
export function reinstallation(
  body: Json | undefined,
  query: QueryString,
): { readonly os_type: Json; readonly osparams: Json; readonly start: boolean } {
  const oldStyle = query.first('os') !== undefined || query.first('nostartup') !== undefined
  if (isEmpty(body)) {
    return { os_type: query.first('os') ?? null, osparams: null, start: !query.flag('nostartup') }
  }
  if (oldStyle) throw new Failure('invalid', "Can't combine query and body parameters")
  if (!isJsonObject(body)) throw new Failure('invalid', 'Invalid body contents, not a dictionary')
  const { os = null, osparams = null, start = true } = body
  return { os_type: os, osparams, start: expectType(start, 'bool', "'start' parameter") }
}

/** The schema of such a body; it may hold anything else, which is ignored. */
export const reinstallationSchema: Schema = {
  type: 'object',
  properties: {
    os: parameterSchema(OP_INSTANCE_REINSTALL.parameters.os_type),
    osparams: parameterSchema(OP_INSTANCE_REINSTALL.parameters.osparams),
    start: { ...boolean.schema, description: 'Whether to start it afterwards.', default: true },
    depends: parameterSchema(OP_INSTANCE_REINSTALL.parameters.depends),
  },
}

/** A request to replace disks. */
export const replacement: JobBody<unknown> = {
  read: ({ body, query }) => replacementIn(body, query),
  describe: (own) => {
    const { description = '', ...numbers } = own.properties.disks ?? {}
    const disks = { anyOf: [numbers, listOfNumbers.schema], description }
    // An old client sends the parameters in the query string, and no body.
    return { schema: { ...own, properties: { ...own.properties, disks } }, required: false }
  },
}

/** Numbers of disks as a text. */
export const listOfNumbers = matching(/^\s*([0-9]|1[0-5])\s*(,\s*([0-9]|1[0-5])\s*)*$/)

/** @throws Failure `invalid` if the disks are neither numbers nor a text of numbers */
function replacementIn(body: Json | undefined, query: QueryString): JsonObject {
  const { disks = null, ...others } = isEmpty(body) ? oldReplacement(query) : bodyObject(body)
  return isEmpty(disks) ? others : { ...others, disks: diskNumbers(disks) }
}

function oldReplacement(query: QueryString): JsonObject {
  const names = ['remote_node', 'mode', 'disks', 'iallocator']
  return Object.fromEntries(names.map((name) => [name, query.first(name) ?? null]))
}

/** Disks from `[0, 1]` or `"0, 1"`. */
function diskNumbers(disks: Json): Json {
  if (typeof disks !== 'string') return disks
  return disks.split(',').map((text) => {
    const number = parsePythonInteger(text)
    if (number === undefined) {
      const reason = `invalid literal for int() with base 10: '${text}'`
      throw new Failure('invalid', `Invalid disk index passed: ${reason}`)
    }
    return number
  })
}

/** Whether a value is false in Python. */
function isEmpty(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
