// Extract, transform, load: reads a CSV file, cleans its rows, sums them up and writes two files.
//   weft files put examples/etl/orders.csv
//   weft run etl --input '{"file":"<the id it printed>"}'
// Without a file it takes the one that was uploaded with the workflow.
import type { WorkflowContext } from "weft";

export const inputSchema = { type: "object", properties: { file: { type: "string" } } };

interface Order {
  order: string;
  day: string;
  country: string;
  eur: number;
}

/** "03.11.2026" and "2026-11-03" as "2026-11-03"; null for anything else. */
function toDay(text: string): string | null {
  const german = /^(\d{2})\.(\d{2})\.(\d{4})$/.exec(text);
  if (german !== null) return `${german[3]}-${german[2]}-${german[1]}`;
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : null;
}

/** A row of the file as an order, or what is wrong with it. */
function toOrder([order = "", date = "", country = "", amount = ""]: string[]): Order | string {
  const day = toDay(date);
  const eur = Number(amount.replace(",", "."));
  if (day === null) return `"${date}" is not a day`;
  if (amount === "" || Number.isNaN(eur)) return `"${amount}" is not an amount`;
  return { order, day, country: country || "unknown", eur };
}

const toCsv = (orders: Order[]): string =>
  [
    "order,day,country,eur",
    ...orders.map(({ order, day, country, eur }) => `${order},${day},${country},${eur.toFixed(2)}`),
  ]
    .map((line) => `${line}\n`)
    .join("");

export async function execute(ctx: WorkflowContext<{ file?: string } | null>) {
  const id = ctx.input?.file;
  const text = id === undefined ? await ctx.accessories.text("orders") : await ctx.files.read(id, { as: "text" });

  const orders = new Map<string, Order>();
  const rejected: { line: number; reason: string }[] = [];
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    if (i === 0 || line.trim() === "") continue;
    const order = toOrder(line.split(";").map((cell) => cell.trim()));
    if (typeof order === "string") rejected.push({ line: i + 1, reason: order });
    else if (orders.has(order.order)) rejected.push({ line: i + 1, reason: `order ${order.order} is there already` });
    else orders.set(order.order, order);
  }
  if (rejected.length > 0) ctx.log.warn("rows were left out", { rejected });

  const countries: Record<string, { orders: number; eur: number }> = {};
  for (const { country, eur } of orders.values()) {
    const sum = countries[country] ?? { orders: 0, eur: 0 };
    countries[country] = { orders: sum.orders + 1, eur: Math.round((sum.eur + eur) * 100) / 100 };
  }
  const [clean, summary] = await Promise.all([
    ctx.files.write("orders.csv", toCsv([...orders.values()]), { contentType: "text/csv" }),
    ctx.files.write("summary.json", JSON.stringify(countries, null, 2), { contentType: "application/json" }),
  ]);
  return { rows: orders.size, rejected, countries, files: { clean: clean.id, summary: summary.id } };
}
