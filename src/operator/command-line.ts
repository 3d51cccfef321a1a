/**
 * What Pulumi is told to run, in the directory of Pulumi.yaml. States keep these texts for years, so the programs in bin/
 * stay where they are and understand what they understood.
 * @param program of bin/
 */
export function commandLine(program: string, ...words: string[]): string {
  return ["node --require ./loader.js", `bin/${program}.ts`, ...words].join(" ");
}
