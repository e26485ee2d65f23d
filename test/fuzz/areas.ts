import { DaemonRoot } from '../support/daemon-root.ts'
import type { Area } from './area.ts'
import { editsArea } from './edits-area.ts'
import { jsonArea, requestArea } from './http-area.ts'
import { luxiArea } from './luxi-area.ts'
import { tlsArea } from './tls-area.ts'
import { usersArea } from './users-area.ts'

export interface AreaEntry {
  readonly name: string
  /** @param folder an empty one, to work in */
  // biome-ignore lint/suspicious/noExplicitAny: what a case is, is the area's own business
  open(folder: string): Promise<Area<any>>
}

export const AREAS: readonly AreaEntry[] = [
  { name: 'requests', open: (folder) => requestArea(new DaemonRoot(folder)) },
  { name: 'json', open: (folder) => jsonArea(new DaemonRoot(folder)) },
  { name: 'tls', open: (folder) => tlsArea(new DaemonRoot(folder)) },
  { name: 'users', open: () => usersArea() },
  { name: 'luxi', open: () => luxiArea() },
  { name: 'edits', open: () => editsArea() },
]
