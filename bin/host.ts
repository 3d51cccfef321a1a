import { type CatalogRequest, keepCatalog } from "../src/host/catalog";
import { begin, end, keep } from "../src/host/tenure";
import { runVerb } from "../src/operator/verbs";
import { engineAge } from "../src/tenure";

/** `bin/host.ts VERB`: whose a registry host is, from its first delivery to its farewell, and whether it kept its images. */
runVerb({ begin, keep, end, catalog: (request: CatalogRequest) => keepCatalog(request, engineAge()) });
