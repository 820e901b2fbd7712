// Searches a datastore: 100,000 products in a CSV that examples/product-search/datastores/products.ts makes.
//   weft run product-search --input '{"query":"waterproof hiking boots","max_price":80}'
import type { Filter, WorkflowContext } from "weft";

export const config = { datastores: ["products"] };
export const inputSchema = {
  type: "object",
  required: ["query"],
  properties: {
    query: { type: "string" },
    category: { type: "string" },
    max_price: { type: "number" },
    top_k: { type: "integer", minimum: 1, maximum: 100 },
  },
};

interface Search {
  query: string;
  category?: string;
  max_price?: number;
  top_k?: number;
}

interface Product {
  name: string;
  category: string;
  brand: string;
  price: number;
  rating: number;
}

export async function execute(ctx: WorkflowContext<Search>) {
  const { query = "", category, max_price: maxPrice, top_k: count = 5 } = ctx.input ?? {};
  const filter: Filter = {
    in_stock: true,
    ...(category === undefined ? {} : { category }),
    ...(maxPrice === undefined ? {} : { price: { $lte: maxPrice } }),
  };

  // Both calls go out at once; each execution sees one revision of the datastore from start to end.
  const [hits, categories] = await Promise.all([
    ctx.datastore.search<Product>("products", { query, filter, top_k: count }),
    ctx.datastore.query(
      "products",
      "SELECT category, count(*) AS products, round(avg(price), 2) AS average_price FROM products GROUP BY category ORDER BY category",
    ),
  ]);
  const products = hits.map(({ id, data: { name, brand, price, rating } }) => ({ id, name, brand, price, rating }));
  return { query, products, categories };
}
