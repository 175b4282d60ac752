package dev.nibble.adapters;

import java.util.Optional;

/** The tensor names of PEFT's adapter files: a prefix, the module's path, the part. */
public final class PeftNames {
  private static final String PREFIX = "base_model.model.";

  /** What a tensor of an adapter file is, by the end of its name. */
  public enum Part {
    /** [r, I]. */
    A(".lora_A.weight"),
    /** [O, r]. */
    B(".lora_B.weight"),
    /** [O]: the bias of B. */
    B_BIAS(".lora_B.bias"),
    /** [O]: the lengths that DoRA gives the rows of the adapted weight. */
    MAGNITUDE(".lora_magnitude_vector"),
    /** [r, V]: A of an embedding table. */
    EMBEDDING_A(".lora_embedding_A"),
    /** [C, r]: B of an embedding table. */
    EMBEDDING_B(".lora_embedding_B"),
    /** A base weight, which PEFT repeats where the embeddings or the head are adapted. */
    BASE(".base_layer.weight"),
    /** A tensor that trains as a whole, under its own name. */
    WHOLE("");

    private final String suffix;

    Part(String suffix) {
      this.suffix = suffix;
    }
  }

  /**
   * A name taken apart.
   *
   * @param module the module's path; with {@link Part#WHOLE}, the tensor's name in the checkpoint
   */
  record Parsed(String module, Part part) {}

  private PeftNames() {}

  /** Name of a part of a module such as {@code model.layers.0.self_attn.q_proj}. */
  public static String of(String module, Part part) {
    return PREFIX + module + part.suffix;
  }

  /** Name of A [r, I] of a module. */
  public static String a(String module) {
    return of(module, Part.A);
  }

  /** Name of B [O, r] of a module. */
  public static String b(String module) {
    return of(module, Part.B);
  }

  /** Name of a checkpoint's tensor that trains as a whole. */
  public static String whole(String tensor) {
    return of(tensor, Part.WHOLE);
  }

  /** The parts of a name; empty when it does not begin as PEFT's names do. */
  static Optional<Parsed> parse(String name) {
    if (!name.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String rest = name.substring(PREFIX.length());
    for (Part part : Part.values()) {
      if (rest.endsWith(part.suffix) && part != Part.WHOLE) {
        return Optional.of(
            new Parsed(rest.substring(0, rest.length() - part.suffix.length()), part));
      }
    }
    return Optional.of(new Parsed(rest, Part.WHOLE));
  }
}
