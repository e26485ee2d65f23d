import { newTags } from '../shared/new-tags.ts'
import { prerequisite } from '../shared/operation.ts'
import { operation } from '../shared/run.ts'
import { listedTags, taggedOf } from './tags.ts'

/** Takes tags from an object, which must have all of them. */
export const tagsDel = operation((run) => {
  const object = taggedOf(run)
  const gone = new Set(newTags(listedTags(run)))
  const borne = new Set(object.tags)
  const missing = [...gone].filter((tag) => !borne.has(tag)).sort()
  if (missing.length > 0) {
    const names = missing.map((tag) => `'${tag}'`).join(', ')
    throw prerequisite(`Tag(s) ${names} not found`, 'unknown_entity')
  }
  if (run.isDry) return run.dryRun()
  return run.done(object.withTags(object.tags.filter((tag) => !gone.has(tag))))
})
