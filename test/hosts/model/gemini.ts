/** generateContent, as Gemini CLI speaks it. */
import { type Dialect, field, list, type Reply, text, textOf, toolNames } from "./script.ts";

export const gemini: Dialect = {
  parse: (path, body) => {
    if (!/:(streamGenerateContent|generateContent)$/.test(path)) return undefined;
    const contents = list(field(body, "contents"));
    const partsWith = (content: unknown, name: string) =>
      list(field(content, "parts")).filter((part) => field(part, name) !== undefined);
    return {
      round: contents.filter((content) => partsWith(content, "functionCall").length > 0).length,
      results: partsWith(contents.at(-1), "functionResponse").map((part) => {
        const response = field(part, "functionResponse");
        const value = field(response, "response");
        const error = field(value, "error");
        return {
          id: text(field(response, "id")),
          text: text(error) || text(field(value, "output")) || JSON.stringify(value),
          isError: error !== undefined,
        };
      }),
      said: contents
        .filter((content) => field(content, "role") === "user")
        .map((content) => textOf(field(content, "parts")))
        .join("\n"),
      system: textOf(field(field(body, "systemInstruction"), "parts")),
      tools: toolNames(field(body, "tools")),
      model: /models\/([^:]+):/.exec(path)?.[1] ?? "",
      streams: path.endsWith(":streamGenerateContent"),
    };
  },
  other: (_method, path) => (path.endsWith(":countTokens") ? { totalTokens: 100 } : undefined),
  stream: (reply) => [`data: ${JSON.stringify(answerOf(reply))}\n\n`],
  whole: answerOf,
  failure: (status) => ({ error: { code: status, message: `scripted ${status}`, status: "UNAVAILABLE" } }),
};

function answerOf(reply: Reply): object {
  const calls = reply.calls.map(({ id, server, tool, input }) => {
    const name = server === undefined ? tool : `mcp_${server}_${tool}`;
    return { functionCall: { id, name, args: input }, thoughtSignature: "c2ln" };
  });
  const parts = reply.text === "" ? calls : [{ text: reply.text }, ...calls];
  return {
    candidates: [{ content: { role: "model", parts }, finishReason: "STOP", index: 0 }],
    usageMetadata: { promptTokenCount: 100, candidatesTokenCount: 20, totalTokenCount: 120 },
    modelVersion: "lab",
  };
}
