#!/bin/sh
# Lays sdks/authentik from schema.json. Needs Go and `npm ci`; neither pulumi nor a provider.
#
# Only what tsc makes of the source is kept: the source re-exports types in a way no per-file compiler (swc, esbuild)
# can read, and a clone has to run after `npm ci` alone.
set -eu
cd "$(dirname "$0")"
source=../authentik/source
rm -rf ../authentik
go run . "$source"
npx tsc -p "$source" --outDir ../authentik/bin --declarationMap false --sourceMap false
node - <<'JS'
const { readFileSync, writeFileSync } = require("node:fs");
const { scripts, dependencies, ...manifest } = JSON.parse(readFileSync("../authentik/source/package.json", "utf8"));
manifest.dependencies = { "@pulumi/pulumi": dependencies["@pulumi/pulumi"] };
for (const path of ["../authentik/package.json", "../authentik/bin/package.json"])
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`);
JS
rm -r "$source"
