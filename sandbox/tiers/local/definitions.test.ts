import { expect, it } from 'vitest'
import { Deployment, HTTPRoute, type Kind, kindOf, ScaledObject } from '../../kube/kinds.ts'
import { definitionsOf } from './definitions.ts'

const isServed = (group: string) => group === 'apps'
const namesIn = (kinds: readonly Kind[]) => definitionsOf(kinds, isServed).map(({ metadata }) => metadata.name)

it('defines what the server does not serve and a definition can name', () => {
  const odd = kindOf({ apiVersion: 'nodot/v1', kind: 'Thing' })
  expect(namesIn([Deployment, ScaledObject, odd])).toEqual(['scaledobjects.keda.sh'])
})

it('one definition has all versions of a kind, and stores the first', () => {
  const older = kindOf({ apiVersion: 'gateway.networking.k8s.io/v1beta1', kind: 'HTTPRoute' })
  const made = definitionsOf([HTTPRoute, older], isServed)
  expect(made).toHaveLength(1)
  expect(made[0]).toMatchObject({
    spec: {
      names: { plural: 'httproutes', kind: 'HTTPRoute' },
      versions: [
        { name: 'v1', storage: true, subresources: { status: {} } },
        { name: 'v1beta1', storage: false },
      ],
    },
  })
})
