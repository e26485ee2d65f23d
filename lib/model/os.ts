import type { Json } from '../json/json.ts'

/** The version of the interface between Ganeti and its OS definitions. */
export const OS_API_VERSION = 20

/** A guest operating system definition as the nodes report it. */
export interface Os {
  readonly name: string
  readonly variants: readonly string[]
  readonly valid: boolean
  readonly api_versions: readonly number[]
  /** Name and description of each parameter. */
  readonly parameters: Json
}

/** An OS as it is installed; instances have it with a variant behind a plus sign. */
export function nameWithoutVariant(os: string): string {
  const at = os.indexOf('+')
  return at < 0 ? os : os.slice(0, at)
}
