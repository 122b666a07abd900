/** For the tests in TypeScript that import the installer. */
export interface Program {
  readonly name: string;
  readonly version: string;
  readonly packageName: string;
  readonly folder: string;
  readonly binary: string;
}
export function wantedPrograms(): readonly string[];
export function program(name: string): Program;
export function isInstalled(name: string): boolean;
export function installProgram(name: string): Promise<string>;
