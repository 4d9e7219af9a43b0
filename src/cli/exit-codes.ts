/** What the `meshbox` command tells the shell. */
export const EXIT_OK = 0
/** It was understood and did not work: the service refused it, is not running, or a check came out negative. */
export const EXIT_FAILED = 1
/** It was not understood: unknown command or option, missing or malformed argument. */
export const EXIT_USAGE = 2
