package dev.nibble.adapters;

import java.util.List;

/** The names of LoRA's tensors in PEFT's files. */
public final class LoraNames {
  /** A [r, I]. */
  static final String A = ".lora_A.weight";

  /** B [O, r]. */
  static final String B = ".lora_B.weight";

  /** The bias of B [O]. */
  static final String B_BIAS = ".lora_B.bias";

  /** DoRA's lengths of the rows of the adapted weight [O]. */
  static final String MAGNITUDE = ".lora_magnitude_vector";

  /** A of an embedding table [r, V]. */
  static final String EMBEDDING_A = ".lora_embedding_A";

  /** B of an embedding table [C, r]. */
  static final String EMBEDDING_B = ".lora_embedding_B";

  static final List<String> SUFFIXES = List.of(A, B, B_BIAS, MAGNITUDE, EMBEDDING_A, EMBEDDING_B);

  private LoraNames() {}

  /** Name of A [r, I] of a module. */
  public static String a(String module) {
    return PeftNames.of(module, A);
  }

  /** Name of B [O, r] of a module. */
  public static String b(String module) {
    return PeftNames.of(module, B);
  }
}
