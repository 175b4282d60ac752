package dev.nibble.adapters;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The rank and the scale of each module's update.
 *
 * <p>A key K of a pattern is a regular expression and speaks for the modules whose whole name
 * matches {@code (.*\.)?(K)}; the first key that matches wins.
 *
 * @param r rank where no pattern says otherwise, at least 1
 * @param alpha numerator of the scale where no pattern says otherwise
 * @param rslora scale by alpha / sqrt(r) (rsLoRA, arXiv:2312.03732) in place of alpha / r
 * @param rankPattern ranks of some modules
 * @param alphaPattern alphas of some modules
 */
public record LoraRanks(
    int r,
    double alpha,
    boolean rslora,
    Map<String, Integer> rankPattern,
    Map<String, Double> alphaPattern) {

  /** Checks the ranges and copies the patterns, in their order. */
  public LoraRanks {
    rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
    alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
    checkRank("LoRA rank r", r);
    checkAlpha("LoRA alpha", alpha);
    rankPattern.forEach((key, rank) -> checkRank("the rank of the pattern " + key, rank));
    alphaPattern.forEach((key, a) -> checkAlpha("the alpha of the pattern " + key, a));
    rankPattern.keySet().forEach(LoraRanks::pattern);
    alphaPattern.keySet().forEach(LoraRanks::pattern);
  }

  /** One rank and one scale, alpha / r, for all modules. */
  public static LoraRanks same(int r, double alpha) {
    return new LoraRanks(r, alpha, false, Map.of(), Map.of());
  }

  private static void checkRank(String what, int rank) {
    if (rank < 1) {
      throw new AdapterException("%s must be at least 1, got %d".formatted(what, rank));
    }
  }

  private static void checkAlpha(String what, double alpha) {
    if (!(alpha > 0) || Double.isInfinite(alpha)) {
      throw new AdapterException("%s must be a positive number, got %s".formatted(what, alpha));
    }
  }

  /** The rank of a module. */
  public int rank(String module) {
    return first(rankPattern, module, r);
  }

  /** What the update of a module is scaled by: alpha / r, or alpha / sqrt(r). */
  public double scale(String module) {
    int rank = rank(module);
    return first(alphaPattern, module, alpha) / (rslora ? Math.sqrt(rank) : rank);
  }

  /** The largest rank that a module can have. */
  public int largest() {
    return rankPattern.values().stream().mapToInt(Integer::intValue).reduce(r, Math::max);
  }

  /**
   * The same scales at twice the rank: alphas are doubled, or, with rsLoRA, multiplied by sqrt(2).
   */
  LoraRanks doubled() {
    double factor = rslora ? Math.sqrt(2) : 2;
    Map<String, Integer> ranks = new LinkedHashMap<>();
    rankPattern.forEach((key, rank) -> ranks.put(key, 2 * rank));
    Map<String, Double> alphas = new LinkedHashMap<>();
    alphaPattern.forEach((key, a) -> alphas.put(key, factor * a));
    return new LoraRanks(2 * r, factor * alpha, rslora, ranks, alphas);
  }

  /** Without keys that mean none of these modules, see {@link AdapterSpec#inUse}. */
  LoraRanks inUse(Collection<String> modules) {
    Map<String, Integer> ranks = new LinkedHashMap<>(rankPattern);
    ranks.keySet().removeAll(unused(rankPattern, modules));
    Map<String, Double> alphas = new LinkedHashMap<>(alphaPattern);
    alphas.keySet().removeAll(unused(alphaPattern, modules));
    return new LoraRanks(r, alpha, rslora, ranks, alphas);
  }

  /**
   * Checks that every key speaks for one of these modules at least.
   *
   * @throws AdapterException when one does not
   */
  void requireUse(Collection<String> modules) {
    requireUse("rank_pattern", rankPattern, modules);
    requireUse("alpha_pattern", alphaPattern, modules);
  }

  private static void requireUse(String name, Map<String, ?> pattern, Collection<String> modules) {
    Set<String> unused = unused(pattern, modules);
    if (!unused.isEmpty()) {
      throw new AdapterException(
          "%s: the keys %s speak for none of the adapted modules %s; each must be the end of a name or an expression that matches one, and not one that an earlier key matches"
              .formatted(name, unused, TargetModules.shortNames(modules)));
    }
  }

  /** The keys that are the first to match for no module. */
  private static Set<String> unused(Map<String, ?> pattern, Collection<String> modules) {
    Set<String> unused = new LinkedHashSet<>(pattern.keySet());
    for (String module : modules) {
      pattern.keySet().stream()
          .filter(key -> pattern(key).matcher(module).matches())
          .findFirst()
          .ifPresent(unused::remove);
    }
    return unused;
  }

  private static <T> T first(Map<String, T> patterns, String module, T fallback) {
    for (Map.Entry<String, T> e : patterns.entrySet()) {
      if (pattern(e.getKey()).matcher(module).matches()) {
        return e.getValue();
      }
    }
    return fallback;
  }

  private static Pattern pattern(String key) {
    return PythonRegex.compile("(.*\\.)?(" + key + ")");
  }
}
