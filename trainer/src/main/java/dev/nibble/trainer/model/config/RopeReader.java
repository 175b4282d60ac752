package dev.nibble.trainer.model.config;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads {@code rope_parameters} (transformers 5), or {@code rope_theta}, {@code rope_scaling} and
 * {@code partial_rotary_factor} (transformers 4).
 */
final class RopeReader {
  private static final double THETA = 10_000;
  private static final String ORIGINAL = "original_max_position_embeddings";
  private static final String ALL = "default, linear, dynamic, llama3, yarn, longrope";

  /**
   * Keys of a rope that transformers reads for one type or another, and leaves out for the rest;
   * and one that only says where a model comes from. A rope with any other key turns in a way that
   * neither knows.
   */
  private static final Set<String> KNOWN =
      Set.of(
          "rope_type",
          "type",
          "rope_theta",
          "partial_rotary_factor",
          ORIGINAL,
          "factor",
          "attention_factor",
          "beta_fast",
          "beta_slow",
          "mscale",
          "mscale_all_dim",
          "truncate",
          "short_factor",
          "long_factor",
          "low_freq_factor",
          "high_freq_factor",
          "finetuned");

  private final ConfigJson config;
  private final Sizes sizes;

  private RopeReader(ConfigJson config, Sizes sizes) {
    this.config = config;
    this.sizes = sizes;
  }

  /** The rope of families that rotate whole heads, all layers alike. */
  static Rope wholeHead(ConfigJson c, Sizes sizes) {
    return wholeHead(c, sizes, THETA);
  }

  /** The same, with the family's default of {@code rope_theta}. */
  static Rope wholeHead(ConfigJson c, Sizes sizes, double theta) {
    RopeReader reader = new RopeReader(c, sizes);
    Optional<ConfigJson> rope = reader.flat();
    c.requireNumber("partial_rotary_factor", 1);
    rope.ifPresent(r -> r.requireNumber("partial_rotary_factor", 1));
    OptionalInt original =
        c.has(ORIGINAL) ? OptionalInt.of(c.positive(ORIGINAL)) : OptionalInt.empty();
    return new Rope(
        reader.theta(rope, "rope_theta", theta),
        sizes.head(),
        rope.map(r -> reader.scaling(r, type(r), sizes.head(), original))
            .orElseGet(RopeScaling.None::new));
  }

  /**
   * Phi-3's rope: it may rotate a part of each head; its one scaling is longrope, under old names
   * too.
   */
  static Rope phi3(ConfigJson c, Sizes sizes) {
    RopeReader reader = new RopeReader(c, sizes);
    Optional<ConfigJson> rope = reader.flat();
    ConfigJson holder = rope.filter(r -> r.has("partial_rotary_factor")).orElse(c);
    int rotated = (int) (sizes.head() * holder.positiveNumber("partial_rotary_factor", 1));
    if (rotated % 2 != 0 || rotated < 2 || rotated > sizes.head()) {
      throw holder.wrong(
          "partial_rotary_factor",
          "a part of head_dim = %d that is an even number".formatted(sizes.head()));
    }
    OptionalInt original = OptionalInt.of(c.positive(ORIGINAL, 4096));
    return new Rope(
        reader.theta(rope, "rope_theta", THETA),
        rotated,
        rope.map(r -> reader.phi3Scaling(r, rotated, original)).orElseGet(RopeScaling.None::new));
  }

  private RopeScaling phi3Scaling(ConfigJson rope, int rotated, OptionalInt original) {
    return switch (type(rope)) {
      case "default" -> new RopeScaling.None();
      case "longrope", "su", "yarn" -> scaling(rope, "longrope", rotated, original);
      default -> throw rope.wrong(typeKey(rope), "default, longrope");
    };
  }

  /** Gemma 3's layers with full attention. */
  static Rope gemma3Full(ConfigJson c, Sizes sizes) {
    Optional<ConfigJson> scaling = c.object("rope_scaling");
    Optional<ConfigJson> nested = nested(c, Rope.FULL);
    if (scaling.isPresent() && nested.isPresent()) {
      throw c.wrong("rope_scaling", "rope_parameters alone, or rope_scaling alone");
    }
    return new RopeReader(c, sizes).gemma3(nested.or(() -> scaling), "rope_theta", 1_000_000);
  }

  /** Gemma 3's layers with a window. */
  static Rope gemma3Sliding(ConfigJson c, Sizes sizes) {
    return new RopeReader(c, sizes).gemma3(nested(c, Rope.SLIDING), "rope_local_base_freq", 10_000);
  }

  private static Optional<ConfigJson> nested(ConfigJson c, String kind) {
    Optional<ConfigJson> all = c.object("rope_parameters");
    if (all.isPresent() && !all.get().has(Rope.FULL) && !all.get().has(Rope.SLIDING)) {
      throw c.wrong("rope_parameters", "an object for each of " + Rope.FULL + ", " + Rope.SLIDING);
    }
    all.ifPresent(r -> refuseOthers(r, Rope.FULL, Rope.SLIDING));
    return all.flatMap(r -> r.object(kind));
  }

  private Rope gemma3(Optional<ConfigJson> rope, String thetaKey, double thetaDefault) {
    rope.ifPresent(r -> refuseOthers(r));
    rope.ifPresent(r -> r.requireNumber("partial_rotary_factor", 1));
    return new Rope(
        theta(rope, thetaKey, thetaDefault),
        sizes.head(),
        rope.map(r -> scaling(r, type(r), sizes.head(), OptionalInt.empty()))
            .orElseGet(RopeScaling.None::new));
  }

  /** The one object for all layers. */
  private Optional<ConfigJson> flat() {
    Optional<ConfigJson> rope =
        config.object("rope_scaling").or(() -> config.object("rope_parameters"));
    if (rope.isPresent() && (rope.get().has(Rope.FULL) || rope.get().has(Rope.SLIDING))) {
      throw config.wrong(
          config.has("rope_scaling") ? "rope_scaling" : "rope_parameters",
          "one rope for all layers of this family");
    }
    rope.ifPresent(r -> refuseOthers(r));
    return rope;
  }

  private static void refuseOthers(ConfigJson rope, String... more) {
    Set<String> known = new HashSet<>(KNOWN);
    known.addAll(List.of(more));
    rope.refuseOthers(known, "leaving it out, as no rope type has such a key");
  }

  private double theta(Optional<ConfigJson> rope, String key, double fallback) {
    double outer = config.positiveNumber(key, fallback);
    return rope.map(r -> r.positiveNumber("rope_theta", outer)).orElse(outer);
  }

  private static String typeKey(ConfigJson rope) {
    return rope.has("rope_type") || !rope.has("type") ? "rope_type" : "type";
  }

  private static String type(ConfigJson rope) {
    return rope.text(typeKey(rope), "default");
  }

  private RopeScaling scaling(ConfigJson rope, String type, int d, OptionalInt topLevelOriginal) {
    int original = topLevelOriginal.orElseGet(() -> rope.positive(ORIGINAL, sizes.positions()));
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(rope.positiveNumber("factor"));
      case "dynamic" -> dynamic(rope, d);
      case "llama3" ->
          new RopeScaling.Llama3(
              rope.positiveNumber("factor"),
              rope.positiveNumber("low_freq_factor"),
              rope.positiveNumber("high_freq_factor"),
              original);
      case "yarn" -> yarn(rope, original);
      case "longrope" -> longRope(rope, d, original);
      default -> throw rope.wrong(typeKey(rope), ALL);
    };
  }

  private RopeScaling dynamic(ConfigJson rope, int d) {
    if (d < 4) {
      throw config.wrong("head_dim", "at least 4 with dynamic rope");
    }
    return new RopeScaling.Dynamic(rope.positiveNumber("factor"), sizes.positions());
  }

  private RopeScaling yarn(ConfigJson rope, int original) {
    boolean byRatio = rope.contains("factor") && !rope.has("factor");
    double factor = byRatio ? sizes.positions() / (double) original : rope.positiveNumber("factor");
    double attention;
    if (rope.has("attention_factor")) {
      attention = rope.positiveNumber("attention_factor");
    } else if (rope.isNotZero("mscale") && rope.isNotZero("mscale_all_dim")) {
      attention =
          RopeScaling.Yarn.defaultAttentionFactor(factor, rope.positiveNumber("mscale"))
              / RopeScaling.Yarn.defaultAttentionFactor(
                  factor, rope.positiveNumber("mscale_all_dim"));
    } else {
      attention = RopeScaling.Yarn.defaultAttentionFactor(factor, 1);
    }
    return new RopeScaling.Yarn(
        factor,
        attention,
        rope.positiveNumber("beta_fast", 32),
        rope.positiveNumber("beta_slow", 1),
        original,
        rope.flag("truncate", true));
  }

  private RopeScaling longRope(ConfigJson rope, int d, int original) {
    double factor = rope.positiveNumber("factor", sizes.positions() / (double) original);
    double attention =
        factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log((double) original));
    return new RopeScaling.LongRope(
        factors(rope, "short_factor", d / 2),
        factors(rope, "long_factor", d / 2),
        rope.positiveNumber("attention_factor", attention),
        original);
  }

  private static List<Double> factors(ConfigJson rope, String key, int count) {
    List<Double> factors = rope.positiveNumbers(key);
    if (factors.size() != count) {
      throw rope.wrong(key, count + " positive numbers, one for each pair of a head");
    }
    return factors;
  }
}
