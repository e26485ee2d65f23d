/**
 * The backend of a node that is not the master: nothing can be asked, and
 * nothing changed. What an older state can answer is answered from that.
 */
import { Failure } from '../failure.ts'
import type { Version } from '../model/version.ts'
import type { Backend } from './backend.ts'

/** @param version gives the version of the cluster, if it is known */
export function standbyBackend(version: () => Version | undefined): Backend {
  const away = async () => {
    throw new Failure('no-master', 'This is not the master node, and the master node cannot be reached')
  }
  return {
    generation: null,
    get knownVersion() {
      return version()
    },
    version: async () => version() ?? away(),
    queryClusterInfo: away,
    queryTags: away,
    queryInstances: away,
    queryNodes: away,
    queryGroups: away,
    queryNetworks: away,
    queryJobs: away,
    queryFilters: away,
    query: away,
    queryFields: away,
    submitJob: away,
    waitForJobChange: away,
    cancelJob: away,
    replaceFilter: away,
    deleteFilter: away,
    close: async () => {},
  }
}
