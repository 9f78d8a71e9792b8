import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Linked, LinkedList } from './linked-list.ts'

interface Thing extends Linked<Thing> {
  readonly id: number
}

it('is in order what a Set is, and keeps hold of nothing that left', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(9), { nil: undefined }), { maxLength: 40 }), (steps) => {
      const list = new LinkedList<Thing>()
      const set = new Set<Thing>()
      for (const [id, leaving] of steps.entries()) {
        const thing = leaving === undefined ? undefined : [...set][leaving]
        if (thing) {
          list.remove(thing)
          set.delete(thing)
          expect([thing.before, thing.after]).toEqual([undefined, undefined])
        } else {
          const came: Thing = { id, before: undefined, after: undefined }
          list.add(came)
          set.add(came)
        }
        expect(list.toArray().map((one) => one.id)).toEqual([...set].map((one) => one.id))
        expect([list.size, list.first]).toEqual([set.size, [...set][0]])
      }
    }),
  )
})
