import { WorkflowError } from "../../errors.ts";
import { layoutOf } from "../layout.ts";
import type { DatastoreSchema } from "../types.ts";
import type { Batch, Batches } from "./batch.ts";
import { addKinds } from "./column-kinds.ts";
import { embedRows } from "./embed-rows.ts";
import { type Plan, planSchema } from "./plan.ts";
import { badInput, type Place } from "./problem.ts";
import { type EncodedRow, type Misfit, RowEncoder } from "./row-encoder.ts";
import type { DeclaredSchema, Format, IngestLimits, IngestOptions, IngestProgress, IngestReport } from "./types.ts";

/** Where encoded rows go; see `Writer`. */
export interface RowTarget {
  add(row: EncodedRow): void;
  finish(): { readonly rows: number };
  abort(): void;
}

/** What loading a file needs. */
export interface Loading {
  readonly format: Format;
  readonly parser: Batches;
  readonly declared: DeclaredSchema;
  readonly options: IngestOptions;
  readonly limits: IngestLimits;
  /** Of the file. */
  readonly totalBytes: number;
  /** Begins the new file. */
  open(schema: DatastoreSchema): RowTarget;
  embed(texts: readonly string[]): Promise<readonly (readonly number[])[]>;
  progress(progress: IngestProgress): void;
}

/** Bytes of a file, and rows, after which the types of its columns are taken for known until a value says otherwise. */
const SAMPLE_BYTES = 4 * 1024 * 1024;
const SAMPLE_ROWS = 20_000;
const MAX_WARNINGS = 100;

const isMisfit = (result: EncodedRow | Misfit): result is Misfit => "complaint" in result;

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Columns and kinds of values that were seen. */
class Survey {
  columns: readonly string[];
  readonly kinds: number[] = [];

  constructor(columns: readonly string[]) {
    this.columns = columns;
  }

  add(batch: Batch, lexical: boolean): void {
    this.columns = batch.columns;
    addKinds(this.kinds, batch.rows, lexical);
  }
}

/**
 * Reads a file into a new datastore file. The types of columns come from the first megabytes; should a later value not
 * fit, all of the file is looked at and then read anew, so the outcome never depends on the order of its records.
 */
export class Load {
  readonly #loading: Loading;
  readonly #survey: Survey;
  #encoder: { readonly plan: Plan; readonly encoder: RowEncoder } | null = null;
  #rows = 0;
  #chars = 0;

  constructor(loading: Loading) {
    this.#loading = loading;
    this.#survey = new Survey((loading.parser.columns ?? []).map(({ name }) => name));
  }

  async run(): Promise<IngestReport> {
    const { vector } = this.#loading.declared;
    // What a model is asked for is paid for: it sees nothing before all types are known.
    const asksModel = vector != null && vector.source !== "data";
    const iterator = this.#loading.parser[Symbol.asyncIterator]();
    const first = asksModel ? await this.#surveyRest(iterator) : await this.#speculate(iterator);
    if (first !== null) return first;
    this.#rows = 0;
    this.#chars = 0;
    const plan = this.#plan();
    const target = this.#loading.open(plan.schema);
    return this.#abortOnError(target, async () => {
      for await (const batch of this.#loading.parser) await this.#write(target, plan, batch, true);
      return this.#finish(target, plan);
    });
  }

  /** Reads once; null when a later value showed that the first ones told too little. The survey is then complete. */
  async #speculate(iterator: AsyncIterator<Batch>): Promise<IngestReport | null> {
    const { parser } = this.#loading;
    const sample: Batch[] = [];
    let rows = 0;
    let whole = false;
    while (!whole && rows < SAMPLE_ROWS && (sample.at(-1)?.bytes ?? 0) < SAMPLE_BYTES) {
      const { value, done } = await iterator.next();
      if (done === true) whole = true;
      else {
        sample.push(value);
        rows += value.rows.length;
        this.#survey.add(value, parser.lexical);
      }
    }
    const plan = this.#plan();
    const target = this.#loading.open(plan.schema);
    return this.#abortOnError(target, async () => {
      for (const batch of sample.splice(0))
        if (!(await this.#write(target, plan, batch, whole))) return this.#startOver(target, iterator);
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) return this.#finish(target, plan);
        if (await this.#write(target, plan, value, false)) continue;
        this.#survey.add(value, parser.lexical);
        return this.#startOver(target, iterator);
      }
    });
  }

  #startOver(target: RowTarget, iterator: AsyncIterator<Batch>): Promise<null> {
    target.abort();
    return this.#surveyRest(iterator);
  }

  /** Looks at what is left of the file and writes nothing. */
  async #surveyRest(iterator: AsyncIterator<Batch>): Promise<null> {
    for (;;) {
      const { value, done } = await iterator.next();
      if (done === true) return null;
      this.#survey.add(value, this.#loading.parser.lexical);
      this.#report("reading", value.bytes);
      await turn();
    }
  }

  #plan(): Plan {
    const { declared, format, parser, limits } = this.#loading;
    const { columns, kinds } = this.#survey;
    return planSchema(declared, { format, columns, kinds }, parser, limits);
  }

  #encoderFor(plan: Plan): RowEncoder {
    if (this.#encoder?.plan !== plan) {
      const { format, parser, limits } = this.#loading;
      const settings = { format, plan, layout: layoutOf(plan.schema), parser, limits };
      this.#encoder = { plan, encoder: new RowEncoder(settings, this.#survey.columns) };
    }
    return this.#encoder.encoder;
  }

  /** Writes a batch; false when a value does not fit but might fit another type. `final`: then it is an error as well. */
  async #write(target: RowTarget, plan: Plan, batch: Batch, final: boolean): Promise<boolean> {
    const encoder = this.#encoderFor(plan);
    if (!encoder.covers(batch.columns)) return false;
    const { vector } = plan.schema;
    // Rows go to the target one by one, so that they are short-lived, unless a model has to see them first.
    const held: EncodedRow[] | null = vector !== null && vector.source !== "data" ? [] : null;
    for (const [at, row] of batch.rows.entries()) {
      const encoded = encoder.encode(row, this.#rows + at + 1);
      if (isMisfit(encoded)) {
        if (final || encoded.certain) throw this.#refuse(encoded, batch.locate(at));
        return false;
      }
      this.#chars += encoded.chars;
      if (held === null) target.add(encoded);
      else held.push(encoded);
    }
    this.#checkSize(batch);
    if (held !== null) await this.#embed(held, target, plan, batch.bytes);
    this.#rows += batch.rows.length;
    this.#report("reading", batch.bytes);
    await turn();
    return true;
  }

  async #embed(rows: readonly EncodedRow[], target: RowTarget, { schema }: Plan, bytes: number): Promise<void> {
    this.#report("waiting", bytes);
    for (const row of await embedRows(rows, schema, (texts) => this.#loading.embed(texts))) target.add(row);
  }

  #refuse({ column, complaint }: Misfit, place: Place): Error {
    return badInput(column === null ? place : { ...place, column }, complaint);
  }

  #checkSize(batch: Batch): void {
    const { maxDatastoreBytes } = this.#loading.limits;
    if (this.#chars <= maxDatastoreBytes) return;
    const limit = { name: "maxDatastoreBytes", value: maxDatastoreBytes };
    throw badInput(batch.locate(batch.rows.length - 1), {
      problem: "the records up to here are too many for a datastore",
      limit,
    });
  }

  async #finish(target: RowTarget, plan: Plan): Promise<IngestReport> {
    const { totalBytes, parser } = this.#loading;
    this.#report("indexing", totalBytes);
    await turn();
    try {
      const { rows } = target.finish();
      const none = rows === 0 ? ["The file has no records."] : [];
      const warnings = [...new Set([...none, ...parser.warnings, ...plan.remarks])].slice(0, MAX_WARNINGS);
      return { schema: plan.schema, rows, bytes: totalBytes, warnings };
    } catch (thrown) {
      throw await this.#located(thrown);
    }
  }

  /** An error about two records with the same id, with their places in the file. */
  async #located(thrown: unknown): Promise<unknown> {
    if (!(thrown instanceof WorkflowError)) return thrown;
    const { record, first, field, value } = thrown.details;
    if (typeof record !== "number" || typeof first !== "number") return thrown;
    const [before, again] = await this.#places(first, record);
    if (before === undefined || again === undefined) return thrown;
    const where = before.line === undefined ? `row ${before.row}` : `line ${before.line}`;
    const place = typeof field === "string" ? { ...again, column: field } : again;
    const problem = `expected an id of its own, ${where} has the same`;
    return badInput(place, { problem, value, facts: { firstLine: before.line, firstRow: before.row } });
  }

  async #places(...records: readonly number[]): Promise<readonly (Place | undefined)[]> {
    const places: (Place | undefined)[] = records.map(() => undefined);
    let before = 0;
    for await (const batch of this.#loading.parser) {
      for (const [at, record] of records.entries()) {
        const index = record - 1 - before;
        if (index >= 0 && index < batch.rows.length) places[at] = batch.locate(index);
      }
      before += batch.rows.length;
      if (places.every((place) => place !== undefined)) break;
    }
    return places;
  }

  async #abortOnError<T>(target: RowTarget, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      target.abort();
      throw thrown;
    }
  }

  #report(phase: IngestProgress["phase"], bytes: number): void {
    this.#loading.progress({ phase, bytes, totalBytes: this.#loading.totalBytes, rows: this.#rows });
  }
}
