import type { Json } from '../json.ts'

/** A guest operating system definition as the nodes report it. */
export interface Os {
  readonly name: string
  readonly variants: readonly string[]
  readonly valid: boolean
  readonly api_versions: readonly number[]
  /** Name and description of each parameter. */
  readonly parameters: Json
}
