import type { Limits } from "../../../runtime/index.ts";
import type { ContentStore, PieceStore, Store } from "../../store/store.ts";
import { type AccessoryContents, createAccessoryContents } from "../accessory-contents.ts";
import { createTurns } from "../turns.ts";
import { type Collector, createCollector } from "./collector.ts";
import { createFiles } from "./create-files.ts";
import { createFileLinks, type FileLinks } from "./file-links.ts";
import type { FileService } from "./file-service.ts";
import { createRunFiles, type RunFiles } from "./run-files.ts";
import { UnderWay } from "./under-way.ts";

/** What files stand on. */
export interface FilesOptions {
  readonly store: Store;
  readonly contents: ContentStore;
  readonly pieces: PieceStore;
  readonly limits: Limits;
  /** What signed links begin with; null = where the server listens. */
  readonly publicUrl: string | null;
  readonly report: (error: unknown) => void;
  /** True while a backup is taken: nothing is removed. */
  readonly isHeld: () => boolean;
}

/** Everything about files of one server, accessories included. */
export interface Files {
  readonly service: FileService;
  readonly runFiles: RunFiles;
  readonly links: FileLinks;
  readonly collector: Collector;
  readonly accessories: AccessoryContents;
}

/** Puts service, runs' files and collector together. */
export async function composeFiles(options: FilesOptions): Promise<Files> {
  const { store, publicUrl } = options;
  const inTurn = createTurns();
  const shared = { ...options, inTurn, underWay: new UnderWay() };
  const runFiles = createRunFiles({ ...shared, collector: () => collector });
  const collector = createCollector(shared);
  const links = await createFileLinks(store, publicUrl);
  const accessories = createAccessoryContents(shared);
  return { service: createFiles({ ...shared, links, collector }), runFiles, links, collector, accessories };
}
