package dev.nibble.cli;

import dev.nibble.cli.terminal.HarmlessOutput;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The process's standard error. The launcher sends it through a filter that drops a line which the
 * JVM prints before {@code main}. After that the filter only does harm: text that passes through it
 * may arrive after the process has ended.
 *
 * <p>On Windows there is no filter, and the launcher passes no stream: Java writes to a handle
 * there, which {@code _dup2} would close.
 */
final class StandardError {
  private static final int STDERR = 2;

  private StandardError() {}

  /** Control characters in whatever is written there are shown, wherever it comes from. */
  static void showControlCharacters() {
    System.setErr(HarmlessOutput.to(System.err));
  }

  /** Connects standard error to the stream whose number the launcher passes, if it passes one. */
  @SuppressWarnings("restricted") // Java itself cannot exchange its standard streams' descriptors
  static void leaveFilter() {
    Integer unfiltered = Integer.getInteger("nibble.stderr");
    if (unfiltered == null) {
      return;
    }
    Linker linker = Linker.nativeLinker();
    // int dup2(int oldfd, int newfd);
    MethodHandle dup2 =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("dup2"),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      // -1 leaves the filter in place, which loses nothing.
      int _ = (int) dup2.invokeExact(unfiltered.intValue(), STDERR);
    } catch (Throwable e) {
      throw new LinkageError("dup2(" + unfiltered + ", 2)", e);
    }
  }
}
