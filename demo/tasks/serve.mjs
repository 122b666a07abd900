// A real server on the port Lockyard gave this task, asked once over the loopback. Two of these never share a port.
import http from "node:http";
import { finish, report } from "./task.mjs";

const page = process.argv[2];
const port = Number(process.env.PORT);
const server = http.createServer((_request, response) => {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ page, servedBy: process.env.LOCKYARD_INSTANCE }));
});

server.on("error", (error) => {
  // Somebody who does not ask Lockyard took the port: another attempt may get another one.
  report({ error: { message: `port ${port}: ${error.message}`, retryable: true } });
  process.exitCode = 1;
});
server.listen(port, "127.0.0.1", async () => {
  // Long enough to see that the third of three waits for one of two ports.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const response = await fetch(`http://127.0.0.1:${port}/${page}`);
  const body = await response.text();
  server.close();
  server.closeAllConnections();
  finish({ port, status: response.status, bytes: body.length, says: `answered ${response.status} on port ${port}` });
});
