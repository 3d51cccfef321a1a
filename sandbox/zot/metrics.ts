/** Counters in Prometheus' text format, under zot's names. */
export class Metrics {
  private readonly counters = new Map<string, number>();

  count(name: string, labels: Record<string, string>): void {
    const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    const key = `${name}{${pairs.join(",")}}`;
    this.counters.set(key, (this.counters.get(key) ?? 0) + 1);
  }

  text(): string {
    const lines = ["# TYPE zot_up gauge", "zot_up 1"];
    let previous = "";
    for (const [key, value] of [...this.counters].sort()) {
      const name = key.slice(0, key.indexOf("{"));
      if (name !== previous) {
        lines.push(`# TYPE ${name} counter`);
        previous = name;
      }
      lines.push(`${key} ${value}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
