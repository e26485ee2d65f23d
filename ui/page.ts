/** What a view is given, and what it is. */
import type { Cluster } from './cluster.ts'
import type { Child } from './h.ts'
import type { Session } from './session.ts'
import type { Store } from './store.ts'

export interface Page {
  readonly session: Session
  readonly store: Store
  readonly cluster: Cluster
  /** Draws again, soon. */
  readonly redraw: () => void
}

export interface View {
  readonly title: string
  /** Draws what is known now; called again whenever something that it has read changes. */
  readonly draw: () => Child
  /** Called when another view is shown. */
  readonly close?: () => void
}

/** Makes the view of a place: what follows the name of the view in the address, decoded, and what follows a question mark. */
export type MakeView = (page: Page, names: readonly string[], query: URLSearchParams) => View
