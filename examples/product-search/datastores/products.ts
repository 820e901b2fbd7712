// Makes the products of the example product-search: a CSV of 100,000 rows, the same each time.
//   node examples/product-search/datastores/products.ts > products.csv
//   weft deploy examples/product-search.ts --datastore products=products.csv

/** How the columns are used. */
export const definition = {
  idField: "id",
  textFields: ["name", "description"],
  filters: ["category", "brand", "price", "in_stock"],
};

const ROWS = 100_000;
const CATEGORIES: Record<string, { things: string[]; from: number; to: number }> = {
  shoes: { things: ["hiking boots", "running shoes", "sandals", "winter boots", "sneakers"], from: 25, to: 240 },
  bags: { things: ["backpack", "travel bag", "bike pannier", "messenger bag", "dry sack"], from: 15, to: 260 },
  kitchen: { things: ["cast iron pan", "chef's knife", "kettle", "coffee grinder", "mixing bowl"], from: 9, to: 190 },
  camping: { things: ["two-person tent", "sleeping bag", "camping stove", "head torch", "hammock"], from: 12, to: 480 },
  audio: { things: ["headphones", "earbuds", "bookshelf speaker", "turntable", "microphone"], from: 19, to: 620 },
  garden: { things: ["pruning shears", "watering can", "raised bed", "rain barrel", "wheelbarrow"], from: 6, to: 210 },
};
const TRAITS = ["waterproof", "lightweight", "foldable", "insulated", "recycled", "handmade", "compact", "rugged"];
const MATERIALS = ["leather", "canvas", "steel", "bamboo", "wool", "aluminium", "cork", "nylon"];
const COLOURS = ["black", "green", "blue", "red", "grey", "yellow", "white", "orange"];
const BRANDS = ["Alder", "Birch", "Cedar", "Dune", "Ember", "Fjord", "Grove", "Heath"];
const USES = ["long days outside", "small flats", "everyday use", "wet weather", "beginners", "professionals"];

/** Numbers from 0 up to 1 that look random (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The lines of the CSV, with the line ends. */
export function* lines(): Generator<string> {
  const random = createRandom(2_026);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const categories = Object.entries(CATEGORIES);
  yield "id,name,category,brand,price,rating,in_stock,description\n";
  for (let n = 1; n <= ROWS; n++) {
    const [category, { things, from, to }] = oneOf(categories);
    const [thing, trait, material, brand] = [oneOf(things), oneOf(TRAITS), oneOf(MATERIALS), oneOf(BRANDS)];
    const price = (from + random() * (to - from)).toFixed(2);
    const rating = (2 + random() * 3).toFixed(1);
    const name = `${brand} ${trait} ${material} ${thing}`;
    const description = `"${oneOf(COLOURS)} ${thing}, ${trait}, made of ${material}, for ${oneOf(USES)}"`;
    yield `P${String(n).padStart(6, "0")},${name},${category},${brand},${price},${rating},${random() < 0.8},${description}\n`;
  }
}

if (import.meta.main) process.stdout.write([...lines()].join(""));
