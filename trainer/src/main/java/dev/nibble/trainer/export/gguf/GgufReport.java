package dev.nibble.trainer.export.gguf;

import java.util.List;

/**
 * What was written.
 *
 * @param bytes size of the file
 * @param tensors how many it holds
 * @param fallbacks tensors that could not be stored as the type that was asked for, each with its
 *     type and the reason
 * @param warnings where llama.cpp may differ from transformers
 */
public record GgufReport(long bytes, int tensors, List<String> fallbacks, List<String> warnings) {

  /** Copies the lists. */
  public GgufReport {
    fallbacks = List.copyOf(fallbacks);
    warnings = List.copyOf(warnings);
  }
}
