/** What can stand in one `LinkedList` at a time; both fields are the list's. */
export interface Linked<T> {
  before: T | undefined
  after: T | undefined
}

/**
 * Things in the order in which they came, any of which can leave at once. What has left is held by nothing and holds nothing: a Map that
 * many things pass through keeps them longer, because its outgrown tables hold what they had and each other, and so survive young collections.
 */
export class LinkedList<T extends Linked<T>> {
  size = 0
  first: T | undefined
  private last: T | undefined

  /** At the end. It must not stand in a list already. */
  add(thing: T): void {
    const { last } = this
    thing.before = last
    if (last) last.after = thing
    else this.first = thing
    this.last = thing
    this.size++
  }

  /** It must stand in this list. */
  remove(thing: T): void {
    const { before, after } = thing
    if (before) before.after = after
    else this.first = after
    if (after) after.before = before
    else this.last = before
    thing.before = thing.after = undefined
    this.size--
  }

  toArray(): T[] {
    const things: T[] = []
    for (let thing = this.first; thing; thing = thing.after) things.push(thing)
    return things
  }
}
