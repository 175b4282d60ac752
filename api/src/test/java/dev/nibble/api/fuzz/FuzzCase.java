package dev.nibble.api.fuzz;

import dev.nibble.errors.NibbleException;
import dev.nibble.jinja.JinjaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** The folder in which a target's damaged files are read, one after another. */
final class FuzzCase {
  private final FuzzTarget target;
  private final Path folder;

  FuzzCase(FuzzTarget target, Path folder) throws IOException {
    this.target = target;
    this.folder = Files.createDirectories(folder);
    for (FuzzTarget.Beside b : target.beside()) {
      Files.copy(b.file(), folder.resolve(b.name()));
    }
  }

  Path file() {
    return folder.resolve(target.file());
  }

  /** What came of reading. */
  enum Outcome {
    READ,
    REFUSED
  }

  /** Something else than a result or a clear error. */
  static final class FuzzFault extends Exception {
    private static final long serialVersionUID = 1L;

    private final Throwable fault;

    FuzzFault(Throwable fault) {
      super(fault);
      this.fault = fault;
    }

    /** What the reader threw. */
    Throwable fault() {
      return fault;
    }

    /** The same for faults of the same place. */
    String place() {
      Optional<StackTraceElement> ours =
          Arrays.stream(fault.getStackTrace())
              .filter(e -> e.getClassName().startsWith("dev.nibble."))
              .findFirst();
      return fault.getClass().getSimpleName()
          + " at "
          + ours.map(e -> e.getFileName() + ":" + e.getLineNumber()).orElse("?");
    }
  }

  /**
   * Reads a damaged file.
   *
   * @throws FuzzFault when it ends in anything but a result or a clear error
   */
  Outcome read(byte[] damaged) throws IOException, FuzzFault {
    Files.write(file(), damaged);
    try {
      target.reader().read(folder);
      return Outcome.READ;
    } catch (NibbleException | JinjaException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new FuzzFault(e);
      }
      return Outcome.REFUSED;
    } catch (Exception | LinkageError | AssertionError | StackOverflowError | OutOfMemoryError e) {
      throw new FuzzFault(e);
    }
  }
}
