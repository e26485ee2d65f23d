/**
 * Which Ganeti a cluster runs. Parameters of opcodes, fields, resources and
 * defaults come and go from one release to the next; each says itself from
 * which release on it is there, and this is how that is compared.
 */

export interface Version {
  /** As Ganeti writes it, e.g. `3.1.0~rc2`. */
  readonly text: string
  /** Major and minor number as Ganeti counts them in its files and protocols: 3010000 is 3.1. */
  readonly number: number
}

/** A release: the first two numbers of its versions. */
export type Release = '3.0' | '3.1' | '3.2'

/** The last version of each release that this daemon was compared with, or was read about. */
const KNOWN: { readonly [release in Release]: string } = { '3.0': '3.0.2', '3.1': '3.1.0', '3.2': '3.2.0' }

/** The first one whose files can be read. */
export const OLDEST = versionFrom('2.6') as Version
/** What a cluster runs that does not say what it runs. */
export const NEWEST = versionFrom(KNOWN['3.2']) as Version

/**
 * Reads a version as Ganeti or a person writes it: `3.1.0~rc2`, or the release alone.
 * @returns undefined where it is none
 */
export function versionFrom(text: string): Version | undefined {
  const [, release = '', major, minor, patch] = /^((\d{1,3})\.(\d{1,2}))(\.\d+\S*)?$/.exec(text) ?? []
  if (major === undefined) return undefined
  const number = Number(major) * 1_000_000 + Number(minor) * 10_000
  return { text: patch === undefined ? lastOf(release) : text, number }
}

/**
 * The release that a configuration is of.
 * @param number as it stands in `config.data`, e.g. 3010000
 */
export function releaseOfConfig(number: number): string {
  return `${Math.floor(number / 1_000_000)}.${Math.floor(number / 10_000) % 100}`
}

/** As `releaseOfConfig`, as a version: the last one of that release that is known. */
export function versionOfConfig(number: number): Version {
  return versionFrom(releaseOfConfig(number)) as Version
}

function lastOf(release: string): string {
  return KNOWN[release as Release] ?? `${release}.0`
}

/** Whether a version is of a release or of a later one. */
export function isSince(version: Version, release: Release): boolean {
  return version.number >= (versionFrom(release) as Version).number
}

/** Whether a version is of a release that came after this daemon. */
export function isUnknown(version: Version): boolean {
  return version.number > NEWEST.number
}
