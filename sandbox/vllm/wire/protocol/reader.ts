import { isDict, isInt, isList, type PyDict, PyFloat, type PyInt, type PyList, type PyValue } from '../python/value.ts'

/** Reads validated fields by their type. Undefined stands for an absent key and for null. */
export class Reader {
  readonly fields: PyDict

  constructor(fields: PyDict) {
    this.fields = fields
  }

  text(name: string): string | undefined {
    const value = this.fields.get(name)
    return typeof value === 'string' ? value : undefined
  }

  flag(name: string): boolean | undefined {
    const value = this.fields.get(name)
    return typeof value === 'boolean' ? value : undefined
  }

  int(name: string): PyInt | undefined {
    const value = this.fields.get(name)
    return isInt(value) ? value : undefined
  }

  float(name: string): number | undefined {
    const value = this.fields.get(name)
    return value instanceof PyFloat ? value.value : undefined
  }

  dict(name: string): PyDict | undefined {
    const value = this.fields.get(name)
    return isDict(value) ? value : undefined
  }

  list(name: string): PyList | undefined {
    const value = this.fields.get(name)
    return isList(value) ? value : undefined
  }

  ints(name: string): readonly PyInt[] | undefined {
    return this.list(name)?.filter(isInt)
  }

  texts(name: string): readonly string[] | undefined {
    return this.list(name)?.filter((value): value is string => typeof value === 'string')
  }

  dicts(name: string): readonly PyDict[] | undefined {
    return this.list(name)?.filter((value: PyValue): value is PyDict => isDict(value))
  }
}
