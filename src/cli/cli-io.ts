/** What the command line may do to the terminal it runs in; tests hand in their own. */
export interface CliIo {
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
  /** All of standard input. Rejects when there is more than `maxBytes`. */
  readStdin(maxBytes: number): Promise<string>
  /** One line from the terminal that is not shown while it is typed. */
  readSecret(prompt: string): Promise<string>
  readonly stdinIsTty: boolean
  readonly stderrIsTty: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder that relative paths start from. */
  readonly cwd: string
}
