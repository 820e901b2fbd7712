// The process of one import, see ingest-process.ts. It may write nowhere but beside its target, so it keeps no compile cache.
const { serveImport } = await import("./ingest-process.ts");
serveImport();
