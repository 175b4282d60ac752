package dev.nibble.adapters;

import java.util.Optional;

/** The tensor names of PEFT's adapter files: a prefix, the module's path, the part. */
public final class PeftNames {
  private static final String PREFIX = "base_model.model.";
  private static final String A = ".lora_A.weight";
  private static final String B = ".lora_B.weight";

  private PeftNames() {}

  /** Name of A [r, I] of a module such as {@code model.layers.0.self_attn.q_proj}. */
  public static String a(String module) {
    return PREFIX + module + A;
  }

  /** Name of B [O, r]. */
  public static String b(String module) {
    return PREFIX + module + B;
  }

  /** The module of which {@code name} is the A; empty for other tensors. */
  static Optional<String> module(String name) {
    return isA(name)
        ? Optional.of(name.substring(PREFIX.length(), name.length() - A.length()))
        : Optional.empty();
  }

  static boolean isA(String name) {
    return name.endsWith(A);
  }
}
