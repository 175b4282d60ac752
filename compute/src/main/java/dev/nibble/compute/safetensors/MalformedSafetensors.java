package dev.nibble.compute.safetensors;

import dev.nibble.errors.Fault;
import dev.nibble.errors.NibbleException;

/**
 * An error in a safetensors file, or in a folder of them. The message names the file, the tensor,
 * what was expected and what was found.
 */
public final class MalformedSafetensors extends NibbleException {
  private static final long serialVersionUID = 1L;

  MalformedSafetensors(String message) {
    super(Fault.USER, message);
  }

  MalformedSafetensors(String message, Throwable cause) {
    super(Fault.USER, message, cause);
  }
}
