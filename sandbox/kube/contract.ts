import { afterEach, beforeEach, describe } from 'vitest'
import { describeActors } from './contract/actors.ts'
import { describeCaches } from './contract/caches.ts'
import { describeDeletion } from './contract/deletion.ts'
import { describeEviction } from './contract/eviction.ts'
import type { Place } from './contract/place.ts'
import { describeRequests } from './contract/requests.ts'
import { describeScales } from './contract/scales.ts'

export type { Place } from './contract/place.ts'

/** What every Kube does, whatever stands behind it. */
export function describeKube(name: string, makePlace: () => Promise<Place>): void {
  describe(`Kube over ${name}`, () => {
    let place: Place
    beforeEach(async () => {
      place = await makePlace()
    })
    afterEach(() => place.close())

    describeRequests(() => place)
    describeScales(() => place)
    describeDeletion(() => place)
    describeEviction(() => place)
    describeCaches(() => place)
    describeActors(() => place)
  })
}
