import type { Backend } from '../backend/backend.ts'
import { ResultStatus } from '../backend/backend.ts'

/**
 * Names of the OSes that an instance can be created with, including variants
 * (`noop+default`), without invalid, hidden and blacklisted ones.
 */
export async function osNames(backend: Backend, signal: AbortSignal): Promise<readonly string[]> {
  const fields = ['name', 'variants', 'valid', 'hidden', 'blacklisted']
  const { data } = await backend.query('os', fields, null, signal)
  const names: string[] = []
  for (const cells of data) {
    const [name, variants, valid, hidden, blacklisted] = cells.map(([status, value]) =>
      status === ResultStatus.normal ? value : null,
    )
    if (valid !== true || hidden === true || blacklisted === true) continue
    if (Array.isArray(variants) && variants.length > 0) {
      for (const variant of variants) names.push(`${name}+${variant}`)
    } else {
      names.push(String(name))
    }
  }
  return names
}
