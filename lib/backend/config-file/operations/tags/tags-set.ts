import { newTags } from '../shared/new-tags.ts'
import { operation } from '../shared/run.ts'
import { listedTags, taggedOf } from './tags.ts'

/** Adds tags to an object; those it has already stay as they are. */
export const tagsSet = operation((run) => {
  const object = taggedOf(run)
  // What is there already may be more than is allowed today.
  const added = newTags(listedTags(run))
  const tags = newTags([...object.tags, ...added])
  return run.isDry ? run.dryRun() : run.done(object.withTags(tags))
})
