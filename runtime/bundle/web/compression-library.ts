// biome-ignore lint/performance/noBarrelFile: owner of the package; bundled once, as one module
export { Deflate, Gunzip, Gzip, Inflate, Unzlib, Zlib } from "fflate";
