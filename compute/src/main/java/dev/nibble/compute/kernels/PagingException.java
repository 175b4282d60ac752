package dev.nibble.compute.kernels;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;
import dev.nibble.errors.Remedy;
import java.util.Optional;

/** A file of pages that cannot be made or removed. The message names the place and the size. */
public final class PagingException extends NibbleException {
  private static final long serialVersionUID = 1L;

  PagingException(String message, Throwable cause) {
    super(Fault.MACHINE, message, cause);
  }

  PagingException(String problem, Remedy remedy, Throwable cause) {
    super(Fault.MACHINE, problem, Optional.of(remedy), cause);
  }
}
