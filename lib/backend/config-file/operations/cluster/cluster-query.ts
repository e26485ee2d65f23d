import { clusterInfo } from '../../query/fields/cluster-info.ts'
import { operation } from '../shared/run.ts'

/** Everything about the cluster itself, as LUXI's QueryClusterInfo has it. */
export const clusterQuery = operation((run) => run.done({}, clusterInfo(run.config)))
