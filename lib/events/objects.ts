/** The names of the objects that an event, or a job, is about. */
export interface Objects {
  readonly instances: readonly string[]
  readonly nodes: readonly string[]
  readonly groups: readonly string[]
  readonly networks: readonly string[]
}

export const NO_OBJECTS: Objects = { instances: [], nodes: [], groups: [], networks: [] }
