/** Where an actor of ours decides otherwise than the program it stands for, and stays so. */
export interface Deviation {
  /** The actor: `scheduler`, `preemption`, `hpa`, `keda`, `promql`, `quantities`, … */
  readonly area: string
  /** What ours does. */
  readonly ours: string
  /** What upstream does. */
  readonly upstream: string
  /** Why it is left so. */
  readonly why: string
  /** The upstream source that decides it: `pkg/scheduler/schedule_one.go`. */
  readonly file: string
}

/** All that are known, by area. An oracle that finds another adds it here, or the actor is mended. `docs/reference/parity.md` prints them. */
export const deviations: readonly Deviation[] = [
  {
    area: 'scheduler',
    ours: 'draws uniformly, from the seed, among nodes of equal score',
    upstream: 'takes the one that a heap has on top, which depends on the order in which parallel filters finished',
    why: 'the order is a race of threads; the set drawn from is the same',
    file: 'pkg/scheduler/schedule_one.go newSortedNodeScores',
  },
  {
    area: 'scheduler',
    ours: 'takes volumes of in-tree plugins (`awsElasticBlockStore`, `gcePersistentDisk`, …) as they are, on every node',
    upstream:
      'counts and places them as volumes of the CSI drivers that took over, where the annotation of the CSINode says so',
    why: 'classes name the CSI drivers themselves today, and nodes here have no CSINode unless the manifests hold one',
    file: 'k8s.io/csi-translation-lib/translate.go',
  },
  {
    area: 'scheduler',
    ours: 'does not ask how much room a CSI driver with `storageCapacity` has as long as there is no CSIStorageCapacity object at all',
    upstream: 'makes no volume of a driver that says so and has published nothing',
    why: 'the provisioner beside a driver publishes them, and the simulated one makes volumes without end',
    file: 'pkg/scheduler/framework/plugins/volumebinding/binder.go hasEnoughCapacity',
  },
  {
    area: 'preemption',
    ours: 'orders victims of equal priority and start by when they came to the node',
    upstream: 'orders them by an unstable sort',
    why: 'upstream may come to either; the number and the priorities of the victims are the same',
    file: 'pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go SelectVictimsOnNode',
  },
  {
    area: 'quantities',
    ours: 'rounds the value of a negative quantity away from zero',
    upstream:
      'rounds it away from zero, or one further towards zero and past it: `-0.5n` has the value 1; beyond -2^63 billionths it overflows',
    why: 'no object that is valid holds a negative quantity',
    file: 'k8s.io/apimachinery/pkg/api/resource/scale_int.go scaledValue',
  },
  {
    area: 'quantities',
    ours: 'gives values as numbers, exact to 2^53',
    upstream: 'gives 64-bit integers',
    why: '8 PiB are more than any node has; sums and comparisons are exact at any size',
    file: 'k8s.io/apimachinery/pkg/api/resource/quantity.go Value',
  },
  {
    area: 'kubectl apply',
    ours: 'adds an item that was applied before and that somebody deleted as the manifest has it',
    upstream: 'adds it together with the deletions meant for its fields, as `volumeMounts: [{mountPath: /a}]`',
    why: 'upstream’s result is refused by the server or means nothing; who deletes what is applied gets the manifest here',
    file: 'k8s.io/apimachinery/pkg/util/strategicpatch/patch.go mergeMap',
  },
  {
    area: 'promql',
    ours: 'prints bytes that are no UTF-8 in error messages otherwise',
    upstream: 'prints them as Go escapes them',
    why: 'strings of JavaScript cannot hold them; of 10,000 damaged expressions, all refused by both, 45 are refused in other words',
    file: 'promql/parser/lex.go',
  },
  {
    area: 'keda',
    ours: 'takes the minimum of numbers of both sorts, `min(1, 2.5)`',
    upstream: 'ends with an error: the first is an integer, the second is not',
    why: 'values of triggers are never integers; only a formula with two literals meets it',
    file: 'github.com/expr-lang/expr, as pkg/scaling/modifiers uses it',
  },
]
