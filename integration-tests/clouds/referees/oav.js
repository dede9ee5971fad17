// Holds recorded traffic against Azure's official API contracts: oav.js FOLDER SPECS TRAFFIC
//   FOLDER   has node_modules with oav
//   SPECS    has specification/**/resource-manager/**
//   TRAFFIC  a line of JSON per exchange: {liveRequest, liveResponse}
// stdout: a line "oav: JSON" per finding, then {"judged": N}; oav itself prints there, too.
const fs = require("fs");
const path = require("path");

const [folder, specs, traffic] = process.argv.slice(2);
const { LiveValidator } = require(require.resolve("oav", { paths: [path.resolve(folder)] }));

async function main() {
  const validator = new LiveValidator({
    directory: path.resolve(specs),
    git: { shouldClone: false },
    swaggerPathsPattern: [
      "/specification/**/resource-manager/**/Microsoft.DBforPostgreSQL/stable/**/*.json",
      "/specification/**/resource-manager/**/Microsoft.Authorization/**/locks.json",
      "/specification/**/resource-manager/**/Microsoft.Network/**/{privateEndpoint,privatedns}.json",
    ],
    excludedSwaggerPathsPattern: ["**/examples/**"],
  });
  await validator.initialize();
  let judged = 0;
  for (const line of fs.readFileSync(traffic, "utf8").split("\n").filter(Boolean)) {
    const exchange = JSON.parse(line);
    const verdict = await validator.validateLiveRequestResponse(exchange);
    judged += 1;
    for (const [side, result] of [["request", verdict.requestValidationResult], ["answer", verdict.responseValidationResult]]) {
      const errors = [...result.errors];
      if (result.runtimeException) errors.push(result.runtimeException);
      for (const { code, message, pathsInPayload, jsonPathsInPayload } of errors) {
        const { method, url } = exchange.liveRequest;
        console.log("oav: " + JSON.stringify({ side, method, url, code, message, at: pathsInPayload ?? jsonPathsInPayload }));
      }
    }
  }
  console.log("oav: " + JSON.stringify({ judged }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
