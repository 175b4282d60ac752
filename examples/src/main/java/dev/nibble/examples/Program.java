package dev.nibble.examples;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.List;

/** What the example programs share: help, and errors a user can act on. */
public final class Program {
  private Program() {}

  /** The work of a program, given its arguments. */
  @FunctionalInterface
  public interface Body {
    /**
     * Does the work; throws {@link ProgramException} or {@link IOException} to end with a message.
     */
    void run(List<String> args) throws IOException;
  }

  /**
   * Runs {@code body} and ends the JVM with 1 after an error, or 2 when the arguments are wrong.
   *
   * @param help printed for {@code --help}, and for a wrong number of arguments
   * @param count how many arguments the program takes
   */
  public static void main(String[] args, String help, int count, Body body) {
    int code = run(List.of(args), help, count, body);
    if (code != 0) {
      System.exit(code);
    }
  }

  private static int run(List<String> args, String help, int count, Body body) {
    if (args.contains("--help") || args.contains("-h")) {
      System.out.println(help);
      return 0;
    }
    if (args.size() != count) {
      System.err.printf("expected %d arguments, got %d%n%n%s%n", count, args.size(), help);
      return 2;
    }
    try {
      body.run(args);
      return 0;
    } catch (ProgramException e) {
      System.err.println("error: " + e.getMessage());
    } catch (FileSystemException e) {
      System.err.printf("error: %s: %s%n", e.getClass().getSimpleName(), e.getMessage());
    } catch (IOException e) {
      System.err.println("error: " + e.getMessage());
    }
    return 1;
  }
}
