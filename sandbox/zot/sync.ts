import type { Registry } from "./registry";

export class OnDemandSync {
  constructor(private readonly registry: Registry) {}

  async fetch(_repository: string, _reference: string): Promise<void> {
    void this.registry;
  }
}
