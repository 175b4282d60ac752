package dev.nibble.adapters;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The tensor names of PEFT's adapter files: a prefix, the module's path, the part. */
public final class PeftNames {
  private static final String PREFIX = "base_model.model.";

  /**
   * Tensors of a base's module that carries an adapter: its weight, which PEFT repeats where the
   * embeddings or the head are adapted, and its bias, where that trained.
   */
  private static final String BASE = ".base_layer";

  private static final String BASE_WEIGHT = BASE + ".weight";
  private static final String BASE_BIAS = BASE + ".bias";

  /** Rows of embeddings that trained. */
  private static final String TOKENS = ".token_adapter.trainable_tokens_delta";

  /**
   * A name taken apart.
   *
   * @param module the module's path; of a tensor that trains as a whole, its name in the checkpoint
   * @param suffix the end of the name, which says which part it is; empty for a tensor that trains
   *     as a whole
   */
  record Parsed(String module, String suffix) {
    /** True for a tensor that trains as a whole. */
    boolean isWhole() {
      return suffix.isEmpty();
    }

    /** True for rows of embeddings that trained. */
    boolean isTokens() {
      return suffix.equals(TOKENS);
    }

    /** True for a tensor of the adapter itself. */
    boolean isAdapter() {
      return !isWhole() && !isTokens() && !suffix.startsWith(BASE);
    }

    /** The base's tensor that it takes the place of, as a whole or in part. */
    String baseTensor() {
      if (isWhole()) {
        return module;
      }
      return module + (isTokens() ? ".weight" : suffix.substring(BASE.length()));
    }
  }

  private PeftNames() {}

  /**
   * Name of a part of a module such as {@code model.layers.0.self_attn.q_proj}.
   *
   * @param suffix one of {@link AdapterSpec#tensorSuffixes}
   */
  static String of(String module, String suffix) {
    return PREFIX + module + suffix;
  }

  /** Name of a checkpoint's tensor that trains as a whole. */
  public static String whole(String tensor) {
    return PREFIX + tensor;
  }

  /**
   * The parts of a name; empty when it does not begin as PEFT's names do.
   *
   * @param suffixes of the adapter's tensors
   */
  static Optional<Parsed> parse(String name, List<String> suffixes) {
    if (!name.startsWith(PREFIX)) {
      return Optional.empty();
    }
    String rest = name.substring(PREFIX.length());
    return Optional.of(
        Stream.concat(Stream.of(BASE_WEIGHT, BASE_BIAS, TOKENS), suffixes.stream())
            .filter(rest::endsWith)
            .findFirst()
            .map(suffix -> split(rest, suffix))
            .orElseGet(() -> new Parsed(rest, "")));
  }

  private static Parsed split(String name, String suffix) {
    return new Parsed(name.substring(0, name.length() - suffix.length()), suffix);
  }
}
