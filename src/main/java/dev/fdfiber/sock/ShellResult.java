package dev.fdfiber.sock;

import java.util.Arrays;

/**
 * What came of {@link Sock#shellCapture}. The arrays are the receiver's.
 *
 * @param output what the command wrote to its standard output, cut to the limit
 * @param errorOutput what it wrote to its standard error, cut to the limit
 * @param exitStatus its exit status; 128 plus the number of the signal that ended it
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content
public record ShellResult(byte[] output, byte[] errorOutput, int exitStatus) {
  @Override
  public boolean equals(Object other) {
    return other instanceof ShellResult r
        && exitStatus == r.exitStatus
        && Arrays.equals(output, r.output)
        && Arrays.equals(errorOutput, r.errorOutput);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * Arrays.hashCode(output) + Arrays.hashCode(errorOutput)) + exitStatus;
  }

  @Override
  public String toString() {
    return "exit status "
        + exitStatus
        + ", "
        + output.length
        + " bytes of output, "
        + errorOutput.length
        + " of error output";
  }
}
