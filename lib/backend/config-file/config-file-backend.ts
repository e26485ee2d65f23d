/**
 * The backend that answers from a file, as read into a Config. Where the
 * answer lies outside the file, it is the one that Ganeti's master daemon
 * would give if no node could be reached.
 */
import { Failure } from '../../failure.ts'
import type { Config } from '../../model/config.ts'
import type { Backend, TagKind } from '../backend.ts'
import { clusterInfo } from './cluster-info.ts'
import { findHost, findNamed } from './lookup.ts'
import { query, queryFields, queryRows } from './query.ts'

/** @param current gives the newest Config; a new object means that something may have changed */
export function configFileBackend(current: () => Config): Backend {
  let seen = current()
  let generation = 1
  return {
    get generation() {
      const config = current()
      if (config !== seen) generation++
      seen = config
      return generation
    },
    queryClusterInfo: async () => clusterInfo(current()),
    queryTags: async (kind, name) => [...tagsOf(current(), kind, name)].sort(),
    queryInstances: (names, fields) => queryRows(current(), 'instance', names, fields),
    queryNodes: (names, fields) => queryRows(current(), 'node', names, fields),
    queryGroups: (names, fields) => queryRows(current(), 'group', names, fields),
    queryNetworks: (names, fields) => queryRows(current(), 'network', names, fields),
    queryJobs: (ids, fields) => queryRows(current(), 'job', ids, fields),
    queryFilters: (uuids, fields) => queryRows(current(), 'filter', uuids, fields),
    query: (what, fields, filter) => query(current(), what, fields, filter),
    queryFields: async (what, fields) => queryFields(what, fields),
    submitJob: noJobs,
    cancelJob: noJobs,
    replaceFilter: noJobs,
    deleteFilter: noJobs,
    waitForJobChange: async (id) => {
      throw new Failure('not-found', `Job ${id} not found`)
    },
    close: async () => {},
  }
}

/** How whatever needs the job queue is refused. */
async function noJobs(): Promise<never> {
  throw new Failure('unavailable', 'No job can be taken: cluster state is read from a file')
}

function tagsOf(
  { cluster, instances, networks, nodes, groups }: Config,
  kind: TagKind,
  name: string,
): readonly string[] {
  switch (kind) {
    case 'cluster':
      return cluster.tags
    case 'instance':
      return findHost('Instance', instances, name).tags
    case 'network':
      return findNamed('Network', networks, name).tags
    case 'node':
      return findHost('Node', nodes, name).tags
    case 'nodegroup':
      return findNamed('NodeGroup', groups, name).tags
  }
}
