/** The guest operating systems of a YAML file: an object by name, or a list of names and objects. */
import { isJsonObject, type Json } from '../../../../json/json.ts'
import { OS_API_VERSION, type Os } from '../../../../model/os.ts'
import { RecordReader } from '../../records/record-reader.ts'
import type { Identities } from '../../records/unique-ids.ts'
import { keysOf } from './yaml-keys.ts'

/** @param root the outermost object, which has them under `os` */
export function readOses(root: RecordReader, identities: Identities): readonly Os[] {
  const value = root.value('os')
  if (!Array.isArray(value))
    return [...root.child('os').children()].map((fields) => readOs(fields, fields.key))
  const list = root.at('os')
  return value.map((item: Json, index: number) => {
    const fields = new RecordReader(isJsonObject(item) ? item : { name: item }, list, index, root.problems)
    const os = readOs(fields, fields.text('name'))
    if (os.name !== '') identities.claim(fields, `os ${os.name}`, 'os')
    return os
  })
}

function readOs(fields: RecordReader, name: string): Os {
  const parameters = fields.child('parameters')
  const versions = fields.list('api_versions')
  if (!versions.every(Number.isInteger))
    fields.addProblem('api_versions', 'api_versions must be whole numbers')
  const os = {
    name,
    variants: fields.texts('variants'),
    valid: fields.flagOr('valid', true),
    api_versions: versions.length > 0 ? (versions as readonly number[]) : [OS_API_VERSION],
    parameters: parameters.keys().map((parameter) => [parameter, parameters.textOr(parameter, '')]),
  }
  fields.rejectUnknownKeysOf(keysOf('os'))
  return os
}
