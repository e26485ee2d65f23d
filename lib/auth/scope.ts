/**
 * What a request may reach, if the words of the users file that allow it end in
 * selectors. The backend keeps to it (lib/backend/scoped/).
 */
import type { Selector } from './selectors.ts'

/** Kinds of objects that users see only some of. */
export type ScopedKind = 'instance' | 'job' | 'node'

export interface Scope {
  readonly user: string
  /**
   * One of the selectors in each list must select an object. There is a list for each permission that is needed and
   * is only granted with selectors.
   */
  readonly within: readonly (readonly Selector[])[]
  /** All selectors of the user: a new name or tag must not change whether they select what gets it. */
  readonly selectors: readonly Selector[]
  /**
   * A list for each permission that the user only has with selectors, one of which must select an object: a move must
   * not make more of these hold.
   */
  readonly limits: readonly (readonly Selector[])[]
  /** By which objects of a kind the user sees, with any word; undefined for all. */
  sees(kind: ScopedKind): readonly Selector[] | undefined
}
