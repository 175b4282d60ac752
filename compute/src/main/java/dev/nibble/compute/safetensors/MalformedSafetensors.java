package dev.nibble.compute.safetensors;

/**
 * A safetensors file, or a folder of them, is not what it should be. The message names the file,
 * the tensor, what was expected and what was found.
 */
public final class MalformedSafetensors extends RuntimeException {
  private static final long serialVersionUID = 1L;

  MalformedSafetensors(String message) {
    super(message);
  }

  MalformedSafetensors(String message, Throwable cause) {
    super(message, cause);
  }
}
