/**
 * Whether a guest OS can be put on an instance, by what the file says of OSes.
 * Where it says nothing, every OS is accepted, and so is every parameter of
 * an OS of which it names none.
 */
import type { JsonObject } from '../../../../json/json.ts'
import type { Node } from '../../../../model/node.ts'
import { nameWithoutVariant, type Os } from '../../../../model/os.ts'
import { failure, prerequisite } from './operation.ts'
import type { Run } from './run.ts'

/**
 * Checks an OS with its variant and parameters, as the nodes would.
 * @param nodes those that are vm_capable are asked
 * @throws OpError OpExecError, as Ganeti lets the nodes' answer through
 */
export function checkOs(run: Run, name: string | null, params: JsonObject, nodes: readonly Node[]): void {
  const [node] = nodes.filter((one) => one.vm_capable)
  const { oses } = run.config
  if (!name || !node || !oses?.length) return
  const fault = osFault(oses, name, params, run.flag('force_variant'))
  if (fault !== undefined) throw failure(`OS Parameters validation failed on node ${node.name}: ${fault}`)
}

/** What is wrong with an OS that is not there. */
export function osMissing(oses: readonly Os[] | undefined, name: string): string | undefined {
  if (!oses?.length || oses.some((one) => one.name === nameWithoutVariant(name))) return undefined
  return `Directory for OS ${nameWithoutVariant(name)} not found in search path`
}

/** What is wrong with an OS, its variant (unless any will do) or its parameters. */
export function osFault(
  oses: readonly Os[],
  name: string,
  params: JsonObject,
  anyVariant: boolean,
): string | undefined {
  const missing = osMissing(oses, name)
  const os = oses.find((one) => one.name === nameWithoutVariant(name))
  if (missing !== undefined || !os) return missing
  if (!os.valid) return `OS ${os.name} is invalid`
  if (!anyVariant) {
    const variant = variantOf(name)
    if (os.variants.length === 0 && variant !== '') {
      return `OS '${os.name}' does not support variants ('${variant}' passed)`
    }
    if (os.variants.length > 0 && variant === '') return `OS name '${name}' must include a variant`
    if (os.variants.length > 0 && !os.variants.includes(variant)) {
      return `OS '${os.name}' does not support variant '${variant}'`
    }
  }
  const known = Array.isArray(os.parameters) ? os.parameters.map((one) => String(one?.[0])) : []
  const unknown = Object.keys(params).filter((parameter) => !known.includes(parameter))
  return known.length > 0 && unknown.length > 0
    ? `The following parameters are not supported by the OS ${os.name}: ${unknown.join(', ')}`
    : undefined
}

/**
 * The image that an instance's disks are to be filled from, if any.
 * @throws OpError where it is neither a path nor a URL
 */
export function osImage(params: JsonObject): string | null {
  const image = params['os-image']
  if (typeof image !== 'string') return null
  if (image.startsWith('/') || /^(https?|ftps?|tftp):\/\//.test(image)) return image
  throw prerequisite('OS image must be an absolute path or a URL', 'wrong_input')
}

/** Parameters of an OS are text, whatever a client sent. */
export function textValues(params: JsonObject): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]))
}

function variantOf(name: string): string {
  const at = name.indexOf('+')
  return at < 0 ? '' : name.slice(at + 1)
}
