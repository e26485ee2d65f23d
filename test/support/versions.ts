/** Versions of Ganeti to test with. */
import { type Version, versionFrom } from '../../lib/model/version.ts'

export const GANETI_3_0 = versionFrom('3.0.2') as Version
export const GANETI_3_1 = versionFrom('3.1.0~rc2') as Version
